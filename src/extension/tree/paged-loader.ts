/** Loads a long list a page at a time and keeps what it has. Pure: tested without the editor. */
import type { PageResult } from "../../protocol/messages.ts";

export type FetchPage<T> = (params: { readonly limit: number; readonly cursor?: string }) => Promise<PageResult<T>>;

/** One request at a time: calls while one is under way wait for it. After a failure the items stay, and the next call tries again. */
export class PagedLoader<T> {
  readonly #fetch: FetchPage<T>;
  readonly #pageSize: () => number;
  #items: readonly T[] = [];
  #cursor: string | undefined;
  #loaded = false;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(fetch: FetchPage<T>, pageSize: () => number) {
    this.#fetch = fetch;
    this.#pageSize = pageSize;
  }

  get hasMore(): boolean {
    return this.#cursor !== undefined;
  }

  /** What is loaded so far; the first page when nothing is. */
  items(): Promise<readonly T[]> {
    return this.#inTurn(async () => {
      if (!this.#loaded) await this.#load(1);
      return this.#items;
    });
  }

  loadMore(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#loaded && this.#cursor === undefined) return;
      const page = await this.#fetchPage(this.#cursor);
      this.#items = [...this.#items, ...page.items];
      this.#cursor = page.cursor;
      this.#loaded = true;
    });
  }

  /** The next {@link items} reads again, as many as there were. */
  invalidate(): void {
    this.#loaded = false;
  }

  async #load(atLeast: number): Promise<void> {
    const wanted = Math.max(atLeast, this.#items.length);
    const items: T[] = [];
    let cursor: string | undefined;
    do {
      const page = await this.#fetchPage(cursor);
      items.push(...page.items);
      cursor = page.cursor;
    } while (cursor !== undefined && items.length < wanted);
    this.#items = items;
    this.#cursor = cursor;
    this.#loaded = true;
  }

  #fetchPage(cursor: string | undefined): Promise<PageResult<T>> {
    const limit = this.#pageSize();
    return this.#fetch(cursor === undefined ? { limit } : { limit, cursor });
  }

  #inTurn<R>(work: () => Promise<R>): Promise<R> {
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => undefined);
    return result;
  }
}
