import { describe, expect, it } from "vitest";
import type { Columns } from "../../../src/protocol/monitor-messages.ts";
import { metricsCsv } from "../../../webview/monitor/csv.ts";
import { chartOf, isLossLike, SeriesStore } from "../../../webview/monitor/series-store.ts";

const T0 = Date.parse("2026-11-24T12:00:00Z");
const columns = (attempt: string, steps: number[], values: Record<string, number[]>): Columns => ({
  attempt,
  steps: Float64Array.from(steps),
  times: Float64Array.from(steps, (step) => T0 + step * 1000),
  values: Object.fromEntries(Object.entries(values).map(([name, column]) => [name, Float64Array.from(column)])),
});

describe("the points of a job", () => {
  it("grow as they come, over steps and over time", () => {
    const store = new SeriesStore();
    for (let from = 0; from < 5_000; from += 100) {
      const steps = Array.from({ length: 100 }, (_, index) => from + index);
      store.add([columns("001-a", steps, { loss: steps.map((step) => -step) })], false);
    }
    const curve = store.curve("001-a", "loss", "step");
    expect(curve?.y).toHaveLength(5_000);
    expect(curve?.y.at(-1)).toBe(-4_999);
    expect(store.curve("001-a", "loss", "time")?.x.at(-1)).toBe(T0 + 4_999_000);
  });

  it("have gaps where a metric came later, or stayed away", () => {
    const store = new SeriesStore();
    store.add([columns("001-a", [1, 2], { loss: [3, 2] })], false);
    store.add([columns("001-a", [3], { auc: [0.7] })], false);
    expect([...(store.curve("001-a", "loss", "step")?.y ?? [])]).toEqual([3, 2, Number.NaN]);
    expect([...(store.curve("001-a", "auc", "step")?.y ?? [])]).toEqual([Number.NaN, Number.NaN, 0.7]);
  });

  it("are replaced by a whole answer", () => {
    const store = new SeriesStore();
    store.add([columns("001-a", [1], { loss: [3] })], false);
    store.add([columns("002-b", [1], { loss: [3] })], true);
    expect(store.attempts).toEqual(["002-b"]);
    expect(store.version).toBe(2);
  });

  it("name losses first", () => {
    const store = new SeriesStore();
    store.add([columns("001-a", [1], { auc: [1], accuracy: [1], val_loss: [1], loss: [1] })], false);
    expect(store.names).toEqual(["loss", "val_loss", "accuracy", "auc"]);
  });
});

it("puts the splits of one metric into one chart", () => {
  expect(["loss", "val_loss", "train/loss", "validation_auc", "values"].map(chartOf)).toEqual(["loss", "loss", "loss", "auc", "values"]);
  expect(["loss", "val_mae", "auc"].map(isLossLike)).toEqual([true, true, false]);
});

it("writes metrics as CSV, and no formula with them", () => {
  const store = new SeriesStore();
  store.add([columns("001-a", [1, 2], { loss: [0.5, Number.NaN], '=HYPERLINK("x")': [1, 2] })], false);
  expect(metricsCsv(store)).toBe(
    [
      `attempt,step,time,loss,"'=HYPERLINK(""x"")"`,
      "001-a,1,2026-11-24T12:00:01.000Z,0.5,1",
      "001-a,2,2026-11-24T12:00:02.000Z,,2",
      "",
    ].join("\r\n"),
  );
});
