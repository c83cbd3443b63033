import { randomInt } from "node:crypto";
import type { ErrorDocument } from "./errors.ts";
import type { JsonObject } from "./json.ts";
import type { StageId } from "./stage.ts";

/**
 * States of a run, in the order of its life. Terminal: `succeeded`, `unchanged`, `failed`, `cancelled`.
 * `waiting` is a run behind another one of the same project and stage.
 */
export type RunState =
  | "waiting"
  | "planning"
  | "committing-before"
  | "executing"
  | "publishing"
  | "committing-after"
  | "succeeded"
  | "unchanged"
  | "failed"
  | "cancelled";

export const TERMINAL_STATES: readonly RunState[] = ["succeeded", "unchanged", "failed", "cancelled"];

export function isTerminal(state: RunState): boolean {
  return TERMINAL_STATES.includes(state);
}

/** What a person asked for. */
export interface RunRequest {
  readonly run: string;
  readonly project: string;
  readonly stage: StageId;
  /** Run even when inputs and code are unchanged. */
  readonly force: boolean;
  /** Who asked: operating-system user or editor identity. */
  readonly actor: string;
}

/** Counts, bytes and duration of a run, as listed. Bytes are content bytes, without aliases. */
export interface RunTotals {
  readonly inputs: number;
  readonly inputBytes: number;
  readonly outputs: number;
  readonly outputBytes: number;
}

/** One execution as recorded (`execucoes`). */
export interface RunRecord extends RunRequest {
  readonly state: RunState;
  readonly commitBefore: string | null;
  readonly commitAfter: string | null;
  readonly totals: RunTotals | null;
  /** Hash over inputs and code that decides whether a later run has anything to do. */
  readonly fingerprint: string | null;
  readonly error: ErrorDocument | null;
  /** Stage-specific facts worth showing: rejected rows, metrics, accelerator. */
  readonly details: JsonObject;
  /** ISO 8601, UTC. */
  readonly requestedAt: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
}

/** A line of a run's log. */
export interface LogLine {
  readonly run: string;
  /** Position in the run's log, from 1. With the run it identifies the line: writing it again changes nothing. */
  readonly sequence: number;
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly level: "debug" | "info" | "warn" | "error";
  readonly message: string;
}

/** Progress inside a state: units done of total, with what is being done now. */
export interface RunProgress {
  readonly done: number;
  readonly total: number;
  readonly unit: "files" | "bytes" | "rows" | "steps";
  readonly label: string;
}

/** What watchers of a run receive, in order. The last one is always a summary. */
export type RunEvent =
  | { readonly type: "state"; readonly runId: string; readonly stage: StageId; readonly state: RunState; readonly message?: string }
  | { readonly type: "progress"; readonly runId: string; readonly stage: StageId; readonly progress: RunProgress }
  | { readonly type: "log"; readonly runId: string; readonly line: LogLine }
  | ({ readonly type: "summary" } & RunSummary);

/** The last event of `eda run --json` (contract: runId, state, commitBefore, commitAfter, inputs, outputs). */
export interface RunSummary {
  readonly runId: string;
  readonly project: string;
  readonly stage: StageId;
  readonly state: RunState;
  readonly commitBefore: string | null;
  readonly commitAfter: string | null;
  /** Assets read. */
  readonly inputs: number;
  /** Objects made. */
  readonly outputs: number;
  readonly totals: RunTotals | null;
  readonly details: JsonObject;
  readonly error: ErrorDocument | null;
}

/** The record of a run that was asked for and has not begun. @param requestedAt ISO 8601, UTC */
export function requestedRecord(request: RunRequest, requestedAt: string): RunRecord {
  return {
    ...request,
    state: "waiting",
    commitBefore: null,
    commitAfter: null,
    totals: null,
    fingerprint: null,
    error: null,
    details: {},
    requestedAt,
    startedAt: null,
    finishedAt: null,
  };
}

export function summaryOf(record: RunRecord): RunSummary {
  return {
    runId: record.run,
    project: record.project,
    stage: record.stage,
    state: record.state,
    commitBefore: record.commitBefore,
    commitAfter: record.commitAfter,
    inputs: record.totals?.inputs ?? 0,
    outputs: record.totals?.outputs ?? 0,
    totals: record.totals,
    details: record.details,
    error: record.error,
  };
}

/** Readable, sortable run id: `20261124-153012-k3f9qz` (UTC second and 31 bits of randomness). */
export function newRunId(now: Date): string {
  const stamp = now.toISOString().replace(/[-:]/gu, "").replace("T", "-").slice(0, 15);
  const random = randomInt(36 ** 6)
    .toString(36)
    .padStart(6, "0");
  return `${stamp}-${random}`;
}

export function isRunId(text: string): boolean {
  return /^\d{8}-\d{6}-[0-9a-z]{6}$/u.test(text);
}
