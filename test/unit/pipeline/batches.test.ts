import { describe, expect, it } from "vitest";
import { inBatches } from "../../../src/pipeline/batches.ts";

const MIB = 1024 * 1024;
const identity = (size: number) => size;

describe("cutting files into units", () => {
  it("makes no unit of nothing", () => {
    expect(inBatches([], identity)).toEqual([]);
  });

  it("puts up to 2,000 small files into one unit, in their order", () => {
    const sizes = Array.from({ length: 4_001 }, (_, index) => index);
    const batches = inBatches(sizes, identity);
    expect(batches.map((batch) => batch.length)).toEqual([2000, 2000, 1]);
    expect(batches.flat()).toEqual(sizes);
  });

  it("ends a unit before it exceeds 256 MiB", () => {
    expect(inBatches([100 * MIB, 156 * MIB, 1], identity)).toEqual([[100 * MIB, 156 * MIB], [1]]);
  });

  it("gives a file that is larger than a unit one of its own", () => {
    expect(inBatches([1, 2048 * MIB, 2], identity)).toEqual([[1], [2048 * MIB], [2]]);
  });
});
