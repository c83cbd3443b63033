import { describe, expect, it } from "vitest";
import { type LineageGraph, upstreamOf } from "../../../src/domain/lineage.ts";

function graph(root: string, ...pairs: readonly (readonly [string, string])[]): LineageGraph {
  return { root, edges: pairs.map(([from, to]) => ({ from, to, run: "r" })), runs: [] };
}

describe("assets upstream", () => {
  it("are what the root was made from, nearest first, without the root", () => {
    expect(upstreamOf(graph("m", ["a", "m"], ["b", "m"], ["c", "a"], ["d", "c"]))).toEqual(["a", "b", "c", "d"]);
  });

  it("are each named once, however many ways lead to them", () => {
    expect(upstreamOf(graph("m", ["a", "m"], ["b", "m"], ["c", "a"], ["c", "b"], ["a", "m"]))).toEqual(["a", "b", "c"]);
  });

  it("end on a circle, also one through the root", () => {
    expect(upstreamOf(graph("m", ["a", "m"], ["m", "a"], ["a", "a"]))).toEqual(["a"]);
  });

  it("are none of an asset that nothing was made into", () => {
    expect(upstreamOf(graph("m", ["m", "x"], ["a", "x"]))).toEqual([]);
  });

  it("are found over a chain of 50,000", () => {
    const pairs = Array.from({ length: 50_000 }, (_, index) => [`a${index + 1}`, `a${index}`] as const);
    expect(upstreamOf(graph("a0", ...pairs))).toHaveLength(50_000);
  });
});
