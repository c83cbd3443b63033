/** The feed of changes: of an account, or of a shared drive. https://developers.google.com/workspace/drive/api/guides/manage-changes */
import type { drive_v3 } from "@googleapis/drive";
import { ITEM_FIELDS, type Item, isFolder, isShortcut, itemOf } from "./items.ts";
import type { Tree } from "./tree.ts";
import type { Wire } from "./wire.ts";

const SUBJECT = "the changes in Drive";

export interface ItemChange {
  readonly id: string;
  /** Null when it is gone, or no longer shared with the account. */
  readonly item: Item | null;
}

export interface Changes {
  readonly changes: readonly ItemChange[];
  /** Whether a shared drive itself changed. */
  readonly ofDrives: boolean;
  /** Where the next question begins. */
  readonly token: string;
}

export async function startToken(wire: Wire, driveId: string | null, signal: AbortSignal): Promise<string> {
  const { startPageToken } = await wire.call(SUBJECT, signal, (api, options) =>
    api.changes.getStartPageToken({ supportsAllDrives: true, fields: "startPageToken", ...(driveId === null ? {} : { driveId }) }, options),
  );
  return startPageToken as string;
}

/** @throws DriveFailure also for a token that Drive no longer knows */
export async function changesSince(wire: Wire, token: string, driveId: string | null, signal: AbortSignal): Promise<Changes> {
  const changes: ItemChange[] = [];
  let ofDrives = false;
  let pageToken = token;
  for (;;) {
    const page: drive_v3.Schema$ChangeList = await wire.ask(signal, (api, options) =>
      api.changes.list(
        {
          pageToken,
          pageSize: wire.limits.pageSize,
          supportsAllDrives: true,
          includeItemsFromAllDrives: true,
          fields: `nextPageToken,newStartPageToken,changes(changeType,removed,fileId,file(${ITEM_FIELDS}))`,
          ...(driveId === null ? {} : { driveId }),
        },
        options,
      ),
    );
    for (const { changeType, fileId, removed, file } of page.changes ?? []) {
      if (changeType === "drive" || fileId == null) ofDrives = true;
      else changes.push({ id: fileId, item: removed === true || file == null ? null : itemOf(file) });
    }
    if (page.nextPageToken == null) return { changes, ofDrives, token: page.newStartPageToken ?? pageToken };
    pageToken = page.nextPageToken;
  }
}

/**
 * The tree with the changes in it; undefined where more than files changed: folders and shortcuts decide what belongs to the tree at all.
 * @param way ids that the folder's address leads over
 */
export function applyChanges(tree: Tree, way: readonly string[], changes: readonly ItemChange[]): Tree | undefined {
  const targets = new Set([...tree.items.values()].flatMap(({ shortcutTo }) => (shortcutTo === null ? [] : [shortcutTo])));
  const items = new Map(tree.items);
  for (const { id, item } of changes) {
    const known = items.get(id);
    const isNear = item?.parents.some((parent) => tree.folders.has(parent) || way.includes(parent)) ?? false;
    if (known === undefined && !isNear && !targets.has(id) && !way.includes(id) && !tree.folders.has(id)) continue;
    if (known !== undefined && item !== null && !isPlain(known) && hasSamePlace(known, item)) continue;
    const isFile = (known === undefined || isPlain(known)) && (item === null || isPlain(item));
    if (!isFile || targets.has(id) || way.includes(id) || tree.folders.has(id)) return undefined;
    if (item === null) items.delete(id);
    else items.set(id, item);
  }
  return { ...tree, items };
}

function isPlain(item: Item): boolean {
  return !isFolder(item) && !isShortcut(item);
}

/** A folder's times change with what is put into it, which the changes tell by itself. */
function hasSamePlace(a: Item, b: Item): boolean {
  const place = ({ name, mimeType, trashed, shortcutTo, parents, driveId }: Item) =>
    JSON.stringify([name, mimeType, trashed, shortcutTo, driveId, [...parents].sort()]);
  return place(a) === place(b);
}
