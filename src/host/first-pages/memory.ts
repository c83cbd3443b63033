/** A bounded memory of first pages: the ones looked at longest ago are forgotten first. */
import type { BucketName } from "../../domain/stage.ts";
import type { ObjectEntry } from "../../protocol/messages.ts";

/** All pages together: some ten megabytes. */
const MAX_ITEMS = 20_000;

/** What a first page is of. */
export interface Place {
  readonly bucket: BucketName;
  /** "" for the whole bucket. */
  readonly prefix: string;
  /** Largest number of items in the page, 1 to 1,000. */
  readonly limit: number;
}

export interface FirstPage {
  readonly items: readonly ObjectEntry[];
  /** Where the second page begins; absent when there is none. */
  readonly cursor?: string;
  /** ISO 8601, UTC: when the store was asked. */
  readonly readAt: string;
}

export interface PlacedPage {
  readonly place: Place;
  readonly page: FirstPage;
}

export interface PageMemory {
  get(place: Place): FirstPage | undefined;
  has(place: Place): boolean;
  set(place: Place, page: FirstPage): void;
  delete(place: Place): void;
  /** The one looked at longest ago first. */
  all(): readonly PlacedPage[];
}

export function placeKey({ bucket, prefix, limit }: Place): string {
  return `${bucket}/${limit}/${prefix}`;
}

/** @param kept pages of an earlier memory, in the order of {@link PageMemory.all} */
export function createPageMemory(kept: readonly PlacedPage[], maxItems = MAX_ITEMS): PageMemory {
  // A map keeps the order in which its keys came: whatever is looked at moves to the end.
  const pages = new Map<string, PlacedPage>();
  let items = 0;
  const remove = (key: string) => {
    items -= pages.get(key)?.page.items.length ?? 0;
    pages.delete(key);
  };
  const set = (place: Place, page: FirstPage) => {
    const key = placeKey(place);
    remove(key);
    pages.set(key, { place, page });
    items += page.items.length;
    for (const oldest of pages.keys()) {
      if (items <= maxItems) break;
      remove(oldest);
    }
  };
  for (const { place, page } of kept) set(place, page);
  return {
    get(place) {
      const known = pages.get(placeKey(place));
      if (known !== undefined) set(place, known.page);
      return known?.page;
    },
    has: (place) => pages.has(placeKey(place)),
    set,
    delete: (place) => remove(placeKey(place)),
    all: () => [...pages.values()],
  };
}
