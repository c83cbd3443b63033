/**
 * Listings remembered with the place in the feed of changes from which they are brought up to date: a folder in which nothing happened costs
 * one request. Whatever is odd leads to a new walk.
 */
import { z } from "zod";
import { throwIfAborted } from "../../domain/errors.ts";
import { applyChanges, changesSince, startToken } from "./changes.ts";
import { type ResolvedFolder, resolveFolder } from "./folders.ts";
import { openStateFiles } from "./state-file.ts";
import type { Tree } from "./tree.ts";
import { walk } from "./walk.ts";
import type { Wire } from "./wire.ts";

/** More would make a document that takes longer to read than Drive to ask. */
const MOST_ITEMS = 200_000;

const nullableText = z.string().nullable();
const itemSchema = z.object({
  id: z.string(),
  name: z.string(),
  mimeType: z.string(),
  parents: z.array(z.string()),
  driveId: nullableText,
  trashed: z.boolean(),
  size: z.number().nullable(),
  md5: nullableText,
  sha256: nullableText,
  headRevision: nullableText,
  createdAt: nullableText,
  modifiedAt: z.string(),
  owner: nullableText,
  shortcutTo: nullableText,
  canDownload: z.boolean(),
});

const memorySchema = z.object({
  version: z.literal(1),
  root: z.object({ id: z.string(), driveId: nullableText, way: z.array(z.string()) }),
  token: z.string(),
  /** Milliseconds since 1970, as the next. */
  tokenAt: z.number(),
  walkedAt: z.number(),
  /** The token is from long enough before the walk: nothing that a listing shows late is missed. */
  settled: z.boolean(),
  items: z.array(itemSchema),
  folders: z.array(z.string()),
});

type Memory = z.infer<typeof memorySchema>;

/** What lies below the folder. @throws EdaError `terminal` `drive-folder-not-found`, `drive-folder-ambiguous` */
export type Lister = (folder: string, signal: AbortSignal) => Promise<Tree>;

/** @param stateFolder of this host, outlives it */
export function createLister(wire: Wire, stateFolder: string): Lister {
  const memories = openStateFiles(stateFolder, memorySchema);
  const keyOf = (folder: string) => JSON.stringify([wire.account().name, folder]);

  async function updated(key: string, memory: Memory, signal: AbortSignal): Promise<Tree | undefined> {
    const isFresh = Date.now() - memory.walkedAt < wire.limits.listingMaxAgeMs;
    if (!memory.settled || !isFresh) return undefined;
    const tree = treeOf(memory);
    const askedAt = Date.now();
    const news = await changesSince(wire, memory.token, memory.root.driveId, signal).catch(() => {
      throwIfAborted(signal);
      return undefined;
    });
    if (news === undefined || (news.ofDrives && memory.root.driveId !== null)) return undefined;
    if (news.changes.length === 0) return tree;
    const next = applyChanges(tree, memory.root.way, news.changes);
    if (next !== undefined) {
      await memories.write(key, { ...memory, ...storedTree(next), token: news.token, tokenAt: askedAt });
    }
    return next;
  }

  async function walked(folder: string, key: string, former: Memory | undefined, signal: AbortSignal): Promise<Tree> {
    const root = await resolveFolder(wire, folder, signal);
    const now = Date.now();
    const age = former === undefined || former.root.id !== root.id ? -1 : now - former.tokenAt;
    const isSettled = former !== undefined && age >= wire.limits.listingSettleMs && age < wire.limits.listingMaxAgeMs;
    // Before the walk, so that what happens meanwhile is told by the changes.
    const token = isSettled ? former.token : await startToken(wire, root.driveId, signal);
    const tree = await walk(wire, root, signal);
    if (isRememberable(root, tree)) {
      const tokenAt = isSettled ? former.tokenAt : now;
      const kept = { version: 1 as const, root: { ...root, way: [...root.way] }, token, tokenAt, walkedAt: now, settled: isSettled };
      await memories.write(key, { ...kept, ...storedTree(tree) });
    } else {
      await memories.remove(key);
    }
    return tree;
  }

  return async (folder, signal) => {
    throwIfAborted(signal);
    const key = keyOf(folder);
    const memory = await memories.read(key);
    const tree = memory === undefined ? undefined : await updated(key, memory, signal);
    return tree ?? walked(folder, key, memory, signal);
  };
}

/** One feed tells of all of it: nothing lies in another drive than the folder itself. */
function isRememberable(root: ResolvedFolder, { items }: Tree): boolean {
  return items.size <= MOST_ITEMS && [...items.values()].every(({ driveId }) => driveId === root.driveId);
}

function treeOf({ root, items, folders }: Memory): Tree {
  return { root: root.id, items: new Map(items.map((item) => [item.id, item])), folders: new Set(folders) };
}

function storedTree({ items, folders }: Tree): Pick<Memory, "items" | "folders"> {
  return { items: [...items.values()].map((item) => ({ ...item, parents: [...item.parents] })), folders: [...folders] };
}
