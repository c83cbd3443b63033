/** Run records and what goes with them, as the host would answer them. */
import type { RunRecord, RunSummary } from "../../src/domain/run.ts";
import { summaryOf } from "../../src/domain/run.ts";
import { STAGES } from "../../src/domain/stage.ts";
import type { ProjectStatus, StageStatus } from "../../src/protocol/messages.ts";

/** A run of ten seconds that ended well, at 12:00:10 UTC. */
export function runRecord(change: Partial<RunRecord> = {}): RunRecord {
  return {
    run: "20261124-120000-abc123",
    project: "lojas",
    stage: "staging",
    force: false,
    actor: "ana",
    state: "succeeded",
    commitBefore: "1".repeat(40),
    commitAfter: "2".repeat(40),
    totals: { inputs: 3, inputBytes: 1_500_000, outputs: 2, outputBytes: 800 },
    fingerprint: "f".repeat(64),
    error: null,
    details: {},
    requestedAt: "2026-11-24T11:59:59.000Z",
    startedAt: "2026-11-24T12:00:00.000Z",
    finishedAt: "2026-11-24T12:00:10.000Z",
    ...change,
  };
}

export function runSummary(change: Partial<RunRecord> = {}): RunSummary {
  return summaryOf(runRecord(change));
}

export function stageStatus(change: Partial<StageStatus> = {}): StageStatus {
  return { stage: "staging", lastRun: runRecord(), activeRun: null, freshness: "fresh", reason: null, ...change };
}

/** All seven stages, never run unless said otherwise. */
export function projectStatus(change: Partial<ProjectStatus> = {}): ProjectStatus {
  const stages = STAGES.map(({ id }) => stageStatus({ stage: id, lastRun: null, freshness: "never" }));
  return { project: "lojas", title: "Pedidos de duas lojas", problems: [], stages, ...change };
}
