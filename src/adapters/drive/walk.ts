/** Everything below a folder, asked of Drive folder by folder, several at a time. */
import pLimit from "p-limit";
import { throwIfAborted } from "../../domain/errors.ts";
import type { ResolvedFolder } from "./folders.ts";
import { findItem, type Item, isFolder, isShortcut, queryItems, quoted } from "./items.ts";
import type { Tree } from "./tree.ts";
import type { Wire } from "./wire.ts";

interface FolderToWalk {
  readonly id: string;
  readonly driveId: string | null;
}

/** Shortcuts are followed, wherever they lead; each folder is walked once. */
export async function walk(wire: Wire, root: ResolvedFolder, signal: AbortSignal): Promise<Tree> {
  const limit = pLimit(wire.limits.concurrency);
  const items = new Map<string, Item>();
  const folders = new Set<string>([root.id]);
  const childrenOf = ({ id, driveId }: FolderToWalk) =>
    queryItems(wire, { where: `${quoted(id)} in parents`, driveId, subject: `the folder ${id}` }, signal);
  let next: FolderToWalk[] = [root];
  while (next.length > 0) {
    throwIfAborted(signal);
    const found = (
      await all(
        next.map((folder) => limit(() => childrenOf(folder))),
        limit.clearQueue,
      )
    ).flat();
    for (const item of found) items.set(item.id, item);
    const targets = [...new Set(found.filter(isShortcut).map((item) => item.shortcutTo ?? ""))].filter((id) => id !== "" && !items.has(id));
    const followed = await all(
      targets.map((id) => limit(() => findItem(wire, id, `the target ${id} of a shortcut`, signal))),
      limit.clearQueue,
    );
    next = [];
    for (const item of [...found, ...followed]) {
      if (item === undefined) continue;
      if (!items.has(item.id)) items.set(item.id, item);
      if (item.trashed || !isFolder(item) || folders.has(item.id)) continue;
      folders.add(item.id);
      next.push(item);
    }
  }
  return { root: root.id, items, folders };
}

/** What has not been asked yet is not asked any more once one fails. */
async function all<T>(work: readonly Promise<T>[], stop: () => void): Promise<T[]> {
  try {
    return await Promise.all(work);
  } catch (error) {
    stop();
    throw error;
  }
}
