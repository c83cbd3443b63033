import { describe, expect, it } from "vitest";
import { between, extreme, lastValue, smoothed, thinned } from "../../../webview/monitor/curve.ts";

const floats = (...values: number[]) => Float64Array.from(values);
const line = (count: number, y: (index: number) => number) => ({
  x: Float64Array.from({ length: count }, (_, index) => index),
  y: Float64Array.from({ length: count }, (_, index) => y(index)),
});

describe("smoothing", () => {
  it("leaves a curve as it is without weight", () => {
    const y = floats(1, 2, 3);
    expect(smoothed(y, 0)).toBe(y);
  });

  it("has no bias towards zero at the start: a constant stays the constant", () => {
    for (const value of smoothed(floats(5, 5, 5, 5), 0.9)) expect(value).toBeCloseTo(5, 12);
  });

  it("weighs the past, and goes around what has no value", () => {
    const result = smoothed(floats(0, Number.NaN, 1), 0.5);
    expect(result[1]).toBeNaN();
    expect(result[2]).toBeCloseTo(2 / 3, 12);
  });
});

describe("thinning", () => {
  it("leaves short curves alone, but for points without a value", () => {
    expect(thinned({ x: floats(1, 2, 3), y: floats(1, Number.NaN, 3) }, 10)).toEqual({ x: floats(1, 3), y: floats(1, 3) });
  });

  it("keeps exactly the limit, both ends, and the one spike among ten thousand", () => {
    const { x, y } = thinned(
      line(10_000, (index) => (index === 4_321 ? 100 : Math.sin(index / 50))),
      200,
    );
    expect(x).toHaveLength(200);
    expect([x[0], x.at(-1)]).toEqual([0, 9_999]);
    expect(Math.max(...y)).toBe(100);
    expect([...x]).toEqual([...x].toSorted((a, b) => a - b));
  });
});

it("cuts out what is between two ends, with one point more at either side", () => {
  const part = between(
    line(10, (index) => index),
    3.5,
    5.5,
  );
  expect([...part.x]).toEqual([3, 4, 5, 6, 7].filter((each) => each <= 7));
});

it("finds the lowest, the highest and the last value among gaps", () => {
  const curve = { x: floats(1, 2, 3, 4), y: floats(2, Number.NaN, 1, Number.NaN) };
  expect(extreme(curve, "lowest")).toEqual({ x: 3, y: 1 });
  expect(extreme(curve, "highest")).toEqual({ x: 1, y: 2 });
  expect(lastValue(curve.y)).toBe(1);
  expect(extreme({ x: floats(1), y: floats(Number.NaN) }, "lowest")).toBeUndefined();
});
