/** Walking stored keys in UTF-8 byte order, without ever holding all names of a large folder. */
import { opendir } from "node:fs/promises";
import { join } from "node:path";
import { type Entry, parseEntry } from "./object-layout.ts";
import { isMissing } from "./system-errors.ts";

export interface WalkRequest {
  /** Keys that start with it. */
  readonly prefix: string;
  /** Only what comes after this key (or, hierarchically, after this prefix and everything below it). */
  readonly after?: string;
  /** Stop at the next `/` after the prefix instead of going below it. */
  readonly hierarchical: boolean;
}

/** A key with the folder of its versions, or a group of keys with the folder they lie in. */
export interface Walked {
  readonly type: "object" | "prefix";
  readonly name: string;
  readonly folder: string;
}

/** Names held at a time, at first (a page often needs no more) and at most (each further window reads the folder again). */
const FIRST_WINDOW = 2_048;
const LARGEST_WINDOW = 65_536;

export async function* walkKeys(bucketFolder: string, request: WalkRequest): AsyncGenerator<Walked> {
  yield* walkFolder(bucketFolder, "", request);
}

/** @param base what all keys below the folder start with */
async function* walkFolder(folder: string, base: string, request: WalkRequest): AsyncGenerator<Walked> {
  for await (const { mark, text } of sortedEntries(folder, (entry) => isWanted(entry, base, request))) {
    if (mark === "=") {
      yield { type: "object", name: base + text, folder: join(folder, `=${text}`) };
      continue;
    }
    const below = mark === "+" ? `${base}${text}/` : base + text;
    const inner = join(folder, mark + text);
    if (mark === "+" && request.hierarchical && below.length > request.prefix.length) yield { type: "prefix", name: below, folder: inner };
    else yield* walkFolder(inner, below, request);
  }
}

function isWanted({ mark, text }: Entry, base: string, { prefix, after, hierarchical }: WalkRequest): boolean {
  if (mark === "=") return (base + text).startsWith(prefix) && (after === undefined || compareBytes(base + text, after) > 0);
  const below = mark === "+" ? `${base}${text}/` : base + text;
  if (!below.startsWith(prefix) && !prefix.startsWith(below)) return false;
  if (after === undefined) return true;
  const isGroup = mark === "+" && hierarchical && below.length > prefix.length;
  // A folder that the last page stopped in, or one that comes after it.
  return (!isGroup && after.startsWith(below)) || compareBytes(below, after) > 0;
}

async function* sortedEntries(folder: string, isWantedEntry: (entry: Entry) => boolean): AsyncGenerator<Entry> {
  let window = FIRST_WINDOW;
  let after: Buffer | undefined;
  while (true) {
    const { entries, complete } = await smallestEntries(
      folder,
      window,
      (entry) => isWantedEntry(entry) && (after === undefined || entry.order.compare(after) > 0),
    );
    yield* entries;
    if (complete) return;
    after = entries.at(-1)?.order;
    window = Math.min(window * 8, LARGEST_WINDOW);
  }
}

/** The first entries of a folder by order; `complete` when there are no others. */
async function smallestEntries(
  folder: string,
  count: number,
  accepts: (entry: Entry) => boolean,
): Promise<{ readonly entries: readonly Entry[]; readonly complete: boolean }> {
  let entries: Entry[] = [];
  let complete = true;
  const keepSmallest = () => {
    entries.sort((a, b) => a.order.compare(b.order));
    if (entries.length <= count) return;
    entries = entries.slice(0, count);
    complete = false;
  };
  try {
    for await (const { name } of await opendir(folder, { bufferSize: 1_024 })) {
      const entry = parseEntry(name);
      if (entry === undefined || !accepts(entry)) continue;
      entries.push(entry);
      if (entries.length >= 2 * count) keepSmallest();
    }
  } catch (error) {
    // Removed while it was walked, or a bucket nothing was ever put into.
    if (!isMissing(error)) throw error;
  }
  keepSmallest();
  return { entries, complete };
}

function compareBytes(a: string, b: string): number {
  return Buffer.from(a).compare(Buffer.from(b));
}
