/** Drive's files, folders and shortcuts, as far as eda looks at them. */
import type { drive_v3 } from "@googleapis/drive";
import { EdaError } from "../../domain/errors.ts";
import { FOLDER_TYPE, isNative, SHORTCUT_TYPE } from "./export-formats.ts";
import { isNotFound } from "./failures.ts";
import type { Wire } from "./wire.ts";

export const ITEM_FIELDS =
  "id,name,mimeType,parents,driveId,trashed,size,md5Checksum,sha256Checksum,headRevisionId,createdTime,modifiedTime," +
  "owners(emailAddress),shortcutDetails(targetId),capabilities(canDownload)";

export interface Item {
  readonly id: string;
  readonly name: string;
  readonly mimeType: string;
  /** Empty for what is shared with an account that does not see its folder. */
  readonly parents: readonly string[];
  /** The shared drive it lives in. */
  readonly driveId: string | null;
  readonly trashed: boolean;
  /** Bytes; null for documents of Google's editors, as are the checksums and the revision. */
  readonly size: number | null;
  readonly md5: string | null;
  readonly sha256: string | null;
  readonly headRevision: string | null;
  readonly createdAt: string | null;
  readonly modifiedAt: string;
  readonly owner: string | null;
  readonly shortcutTo: string | null;
  readonly canDownload: boolean;
}

export const isFolder = (item: Item): boolean => item.mimeType === FOLDER_TYPE;
export const isShortcut = (item: Item): boolean => item.mimeType === SHORTCUT_TYPE;

export function itemOf(file: drive_v3.Schema$File): Item {
  return {
    id: file.id ?? "",
    name: file.name ?? "",
    mimeType: file.mimeType ?? "application/octet-stream",
    parents: file.parents ?? [],
    driveId: file.driveId ?? null,
    trashed: file.trashed ?? false,
    size: file.size == null ? null : Number(file.size),
    md5: file.md5Checksum ?? null,
    sha256: file.sha256Checksum ?? null,
    headRevision: file.headRevisionId ?? null,
    createdAt: file.createdTime ?? null,
    modifiedAt: file.modifiedTime ?? new Date(0).toISOString(),
    owner: file.owners?.[0]?.emailAddress ?? null,
    shortcutTo: file.shortcutDetails?.targetId ?? null,
    canDownload: file.capabilities?.canDownload ?? true,
  };
}

/**
 * The head revision, which content alone changes. Documents of Google's editors have none: the time of their last edit then, and not Drive's own
 * `version`, which grows by what nobody sees and would make every capture take them again.
 */
export function versionOf({ headRevision, md5, modifiedAt, mimeType }: Item): string {
  if (headRevision !== null) return headRevision;
  return isNative(mimeType) ? modifiedAt : [modifiedAt, md5].filter((part) => part !== null).join(".");
}

/** Undefined for what is not there or not visible to the account: Drive does not tell them apart. Trashed ones are answered. */
export async function findItem(wire: Wire, id: string, subject: string, signal?: AbortSignal): Promise<Item | undefined> {
  try {
    return itemOf(
      await wire.ask(signal, (api, options) => api.files.get({ fileId: id, supportsAllDrives: true, fields: ITEM_FIELDS }, options)),
    );
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw wire.explained(error, subject);
  }
}

export interface ItemQuery {
  /** https://developers.google.com/workspace/drive/api/guides/ref-search-terms */
  readonly where: string;
  /** Narrows the search to a shared drive. */
  readonly driveId: string | null;
  /** For errors. */
  readonly subject: string;
}

/** Every item that the query finds, page by page; none below a parent that is gone. */
export async function queryItems(wire: Wire, query: ItemQuery, signal: AbortSignal): Promise<Item[]> {
  try {
    return await askForItems(wire, query, signal);
  } catch (error) {
    if (isNotFound(error)) return [];
    throw wire.explained(error, query.subject);
  }
}

async function askForItems(wire: Wire, { where, driveId, subject }: ItemQuery, signal: AbortSignal): Promise<Item[]> {
  const found: Item[] = [];
  let pageToken: string | undefined;
  do {
    const page: drive_v3.Schema$FileList = await wire.ask(signal, (api, options) =>
      api.files.list(
        {
          q: `${where} and trashed = false`,
          pageSize: wire.limits.pageSize,
          supportsAllDrives: true,
          includeItemsFromAllDrives: true,
          fields: `nextPageToken,incompleteSearch,files(${ITEM_FIELDS})`,
          ...(driveId === null ? {} : { corpora: "drive", driveId }),
          ...(pageToken === undefined ? {} : { pageToken }),
        },
        options,
      ),
    );
    if (page.incompleteSearch === true) {
      throw new EdaError("transient", "drive-incomplete", `Google Drive did not look everywhere for ${subject}.`, { todo: "Run again." });
    }
    found.push(...(page.files ?? []).map(itemOf));
    pageToken = page.nextPageToken ?? undefined;
  } while (pageToken !== undefined);
  return found;
}

/** A text in a search: Drive knows these two escapes and no other. */
export function quoted(text: string): string {
  return `'${text.replace(/[\\']/gu, "\\$&")}'`;
}

/** @param name exactly: Drive's own comparison may see less of a difference */
export async function childrenNamed(
  wire: Wire,
  parent: { readonly id: string; readonly driveId: string | null },
  name: string,
  signal: AbortSignal,
): Promise<Item[]> {
  const where = `${quoted(parent.id)} in parents and name = ${quoted(name)}`;
  const items = await queryItems(wire, { where, driveId: parent.driveId, subject: `the folder ${parent.id}` }, signal);
  return items.filter((item) => item.name === name).sort(oldestFirst);
}

/** Where a name is there several times the first of them is meant, always the same one. */
export function oldestFirst(a: Item, b: Item): number {
  return compareText(a.createdAt ?? "", b.createdAt ?? "") || compareText(a.id, b.id);
}

export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
