/** Items, accounts and drives as the API shows them to one account. */
import { createHash } from "node:crypto";
import type { drive_v3 } from "@googleapis/drive";
import { atLeast, isTrashed, lineage, roleOf } from "./access.ts";
import { EXPORT_TYPES } from "./export-types.ts";
import { FOLDER, type Grant, type Item, isNative, type Role, type SharedDrive } from "./items.ts";
import type { CAPABILITIES } from "./shapes.ts";
import type { DriveStore } from "./store.ts";

export interface View {
  readonly store: DriveStore;
  /** Address of the account that looks. */
  readonly email: string;
  /** A fault: checksums that do not fit the content. */
  readonly wrongChecksums: boolean;
}

export function fileResource(item: Item, view: View): drive_v3.Schema$File {
  const { store, email } = view;
  const role = roleOf(store, item, email);
  const trashed = isTrashed(store, item);
  return {
    kind: "drive#file",
    id: item.id,
    name: item.name,
    mimeType: item.mimeType,
    ...(item.description === null ? {} : { description: item.description }),
    ...parentsOf(item, view),
    ...(item.driveId === null
      ? { owners: [userResource(item.owner ?? "", view)], ownedByMe: item.owner === email }
      : driveIds(item.driveId)),
    trashed,
    explicitlyTrashed: item.trashed,
    version: String(item.version),
    createdTime: time(item.createdAt),
    modifiedTime: time(item.modifiedAt),
    ...(item.modifiedBy === null ? {} : { lastModifyingUser: userResource(item.modifiedBy, view) }),
    shared: item.driveId !== null || lineage(store, item).some(({ grants }) => grants.length > 0),
    spaces: ["drive"],
    // Nobody follows it in a test: a name that cannot be resolved.
    webViewLink: `https://drive.invalid/file/d/${item.id}/view`,
    properties: item.properties,
    appProperties: item.appProperties,
    quotaBytesUsed: String(item.content?.bytes.length ?? 0),
    ...contentFields(item, view),
    ...shortcutFields(item, store),
    ...permissionFields(item, role, view),
    capabilities: capabilities(item, role),
  };
}

/** Drive does not show a folder to who may not see it. */
function parentsOf(item: Item, { store, email }: View): drive_v3.Schema$File {
  const parent = store.get(item.parent ?? "");
  return parent === undefined || roleOf(store, parent, email) === undefined ? {} : { parents: [parent.id] };
}

const driveIds = (id: string): drive_v3.Schema$File => ({ driveId: id, teamDriveId: id });

function contentFields({ content, mimeType, name, id }: Item, { wrongChecksums }: View): drive_v3.Schema$File {
  if (isNative(mimeType)) {
    const types = EXPORT_TYPES[mimeType] ?? [];
    return { exportLinks: Object.fromEntries(types.map((type) => [type, `https://drive.invalid/export?id=${id}`])) };
  }
  if (content === null) return {};
  const checksum = (right: string) => (wrongChecksums ? `${right.startsWith("0") ? "1" : "0"}${right.slice(1)}` : right);
  const extensions = name.split(".").slice(1);
  return {
    size: String(content.bytes.length),
    md5Checksum: checksum(content.md5),
    sha1Checksum: checksum(content.sha1),
    sha256Checksum: checksum(content.sha256),
    headRevisionId: content.revision,
    originalFilename: name,
    fileExtension: extensions.at(-1) ?? "",
    fullFileExtension: extensions.join("."),
  };
}

function shortcutFields({ shortcutTo }: Item, store: DriveStore): drive_v3.Schema$File {
  if (shortcutTo === null) return {};
  const target = store.get(shortcutTo);
  // A dangling shortcut keeps the media type that it was made with; the fake says that it does not know.
  return { shortcutDetails: { targetId: shortcutTo, ...(target === undefined ? {} : { targetMimeType: target.mimeType }) } };
}

/** Only who may share sees with whom; in shared drives they are asked for by `permissions.list`. */
function permissionFields(item: Item, role: Role | undefined, view: View): drive_v3.Schema$File {
  if (!atLeast(role, "writer") || item.driveId !== null) return {};
  const permissions = grantsOf(item).map((grant) => permissionResource(grant, view));
  return { permissions, permissionIds: permissions.map(({ id }) => id as string) };
}

/** Its owner's and its own; what it inherits is not repeated. */
export function grantsOf(item: Item): readonly Grant[] {
  return item.owner === null ? item.grants : [{ to: item.owner, role: "owner" as const }, ...item.grants];
}

function capabilities(item: Item, role: Role | undefined): Record<(typeof CAPABILITIES)[number], boolean> {
  const [canWrite, inDrive, isFolder] = [atLeast(role, "writer"), item.driveId !== null, item.mimeType === FOLDER];
  return {
    canAddChildren: canWrite && isFolder,
    canCopy: !isFolder,
    canDelete: atLeast(role, inDrive ? "organizer" : "owner"),
    canDownload: !isFolder,
    canEdit: canWrite,
    canListChildren: isFolder,
    canModifyContent: canWrite,
    canRename: canWrite,
    canShare: canWrite,
    canTrash: atLeast(role, inDrive ? "fileOrganizer" : "owner"),
  };
}

export function userResource(email: string, { store, email: viewer }: View): drive_v3.Schema$User {
  return {
    kind: "drive#user",
    displayName: store.accounts.get(email)?.displayName ?? email,
    emailAddress: email,
    me: email === viewer,
    permissionId: permissionId(email),
  };
}

export function permissionResource({ to, role }: Grant, { store }: View): drive_v3.Schema$Permission {
  if (to === "anyone") return { kind: "drive#permission", id: "anyoneWithLink", type: "anyone", role };
  const displayName = store.accounts.get(to)?.displayName ?? to;
  return { kind: "drive#permission", id: permissionId(to), type: "user", role, emailAddress: to, displayName, deleted: false };
}

export function driveResource({ id, name, createdAt }: SharedDrive): drive_v3.Schema$Drive {
  return { kind: "drive#drive", id, name, createdTime: time(createdAt), hidden: false };
}

/** Digits, the same for an account everywhere. */
function permissionId(email: string): string {
  return createHash("sha256").update(email).digest().readBigUInt64BE().toString().padStart(20, "0");
}

export const time = (milliseconds: number): string => new Date(milliseconds).toISOString();
