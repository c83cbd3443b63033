import { describe, expect, it } from "vitest";
import { isRunId, isTerminal, newRunId, type RunRecord, type RunState, summaryOf } from "../../../src/domain/run.ts";

describe("a run id", () => {
  it("begins with the UTC second, so that ids sort by time", () => {
    expect(newRunId(new Date("2026-11-24T12:30:12.999-03:00"))).toMatch(/^20261124-153012-[0-9a-z]{6}$/u);
    const ids = ["2026-11-24T15:30:12Z", "2026-11-24T15:30:13Z", "2027-01-01T00:00:00Z"].map((time) => newRunId(new Date(time)));
    expect([...ids].sort()).toEqual(ids);
  });

  it("differs between runs of one second", () => {
    const now = new Date();
    expect(new Set(Array.from({ length: 1_000 }, () => newRunId(now))).size).toBeGreaterThan(990);
    expect(isRunId(newRunId(now))).toBe(true);
  });

  it.each([
    "",
    "20261124-153012",
    "20261124-153012-K3F9QZ",
    "20261124-153012-k3f9q",
    "x20261124-153012-k3f9qz",
    "20261124-153012-k3f9qz\n",
    "../x",
  ])("is not %j", (text) => {
    expect(isRunId(text)).toBe(false);
  });
});

describe("isTerminal", () => {
  it.each<[RunState, boolean]>([
    ["waiting", false],
    ["planning", false],
    ["committing-before", false],
    ["executing", false],
    ["publishing", false],
    ["committing-after", false],
    ["succeeded", true],
    ["unchanged", true],
    ["failed", true],
    ["cancelled", true],
  ])("of %s is %s", (state, terminal) => {
    expect(isTerminal(state)).toBe(terminal);
  });
});

describe("summaryOf", () => {
  const record: RunRecord = {
    run: "20261124-153012-k3f9qz",
    project: "voos",
    stage: "ingest",
    force: false,
    actor: "ana",
    state: "succeeded",
    commitBefore: "a1",
    commitAfter: "b2",
    totals: { inputs: 3, inputBytes: 30, outputs: 2, outputBytes: 20 },
    fingerprint: "f",
    error: null,
    details: { rejected: 4 },
    requestedAt: "2026-11-24T15:30:12.000Z",
    startedAt: null,
    finishedAt: null,
  };

  it("has what the contract promises", () => {
    expect(summaryOf(record)).toEqual({
      runId: record.run,
      project: "voos",
      stage: "ingest",
      state: "succeeded",
      commitBefore: "a1",
      commitAfter: "b2",
      inputs: 3,
      outputs: 2,
      totals: record.totals,
      details: { rejected: 4 },
      error: null,
    });
  });

  it("counts nothing of a run that never came to count", () => {
    const error = { kind: "precondition", code: "no-commits", message: "x" } as const;
    expect(summaryOf({ ...record, state: "failed", totals: null, error })).toMatchObject({ inputs: 0, outputs: 0, totals: null, error });
  });
});
