import { describe, expect, it } from "vitest";
import { withEnded } from "../../../src/extension/pipeline-model.ts";
import { projectRow, stageRow } from "../../../src/extension/text/pipeline.ts";
import { projectStatus, runRecord, runSummary, stageStatus } from "../../support/run-records.ts";

const NOW = Date.parse("2026-11-24T14:00:10.000Z");

describe("the row of a stage", () => {
  it.each([
    ["never", "not run yet", "circle-large-outline"],
    ["fresh", "up to date · 2 hr. ago", "pass-filled"],
    ["stale", "out of date · 2 hr. ago", "history"],
    ["unknown", "2 hr. ago", "circle-outline"],
    ["invalid", "project file is not valid", "warning"],
  ] as const)("says that it is %s", (freshness, description, icon) => {
    const lastRun = freshness === "never" ? null : runRecord();
    expect(stageRow(stageStatus({ freshness, lastRun }), undefined, NOW)).toMatchObject({
      label: "3 · Staging",
      description,
      icon: { id: icon },
      context: lastRun === null ? "stage.idle" : "stage.idle.ran",
    });
  });

  it("says that the last attempt failed, whatever was made before it", () => {
    const row = stageRow(stageStatus({ freshness: "stale", lastRun: runRecord({ state: "failed" }) }), undefined, NOW);
    expect(row).toMatchObject({ description: "failed · 2 hr. ago", icon: { id: "error" } });
  });

  it("does not count an attempt that never began", () => {
    const error = { kind: "cancelled", code: "not-started", message: "Not started." } as const;
    const row = stageRow(stageStatus({ freshness: "fresh", lastRun: runRecord({ state: "cancelled", error }) }), undefined, NOW);
    expect(row.description).toBe("up to date · 2 hr. ago");
  });

  it("names an invalid project file before any earlier failure", () => {
    const row = stageRow(stageStatus({ freshness: "invalid", lastRun: runRecord({ state: "failed" }) }), undefined, NOW);
    expect(row.description).toBe("project file is not valid");
  });

  it("shows the run at work, and offers to cancel instead of to run", () => {
    const live = { state: "executing", progress: { done: 3, total: 4, unit: "files", label: "" } } as const;
    expect(stageRow(stageStatus(), live, NOW)).toMatchObject({
      description: "75% · 3 of 4 files",
      context: "stage.running.ran",
      icon: { id: "sync~spin" },
    });
  });

  it("says why it is out of date when the pointer rests on it", () => {
    expect(stageRow(stageStatus({ freshness: "stale", reason: "2 new or changed file(s)" }), undefined, NOW).tooltip).toContain(
      "2 new or changed file(s)",
    );
  });
});

describe("the row of a project", () => {
  it("shows its title while all is well", () => {
    expect(projectRow(projectStatus())).toMatchObject({ label: "lojas", description: "Pedidos de duas lojas", icon: { id: "project" } });
  });

  it("counts stages that are out of date", () => {
    const stages = [stageStatus({ freshness: "stale" }), stageStatus({ stage: "deploy", freshness: "stale" })];
    expect(projectRow(projectStatus({ stages })).description).toBe("stages out of date: 2");
  });

  it("counts mistakes of the project file first, and lists them", () => {
    const row = projectRow(projectStatus({ problems: [{ message: "unknown key", at: { file: "configs/projects/lojas.yaml", line: 3 } }] }));
    expect(row).toMatchObject({ description: "problems in the project file: 1", icon: { id: "warning" } });
    expect(row.tooltip).toContain("• unknown key");
  });
});

describe("the end of a run", () => {
  it("shows at once in its stage, and nowhere else", () => {
    const activeRun = runRecord({ state: "executing", finishedAt: null });
    const before = projectStatus({ stages: [stageStatus({ stage: "ingest" }), stageStatus({ activeRun, freshness: "stale" })] });
    const after = withEnded(before, runSummary(), new Date("2026-11-24T14:00:00.000Z"));
    expect(after.stages[0]).toBe(before.stages[0]);
    expect(after.stages[1]).toMatchObject({
      activeRun: null,
      freshness: "fresh",
      lastRun: { state: "succeeded", finishedAt: "2026-11-24T14:00:00.000Z" },
    });
  });

  it("leaves a stage out of date when the run failed", () => {
    const activeRun = runRecord({ state: "executing", finishedAt: null });
    const before = projectStatus({ stages: [stageStatus({ activeRun, freshness: "stale" })] });
    expect(withEnded(before, runSummary({ state: "failed" }), new Date()).stages[0]).toMatchObject({
      freshness: "stale",
      lastRun: { state: "failed" },
    });
  });

  it("is nobody else's business", () => {
    const status = projectStatus();
    expect(withEnded(status, runSummary({ project: "other" }), new Date())).toBe(status);
  });
});
