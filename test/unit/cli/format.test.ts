import { describe, expect, it } from "vitest";
import {
  flattenDetails,
  formatCommits,
  formatDuration,
  formatTime,
  formatTotals,
  runDuration,
  stageLabel,
  toneOf,
} from "../../../src/cli/output/format.ts";
import type { RunRecord } from "../../../src/domain/run.ts";

describe("formats", () => {
  it("write numbers, bytes and durations as people read them", () => {
    expect(formatTotals({ inputs: 1234, inputBytes: 5_600_000, outputs: 2, outputBytes: 0 })).toBe("1,234 in (5.6 MB) → 2 out (0 B)");
    expect(formatDuration(184_000)).toBe("3m 4s");
    expect(formatDuration(-5)).toBe("0ms");
    expect(stageLabel("staging")).toBe("3/7 staging");
  });

  it("give the wall-clock time here, and what is not a time as it is", () => {
    expect(formatTime("2026-11-24T15:30:12.345Z")).toMatch(/^2026-11-2[345] \d\d:\d\d:\d\d$/u);
    expect(formatTime(null)).toBe("–");
    expect(formatTime("yesterday\u001b")).toBe(String.raw`yesterday\u{1b}`);
  });

  it("shorten commits and show a missing one", () => {
    expect(formatCommits("a".repeat(40), null)).toBe("aaaaaaa → –");
    expect(formatCommits(null, null)).toBe("–");
  });

  it("give a state its tone", () => {
    expect((["succeeded", "failed", "executing", "unchanged", "cancelled"] as const).map(toneOf)).toEqual([
      "good",
      "bad",
      "busy",
      "quiet",
      "quiet",
    ]);
  });
});

describe("runDuration", () => {
  const run = { startedAt: "2026-11-24T10:00:00Z", finishedAt: null } as RunRecord;
  it("counts to now while the run is at work, to its end afterwards", () => {
    expect(runDuration(run, Date.parse("2026-11-24T10:00:05Z"))).toBe(5_000);
    expect(runDuration({ ...run, finishedAt: "2026-11-24T10:00:02Z" }, Date.parse("2026-11-24T11:00:00Z"))).toBe(2_000);
    expect(runDuration({ ...run, startedAt: null }, 0)).toBeUndefined();
  });
});

describe("flattenDetails", () => {
  it("turns nested facts into paths, lists into their items or their length", () => {
    const details = {
      metrics: { auc: 0.812_345_678, n: 10 },
      splits: ["train", "test"],
      rows: Array.from({ length: 9 }, () => 1),
      none: null,
    };
    expect(flattenDetails(details)).toEqual([
      ["metrics.auc", "0.812346"],
      ["metrics.n", "10"],
      ["splits", "train, test"],
      ["rows", "9 entries"],
    ]);
  });

  it("stops at the limit", () => {
    expect(flattenDetails({ a: 1, b: 2, c: 3 }, 2)).toHaveLength(2);
  });
});
