import { describe, expect, it } from "vitest";
import { type FetchPage, PagedLoader } from "../../../src/extension/tree/paged-loader.ts";

/** Serves the numbers 1 to `total`, and remembers what it was asked. */
function numbers(total: number): {
  readonly fetch: FetchPage<number>;
  readonly asked: (string | undefined)[];
  fail: boolean;
  total: number;
} {
  const source = {
    asked: [] as (string | undefined)[],
    fail: false,
    total,
    fetch: async ({ limit, cursor }: { limit: number; cursor?: string }) => {
      source.asked.push(cursor);
      if (source.fail) throw new Error("away");
      const start = Number(cursor ?? 0);
      const items = Array.from({ length: Math.max(0, Math.min(limit, source.total - start)) }, (_, index) => start + index + 1);
      const end = start + items.length;
      return end < source.total ? { items, cursor: String(end) } : { items };
    },
  };
  return source;
}

describe("a paged loader", () => {
  it("loads the first page only when it is asked for items", async () => {
    const source = numbers(5);
    const loader = new PagedLoader(source.fetch, () => 2);
    expect(source.asked).toEqual([]);
    expect(await loader.items()).toEqual([1, 2]);
    expect(loader.hasMore).toBe(true);
    expect(await loader.items()).toEqual([1, 2]);
    expect(source.asked).toEqual([undefined]);
  });

  it("appends a page at a time up to the end, and then asks no more", async () => {
    const source = numbers(5);
    const loader = new PagedLoader(source.fetch, () => 2);
    await loader.items();
    await loader.loadMore();
    await loader.loadMore();
    await loader.loadMore();
    expect(await loader.items()).toEqual([1, 2, 3, 4, 5]);
    expect(loader.hasMore).toBe(false);
    expect(source.asked).toEqual([undefined, "2", "4"]);
  });

  it("never runs two requests at once: two clicks load two different pages", async () => {
    const source = numbers(6);
    const loader = new PagedLoader(source.fetch, () => 2);
    await Promise.all([loader.items(), loader.loadMore(), loader.loadMore()]);
    expect(await loader.items()).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it("reads as many as it had after it was invalidated", async () => {
    const source = numbers(5);
    const loader = new PagedLoader(source.fetch, () => 2);
    await loader.items();
    await loader.loadMore();
    source.total = 9;
    loader.invalidate();
    expect(await loader.items()).toEqual([1, 2, 3, 4]);
    expect(loader.hasMore).toBe(true);
  });

  it("passes a failure on, keeps what it has, and tries again", async () => {
    const source = numbers(4);
    const loader = new PagedLoader(source.fetch, () => 2);
    await loader.items();
    source.fail = true;
    await expect(loader.loadMore()).rejects.toThrow("away");
    expect(await loader.items()).toEqual([1, 2]);
    source.fail = false;
    await loader.loadMore();
    expect(await loader.items()).toEqual([1, 2, 3, 4]);
  });
});
