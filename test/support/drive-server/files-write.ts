/** What creates, changes and deletes files; uploads end here too. */
import { atLeast, isTrashed, itemFor, lineage, roleOf, rootOf, visibleItem } from "./access.ts";
import type { Call } from "./call.ts";
import { ApiError, fileNotFound, notImplemented } from "./errors.ts";
import { parseFields } from "./fields.ts";
import { type Answer, json, parseObject, receiveAll } from "./http.ts";
import { contentOf, FOLDER, type Item, isNative, SHORTCUT } from "./items.ts";
import { describe, type Metadata, parseMetadata } from "./metadata.ts";
import { invalidParameter } from "./parameters.ts";
import { fileResource } from "./resources.ts";
import { SHAPES } from "./shapes.ts";
import { type DriveStore, emptyItem } from "./store.ts";

/** Content with the media type that its request declared. */
export interface Upload {
  readonly bytes: Buffer;
  readonly mediaType: string | undefined;
}

export type FileChange = Pick<Call, "store" | "access" | "email" | "parameters" | "id">;

export async function createFile(call: Call): Promise<Answer> {
  const project = parseFields(call.parameters.text("fields"), SHAPES.file);
  const metadata = parseMetadata(parseObject(await receiveAll(call.request, call.faults)), "create");
  return json(project(fileResource(create(call, metadata), call.view)));
}

export async function updateFile(call: Call): Promise<Answer> {
  const project = parseFields(call.parameters.text("fields"), SHAPES.file);
  const metadata = parseMetadata(parseObject(await receiveAll(call.request, call.faults)), "update");
  return json(project(fileResource(update(call, metadata), call.view)));
}

export function deleteFile({ access, id, store }: Call): Answer {
  const item = visibleItem(access, id);
  const needed = item.driveId === null ? "owner" : "organizer";
  if (!atLeast(roleOf(store, item, access.email), needed) || item.parent === null) throw new ApiError("insufficientFilePermissions");
  store.remove(item.id);
  return { status: 204 };
}

/** Everything that a creation is refused for, asked before its content is taken. @throws ApiError */
export function checkCreation(change: FileChange, metadata: Metadata, contentBytes: number): void {
  const { store, email } = change;
  const { id, mimeType = "application/octet-stream", shortcutDetails } = metadata;
  if (id !== undefined && store.idState(id) === "used") throw new ApiError("fileIdInUse");
  if (id !== undefined && store.idState(id) === "unknown") {
    throw new ApiError("invalid", { message: "The provided file ID is not usable.", location: "file.id", locationType: "other" });
  }
  if ((mimeType === SHORTCUT) !== (shortcutDetails !== undefined))
    throw new ApiError("badRequest", { message: "A shortcut needs a target." });
  if (shortcutDetails !== undefined) visibleItem(change.access, shortcutDetails.targetId);
  const parent = parentFor(change, metadata);
  if (parent.driveId === null) checkStorage(store, email, mimeType, contentBytes);
}

export function create(change: FileChange, metadata: Metadata, upload?: Upload): Item {
  const mimeType = metadata.mimeType ?? upload?.mediaType ?? "application/octet-stream";
  checkCreation(change, { ...metadata, mimeType }, upload?.bytes.length ?? 0);
  if (upload !== undefined && (isNative(mimeType) || mimeType === FOLDER || mimeType === SHORTCUT)) {
    throw notImplemented("conversions of uploads");
  }
  const { store, email } = change;
  const parent = parentFor(change, metadata);
  const fresh = emptyItem("Untitled", mimeType);
  const hasContent = !isNative(mimeType) && mimeType !== FOLDER && mimeType !== SHORTCUT;
  return store.put({
    ...describe(fresh, metadata),
    id: metadata.id ?? fresh.id,
    parent: parent.id,
    driveId: parent.driveId,
    owner: parent.driveId === null ? email : null,
    content: hasContent ? contentOf(upload?.bytes ?? Buffer.alloc(0)) : null,
    exports: isNative(mimeType) ? new Map() : null,
    shortcutTo: metadata.shortcutDetails?.targetId ?? null,
    createdAt: metadata.createdTime ?? fresh.createdAt,
    modifiedBy: email,
  });
}

