/**
 * First pages of folders for the tree of buckets, at once. A store may need seconds for the first page of a large folder (MinIO reads and
 * sorts all of a folder before it tells its beginning), so what was seen last is shown while the store is asked again. Only the tree takes
 * remembered pages; whatever decides or checks something reads for real.
 */
import pLimit from "p-limit";
import type { BucketName } from "../../domain/stage.ts";
import type { ListingRead, ObjectEntry, PageResult } from "../../protocol/messages.ts";
import { createPageMemory, type FirstPage, type Place, type PlacedPage, placeKey } from "./memory.ts";
import { createSharedReads } from "./shared-reads.ts";

/** A page this young is not asked for again: whoever was told that it changed asks for it right then. */
const FRESH_MS = 2_000;
/** Folders of one page that are read ahead. */
const FOLDERS_AHEAD = 8;

export interface ShownPage extends FirstPage {
  /** The store is being asked again; what comes of it is told to those who listen. */
  readonly isBeingRead: boolean;
}

export interface FirstPages {
  /** What is remembered, at once, and read again behind it; else what the store says now. @throws EdaError as the store does */
  show(place: Place, signal: AbortSignal): Promise<ShownPage>;
  /** What the store says from now on; remembered. @throws EdaError as the store does */
  read(place: Place, signal: AbortSignal): Promise<ShownPage>;
  /** Reads a page and those of its first folders, unless remembered, one after the other and behind what people wait for. */
  readAhead(place: Place, signal: AbortSignal): Promise<void>;
  /** Forgets what a run of this project may have changed, and reads it ahead again. */
  changed(project: string, buckets: readonly BucketName[]): Promise<void>;
  onRead(listener: (read: ListingRead) => void): () => void;
  /** What is remembered, for the next host. Reads under way end. */
  close(): readonly PlacedPage[];
}

export interface FirstPagesOptions {
  readonly list: (place: Place, signal: AbortSignal) => Promise<PageResult<ObjectEntry>>;
  /** Of an earlier host. */
  readonly kept?: readonly PlacedPage[];
}

export function openFirstPages({ list, kept = [] }: FirstPagesOptions): FirstPages {
  const memory = createPageMemory(kept);
  const reads = createSharedReads<PlacedPage>((_, { place, page }) => memory.set(place, page));
  const listeners = new Set<(read: ListingRead) => void>();
  const closing = new AbortController();
  const readAgain = new Set<string>();
  const waitedFor = new Set<Promise<unknown>>();
  const oneAtATime = pLimit(1);

  async function now(place: Place, signal: AbortSignal): Promise<FirstPage> {
    const { page } = await reads.join(placeKey(place), AbortSignal.any([signal, closing.signal]), async (shared) => {
      const readAt = new Date().toISOString();
      return { place, page: { ...(await list(place, shared)), readAt } };
    });
    return page;
  }

  async function awaited(place: Place, signal: AbortSignal): Promise<ShownPage> {
    const reading = now(place, signal);
    waitedFor.add(reading);
    try {
      return { ...(await reading), isBeingRead: false };
    } finally {
      waitedFor.delete(reading);
    }
  }

  function ahead(place: Place, signal: AbortSignal): Promise<FirstPage> {
    return oneAtATime(async () => {
      while (waitedFor.size > 0) await Promise.allSettled(waitedFor);
      return memory.has(place) ? (memory.get(place) as FirstPage) : now(place, signal);
    });
  }

  /** A store that cannot be asked is shown as such: the page is forgotten, and whoever asks again hears why. */
  async function refresh(place: Place, known: FirstPage): Promise<void> {
    const key = placeKey(place);
    if (readAgain.has(key)) return;
    readAgain.add(key);
    const changed = await now(place, closing.signal).then(
      (page) => !isSame(known, page),
      () => {
        memory.delete(place);
        return true;
      },
    );
    readAgain.delete(key);
    if (closing.signal.aborted) return;
    for (const listener of listeners) listener({ bucket: place.bucket, prefix: place.prefix, changed });
  }

  async function readAhead(place: Place, signal: AbortSignal): Promise<void> {
    const { items } = await ahead(place, signal);
    const folders = items.filter(({ type }) => type === "prefix").slice(0, FOLDERS_AHEAD);
    for (const { key } of folders) await ahead({ ...place, prefix: key }, signal);
  }

  return {
    async show(place, signal) {
      const known = memory.get(place);
      if (known === undefined) return awaited(place, signal);
      const isBeingRead = Date.now() - Date.parse(known.readAt) > FRESH_MS;
      if (isBeingRead) void refresh(place, known);
      return { ...known, isBeingRead };
    },
    read(place, signal) {
      // One that began before the question may miss what the question is about.
      const asked = placeKey(place);
      reads.part((key) => key === asked);
      return awaited(place, signal);
    },
    readAhead,
    async changed(project, buckets) {
      const home = `${project}/`;
      const touched = memory
        .all()
        .map(({ place }) => place)
        .filter(({ bucket, prefix }) => buckets.includes(bucket) && (prefix.startsWith(home) || home.startsWith(prefix)));
      const parted = new Set(touched.map(placeKey));
      reads.part((key) => parted.has(key));
      for (const place of touched) memory.delete(place);
      for (const place of touched.reverse().slice(0, FOLDERS_AHEAD)) await readAhead(place, closing.signal);
    },
    onRead(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close() {
      closing.abort();
      listeners.clear();
      return memory.all();
    },
  };
}

/** Cursors are left out: a store may name its own work in them. */
function isSame(one: FirstPage, other: FirstPage): boolean {
  const text = ({ items, cursor }: FirstPage) => JSON.stringify([items, cursor === undefined]);
  return text(one) === text(other);
}
