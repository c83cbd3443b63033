import { describe, expect, it } from "vitest";
import { PaceMeter } from "../../../src/cli/output/rate.ts";

const files = (done: number, total = 100) => ({ done, total, unit: "files" as const, label: "" });

describe("PaceMeter", () => {
  it("knows nothing in the first second", () => {
    const meter = new PaceMeter();
    meter.add(files(0), 0);
    expect(meter.add(files(50), 900)).toEqual({ rate: undefined, left: undefined });
  });

  it("gives units a second and the milliseconds left", () => {
    const meter = new PaceMeter();
    meter.add(files(0), 0);
    expect(meter.add(files(20), 2_000)).toEqual({ rate: 10, left: 8_000 });
  });

  it("looks at the last ten seconds only", () => {
    const meter = new PaceMeter();
    meter.add(files(0, 1000), 0);
    for (let second = 1; second <= 20; second += 1) meter.add(files(second, 1000), second * 1000);
    for (let second = 21; second <= 40; second += 1) meter.add(files(20 + (second - 20) * 30, 1000), second * 1000);
    expect(meter.pace(40_000).rate).toBeCloseTo(30);
  });

  it("starts anew when the work is another one", () => {
    const meter = new PaceMeter();
    meter.add(files(0), 0);
    meter.add(files(90), 5_000);
    expect(meter.add(files(1, 7), 5_100)).toEqual({ rate: undefined, left: undefined });
    meter.add(files(2, 7), 5_200);
    expect(meter.add(files(0, 7), 9_000)).toEqual({ rate: undefined, left: undefined });
  });

  it("has no time left once all is done", () => {
    const meter = new PaceMeter();
    meter.add(files(0), 0);
    expect(meter.add(files(100), 2_000)).toEqual({ rate: 50, left: undefined });
  });
});
