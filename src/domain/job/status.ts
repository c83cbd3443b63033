/**
 * What is known of a job. Facts come from its folder in any order, twice or late; state and reason are judged from them, so that the same
 * facts at the same moment always give the same state. Plain data: it is kept and sent as JSON.
 */
import type { Beat, Done } from "./format.ts";
import { type Reason, reason } from "./reasons.ts";

/** In the order of a job's life. For good: `succeeded`, `cancelled`. A failed job can be resumed. */
export type JobState =
  | "prepared"
  | "waiting"
  | "running"
  | "late"
  | "suspect"
  | "lost"
  | "resuming"
  | "finishing"
  | "succeeded"
  | "failed"
  | "cancelled";

export interface Problem {
  /** Stable, kebab-case. */
  readonly code: string;
  readonly message: string;
  readonly todo: string;
}

/** A beat without its points: those are the curve's, not the state's. */
export type LastBeat = Omit<Beat, "points">;

export interface AttemptStatus {
  /** `001-9f3a1c7e` */
  readonly attempt: string;
  /** First thing known of it, by the runtime's clock. ISO 8601. */
  readonly startedAt: string;
  /** Null when DONE.json came before any beat. */
  readonly lastBeat: LastBeat | null;
  /** When it was last known to live, by our own clock. Milliseconds since 1970. */
  readonly aliveAt: number;
  /** How far its clock is ahead of ours at least. Milliseconds. */
  readonly aheadMs: number;
  readonly done: Done | null;
  /** Why its results are not taken. */
  readonly refused: Problem | null;
}

export interface JobStatus {
  readonly state: JobState;
  /** When the state began. ISO 8601. */
  readonly since: string;
  readonly reason: Reason;
  /** What else a person should know. */
  readonly notes: readonly Reason[];
  /** Ordered by id. */
  readonly attempts: readonly AttemptStatus[];
  /** The attempt whose results are brought back. Once it is there, no other one can be. */
  readonly winner: string | null;
  readonly submitted: boolean;
  readonly verified: boolean;
  readonly cancelAsked: boolean;
  /** @property after the attempt that a new one follows @property at milliseconds since 1970 */
  readonly resumeAsked: { readonly at: number; readonly after: string | null } | null;
  /** Told by the trainer: the runtime could not be had, the folder is gone. */
  readonly problem: Problem | null;
}

export type JobEvent =
  /** The trainer has the job where a runtime can take it. */
  | { readonly type: "submitted" }
  /** @property storedAt when the storage took it, by the storage's own clock, if it says; milliseconds since 1970 */
  | { readonly type: "beat"; readonly beat: Beat; readonly storedAt?: number }
  | { readonly type: "done"; readonly done: Done; readonly storedAt?: number }
  /** Every artefact of the winner is here and as its DONE.json says. */
  | { readonly type: "verified"; readonly attempt: string }
  | { readonly type: "refused"; readonly attempt: string; readonly problem: Problem }
  | { readonly type: "failed"; readonly problem: Problem }
  | { readonly type: "cancel-asked" }
  | { readonly type: "resume-asked" }
  /** Time passed. */
  | { readonly type: "tick" };

/** @param now milliseconds since 1970 */
export function preparedJob(now: number): JobStatus {
  return {
    state: "prepared",
    since: new Date(now).toISOString(),
    reason: reason("prepared"),
    notes: [],
    attempts: [],
    winner: null,
    submitted: false,
    verified: false,
    cancelAsked: false,
    resumeAsked: null,
    problem: null,
  };
}

/** Nothing can change it any more. */
export function isClosed(state: JobState): boolean {
  return state === "succeeded" || state === "cancelled";
}

/** Whether {@link JobEvent} `resume-asked` has an effect. */
export function canResume(status: JobStatus): boolean {
  return !status.cancelAsked && ["late", "suspect", "lost", "failed"].includes(status.state);
}

export function canCancel(status: JobStatus): boolean {
  return !status.cancelAsked && !isClosed(status.state) && status.state !== "failed";
}

export function attemptNumber(attempt: string): number {
  return Number(attempt.slice(0, 3));
}

/**
 * The attempt that counts: the highest number, and among those that began at once the first id. eda_job.py goes by the same rule, so that
 * all but one of them stop.
 */
export function currentAttempt(attempts: readonly AttemptStatus[]): AttemptStatus | undefined {
  return attempts.reduce<AttemptStatus | undefined>((best, each) => {
    if (best === undefined) return each;
    const ahead = attemptNumber(each.attempt) - attemptNumber(best.attempt);
    return ahead > 0 || (ahead === 0 && each.attempt < best.attempt) ? each : best;
  }, undefined);
}

/** How far the attempt is, and how long it still takes at the pace so far. Undefined before its first step or without a total. */
export function progressOf(
  attempt: AttemptStatus,
): { readonly step: number; readonly total: number; readonly secondsLeft: number | null } | undefined {
  const beat = attempt.lastBeat;
  if (beat === null || beat.step === null || beat.total === null || beat.total === 0) return undefined;
  const done = beat.step - (beat.resumedFrom?.step ?? 0);
  const seconds = (Date.parse(beat.at) - Date.parse(attempt.startedAt)) / 1_000;
  const secondsLeft = done > 0 && seconds > 0 ? (Math.max(0, beat.total - beat.step) * seconds) / done : null;
  return { step: beat.step, total: beat.total, secondsLeft };
}
