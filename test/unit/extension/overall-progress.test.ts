import { describe, expect, it } from "vitest";
import { decisive, overallProgress } from "../../../src/extension/runs/overall-progress.ts";
import type { LiveRun } from "../../../src/extension/runs/run-tracker.ts";
import { runSummary } from "../../support/run-records.ts";

const waiting: LiveRun = { run: "2", project: "lojas", stage: "staging", state: "waiting" };

describe("one bar for several runs", () => {
  it("shows the one at work, and counts the ended ones whole", () => {
    const working: LiveRun = {
      run: "1",
      project: "lojas",
      stage: "ingest",
      state: "executing",
      progress: { done: 1, total: 2, unit: "files", label: "" },
    };
    expect(overallProgress(4, 1, [waiting, working])).toEqual({ message: "2/7 Ingest: 50% · 1 of 2 files", percent: 37.5 });
  });

  it("says that the first of them waits when none is at work", () => {
    expect(overallProgress(2, 0, [waiting])).toEqual({ message: "3/7 Staging: waiting", percent: 0 });
  });

  it("is full at the end", () => {
    expect(overallProgress(2, 2, [])).toEqual({ message: "", percent: 100 });
  });
});

describe("the run a person wants to hear of", () => {
  const good = runSummary();
  const failed = runSummary({ state: "failed" });
  const notStarted = runSummary({ state: "cancelled", error: { kind: "cancelled", code: "not-started", message: "Not started." } });
  const cancelled = runSummary({ state: "cancelled" });

  it("is the one that failed, not the ones behind it that never started", () => {
    expect(decisive([good, failed, notStarted])).toBe(failed);
  });

  it("is the one that somebody cancelled", () => {
    expect(decisive([good, cancelled, notStarted])).toBe(cancelled);
  });

  it("is the last when all went well", () => {
    expect(decisive([runSummary({ state: "unchanged" }), good])).toBe(good);
    expect(decisive([])).toBeUndefined();
  });
});
