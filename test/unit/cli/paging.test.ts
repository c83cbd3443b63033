import { describe, expect, it } from "vitest";
import { collectPages } from "../../../src/cli/paging.ts";

/** A list of numbers 0 … total-1 in pages, with the position as cursor; remembers what was asked. */
function pagesOf(total: number) {
  const asked: { limit: number; cursor?: string }[] = [];
  const page = async (params: { limit: number; cursor?: string }) => {
    asked.push(params);
    const start = Number(params.cursor ?? 0);
    const end = Math.min(total, start + params.limit);
    const items = Array.from({ length: end - start }, (_, index) => start + index);
    return end < total ? { items, cursor: String(end) } : { items };
  };
  return { asked, page };
}

describe("collectPages", () => {
  it("asks once for what fits a page and says where the rest begins", async () => {
    const { asked, page } = pagesOf(100);
    const { items, cursor } = await collectPages({ limit: 20 }, page);
    expect(items).toHaveLength(20);
    expect(cursor).toBe("20");
    expect(asked).toEqual([{ limit: 20 }]);
  });

  it("goes on from a cursor", async () => {
    const { items, cursor } = await collectPages({ limit: 20, cursor: "90" }, pagesOf(100).page);
    expect(items).toEqual([90, 91, 92, 93, 94, 95, 96, 97, 98, 99]);
    expect(cursor).toBeNull();
  });

  it("takes a large limit, and everything, in several requests", async () => {
    const large = pagesOf(2000);
    expect((await collectPages({ limit: 1200 }, large.page)).items).toHaveLength(1200);
    expect(large.asked.map(({ limit }) => limit)).toEqual([500, 500, 200]);
    const all = await collectPages({ limit: 1, all: true }, pagesOf(1234).page);
    expect(all.items).toHaveLength(1234);
    expect(all.cursor).toBeNull();
  });
});
