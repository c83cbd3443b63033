import { describe, expect, it } from "vitest";
import { errorText, outcomeText, pipelineOutcomeText, progressText, runRow } from "../../../src/extension/text/runs.ts";
import { runRecord, runSummary } from "../../support/run-records.ts";

/** Five minutes after the end of the run. */
const NOW = Date.parse("2026-11-24T12:05:10.000Z");

describe("progress", () => {
  it("names the state until there is something to count", () => {
    expect(progressText({ state: "committing-before" })).toBe("committing before");
  });

  it("counts bytes as sizes, and the rest as numbers", () => {
    const label = "flights.csv";
    expect(progressText({ state: "executing", progress: { done: 500, total: 2000, unit: "bytes", label } })).toBe(
      "25% · 500 B of 2 kB · flights.csv",
    );
    expect(progressText({ state: "executing", progress: { done: 1500, total: 3000, unit: "rows", label } })).toBe(
      "50% · 1,500 of 3,000 rows · flights.csv",
    );
  });

  it("shows no share of an unknown total, and never more than all of it", () => {
    expect(progressText({ state: "executing", progress: { done: 7, total: 0, unit: "files", label: "" } })).toBe("7 files");
    expect(progressText({ state: "executing", progress: { done: 3, total: 2, unit: "files", label: "" } })).toBe("100% · 3 of 2 files");
  });

  it("defuses control characters in names of files", () => {
    expect(progressText({ state: "executing", progress: { done: 1, total: 2, unit: "files", label: "a\u202eb" } })).toBe(
      "50% · 1 of 2 files · a\\u{202e}b",
    );
  });

  it("says who is waited for", () => {
    expect(progressText({ state: "waiting", message: "waiting for run 1" })).toBe("waiting for run 1");
  });
});

describe("the row of a run", () => {
  it("says when and how long, and leaves success to the icon", () => {
    const row = runRow(runRecord(), undefined, NOW, false);
    expect(row).toMatchObject({ label: "Staging", description: "5 min. ago · 10 sec", icon: { id: "pass" }, context: "run.ended" });
    expect(row.spoken).toBe("Staging, succeeded, 5 min. ago · 10 sec");
  });

  it("names the project only where there are several", () => {
    expect(runRow(runRecord(), undefined, NOW, true).label).toBe("Staging · lojas");
  });

  it("shows the newest of a live run, not what was recorded of it", () => {
    const record = runRecord({ state: "waiting", startedAt: null, finishedAt: null });
    const live = { state: "executing", progress: { done: 1, total: 4, unit: "files", label: "a.csv" } } as const;
    expect(runRow(record, live, NOW, false)).toMatchObject({
      description: "25% · 1 of 4 files · a.csv",
      icon: { id: "sync~spin" },
      context: "run.active",
    });
  });

  it("offers a failed run again, with its error to read", () => {
    const error = { kind: "terminal", code: "missing-column", message: "pedidos.csv lacks a column", todo: "Correct the file." } as const;
    const row = runRow(runRecord({ state: "failed", error }), undefined, NOW, false);
    expect(row.context).toBe("run.ended.again");
    expect(row.description).toMatch(/^failed · /u);
    expect(row.tooltip).toContain("pedidos.csv lacks a column\nCorrect the file.");
  });

  it("tells a stage that never started from one that somebody cancelled", () => {
    const error = { kind: "cancelled", code: "not-started", message: "Not started: stage staging ended as failed." } as const;
    expect(runRow(runRecord({ state: "cancelled", error, startedAt: null }), undefined, NOW, false).description).toBe(
      "not started · 5 min. ago",
    );
    expect(runRow(runRecord({ state: "cancelled" }), undefined, NOW, false).description).toMatch(/^cancelled/u);
  });
});

describe("an error as text", () => {
  it("lists several findings with their places, ten at most", () => {
    const findings = Array.from({ length: 12 }, (_, index) => ({ message: `finding ${index}`, at: { file: "a.yaml", line: index + 1 } }));
    const lines = errorText({
      kind: "precondition",
      code: "invalid-config",
      message: "a.yaml is not valid",
      todo: "Correct it.",
      findings,
    }).split("\n");
    expect(lines).toHaveLength(13);
    expect(lines[1]).toBe("• a.yaml:1: finding 0");
    expect(lines.at(-2)).toBe("… and 2 more");
    expect(lines.at(-1)).toBe("Correct it.");
  });

  it("does not repeat a single finding: the message holds it already", () => {
    const findings = [{ message: "unknown key" }];
    expect(errorText({ kind: "precondition", code: "invalid-config", message: "a.yaml is not valid: unknown key", findings })).toBe(
      "a.yaml is not valid: unknown key",
    );
  });
});

describe("the outcome of a run", () => {
  it("says what was read and made", () => {
    expect(outcomeText(runSummary())).toBe("Staging finished: 3 in (1.5 MB) → 2 out (800 B).");
  });

  it("says what to do about a failure", () => {
    const error = { kind: "terminal", code: "missing-column", message: "No column dia.", todo: "Correct the file." } as const;
    expect(outcomeText(runSummary({ state: "failed", error }))).toBe("Staging failed: No column dia. Correct the file.");
  });

  it("counts what a pipeline did, and does not mention what it did not", () => {
    const done = runSummary();
    const unchanged = runSummary({ state: "unchanged" });
    expect(pipelineOutcomeText("lojas", [done, done])).toBe("lojas: all stages finished.");
    expect(pipelineOutcomeText("lojas", [unchanged, done])).toBe("lojas: stages finished: 1, already up to date: 1.");
    expect(pipelineOutcomeText("lojas", [unchanged, unchanged])).toBe("Nothing to do: all stages are up to date.");
  });
});