/** @throws ApiError when the account may not, or the storage of the file's owner is full */
export function update(change: FileChange, metadata: Metadata, upload?: Upload): Item {
  const { store, email, access } = change;
  const item = itemFor(access, change.id, "writer");
  if (upload !== undefined && item.content === null) throw notImplemented("content for native documents, folders and shortcuts");
  if (upload !== undefined && item.owner !== null) {
    checkStorage(store, item.owner, item.mimeType, upload.bytes.length - (item.content?.bytes.length ?? 0));
  }
  if (metadata.trashed !== undefined && metadata.trashed !== item.trashed) {
    const needed = item.driveId === null ? "owner" : "fileOrganizer";
    if (!atLeast(roleOf(store, item, email), needed)) throw new ApiError("insufficientFilePermissions");
  }
  const described = describe(item, metadata);
  const changesLooks = upload !== undefined || described.name !== item.name || described.description !== item.description;
  return store.put({
    ...moved(change, described),
    ...(upload === undefined ? {} : { content: contentOf(upload.bytes), mimeType: metadata.mimeType ?? upload.mediaType ?? item.mimeType }),
    modifiedAt: metadata.modifiedTime ?? (changesLooks ? Date.now() : item.modifiedAt),
    modifiedBy: email,
  });
}

function moved({ parameters, store, access }: FileChange, item: Omit<Item, "version">): Omit<Item, "version"> {
  const ids = (name: string) => parameters.text(name)?.split(",").filter(Boolean) ?? [];
  const [added, ...more] = ids("addParents");
  const removed = ids("removeParents");
  if (removed.some((id) => id !== item.parent))
    throw invalidParameter("removeParents", "The specified parent is not a parent of the file.");
  if (added === undefined) {
    if (removed.length > 0) throw notImplemented("files without a folder");
    return item;
  }
  // A file has one parent since 2020: https://developers.google.com/workspace/drive/api/guides/ref-single-parent
  if (more.length > 0 || (removed.length === 0 && added !== item.parent)) throw new ApiError("cannotAddParent");
  const parent = folderFor(store, access, added);
  if (lineage(store, parent).some(({ id }) => id === item.id))
    throw new ApiError("badRequest", { message: "A folder cannot be in itself." });
  if (parent.driveId !== item.driveId) throw notImplemented("moves between drives");
  return { ...item, parent: parent.id };
}

function parentFor({ store, access, email }: FileChange, { parents = [] }: Metadata): Item {
  if (parents.length > 1) throw new ApiError("cannotAddParent");
  return folderFor(store, access, parents[0] ?? rootOf(store, email));
}

function folderFor(store: DriveStore, access: Call["access"], id: string): Item {
  const parent = visibleItem(access, id);
  if (parent.mimeType !== FOLDER) throw new ApiError("parentNotAFolder");
  if (!atLeast(roleOf(store, parent, access.email), "writer")) throw new ApiError("insufficientParentPermissions");
  if (isTrashed(store, parent)) throw fileNotFound(id);
  return parent;
}

/** Folders and shortcuts take no storage, so even service accounts make them. */
function checkStorage(store: DriveStore, email: string, mimeType: string, addedBytes: number): void {
  const account = store.accounts.get(email);
  if (account === undefined || mimeType === FOLDER || mimeType === SHORTCUT) return;
  if (account.isService) {
    const message =
      "Service Accounts do not have storage quota. Leverage shared drives (https://developers.google.com/workspace/drive/api/guides/about-shareddrives), or use OAuth delegation (http://support.google.com/a/answer/7281227) instead.";
    throw new ApiError("storageQuotaExceeded", { message });
  }
  if (account.quotaBytes !== null && store.usageOf(email) + addedBytes > account.quotaBytes) throw new ApiError("storageQuotaExceeded");
}
