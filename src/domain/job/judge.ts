/** State and reason of a job, from what is known of it at one moment. */
import { acceleratorText } from "./format.ts";
import type { JobLimits } from "./limits.ts";
import { type Reason, reason } from "./reasons.ts";
import { type AttemptStatus, attemptNumber, currentAttempt, type JobState, type JobStatus, type Problem } from "./status.ts";

export type StateLimits = Pick<JobLimits, "lateSeconds" | "suspectSeconds" | "lostSeconds">;

/** A clock that is ahead by less is not worth a word. */
const CLOCK_TOLERANCE_MS = 2 * 60_000;

type Silence = "none" | "late" | "suspect" | "lost";

interface Verdict {
  readonly state: JobState;
  readonly reason: Reason;
}

/** @param now by our own clock, milliseconds since 1970 */
export function judge(job: JobStatus, now: number, limits: StateLimits): JobStatus {
  const silence = (attempt: AttemptStatus) => silenceOf(attempt, now, limits);
  const winner = job.winner ?? findWinner(job.attempts, silence)?.attempt ?? null;
  const { state, reason: why } = verdict({ ...job, winner }, silence);
  return {
    ...job,
    winner,
    state,
    since: state === job.state ? job.since : new Date(now).toISOString(),
    reason: why,
    notes: notesOn(job.attempts, silence),
  };
}

function verdict(job: JobStatus, silence: (attempt: AttemptStatus) => Silence): Verdict {
  const current = currentAttempt(job.attempts);
  const winner = job.attempts.find((each) => each.attempt === job.winner);
  if (job.cancelAsked) return cancelVerdict(job.problem === null ? current : undefined, winner, silence);
  if (winner?.done != null) {
    const number = attemptNumber(winner.attempt);
    if (job.verified) return { state: "succeeded", reason: reason("succeeded", { number, accelerator: acceleratorText(winner.done) }) };
    if (job.problem === null) return { state: "finishing", reason: reason("collecting", { number }) };
  }
  if (job.problem !== null) return { state: "failed", reason: reason("trainer-failed", problemArgs(job.problem)) };
  if (job.resumeAsked !== null && isAwaited(job.resumeAsked, current)) {
    return {
      state: "resuming",
      reason: reason("resume-asked", { number: current === undefined ? 1 : attemptNumber(current.attempt) + 1 }),
    };
  }
  if (current !== undefined) return attemptVerdict(current, silence(current));
  return job.submitted ? { state: "waiting", reason: reason("waiting") } : { state: "prepared", reason: reason("prepared") };
}

/** A beat of the attempt before takes the place of the new one that was asked for, unless it says that the attempt has ended. */
function isAwaited({ at, after }: NonNullable<JobStatus["resumeAsked"]>, current: AttemptStatus | undefined): boolean {
  if ((current?.attempt ?? null) !== after) return false;
  return current === undefined || current.aliveAt <= at || hasEnded(current);
}

/** The person's word counts, also against results that came meanwhile. A runtime that is or may be gone is not waited for. */
function cancelVerdict(
  current: AttemptStatus | undefined,
  winner: AttemptStatus | undefined,
  silence: (attempt: AttemptStatus) => Silence,
): Verdict {
  if (winner !== undefined) {
    return { state: "cancelled", reason: reason("cancelled-though-done", { number: attemptNumber(winner.attempt) }) };
  }
  if (current === undefined || hasEnded(current) || ["suspect", "lost"].includes(silence(current))) {
    return { state: "cancelled", reason: reason("cancelled") };
  }
  const why = reason("cancelling", { number: attemptNumber(current.attempt) });
  return { state: silence(current) === "late" ? "late" : "running", reason: why };
}

function attemptVerdict(attempt: AttemptStatus, silence: Silence): Verdict {
  const number = attemptNumber(attempt.attempt);
  const beat = attempt.lastBeat;
  if (attempt.refused !== null) {
    return { state: "failed", reason: reason("result-refused", { number, ...problemArgs(attempt.refused) }) };
  }
  if (beat?.phase === "failed") return { state: "failed", reason: reason("attempt-failed", { number, ...errorArgs(beat.error) }) };
  if (beat?.phase === "cancelled") return { state: "cancelled", reason: reason("cancelled-at-runtime", { number }) };
  if (silence !== "none") return { state: silence, reason: silenceReason(attempt, silence) };
  if (beat?.phase === "finishing") return { state: "finishing", reason: reason("writing-results", { number }) };
  if (beat?.phase === "starting" || beat === null) {
    const from = beat?.resumedFrom;
    return {
      state: number === 1 ? "running" : "resuming",
      reason: from == null ? reason("starting", { number }) : reason("resuming", { number, step: from.step }),
    };
  }
  return { state: "running", reason: reason("training", { number, accelerator: beat.accelerator?.name ?? "–" }) };
}

function silenceReason(attempt: AttemptStatus, silence: Exclude<Silence, "none">): Reason {
  const time = new Date(attempt.aliveAt).toISOString();
  if (silence !== "lost") return reason(silence, { time });
  if (attempt.lastBeat?.phase === "finishing") return reason("done-missing", { time, number: attemptNumber(attempt.attempt) });
  const checkpoint = attempt.lastBeat?.checkpoint ?? attempt.lastBeat?.resumedFrom;
  return checkpoint == null ? reason("lost-without-checkpoint", { time }) : reason("lost-with-checkpoint", { time, step: checkpoint.step });
}

/**
 * The current attempt, once it has finished. When it cannot any more, the newest of those that have: work that is done is not thrown away.
 */
function findWinner(attempts: readonly AttemptStatus[], silence: (attempt: AttemptStatus) => Silence): AttemptStatus | undefined {
  const current = currentAttempt(attempts);
  if (current === undefined) return undefined;
  if (isDone(current)) return current;
  if (current.refused === null && !hasEnded(current) && silence(current) !== "lost") return undefined;
  return currentAttempt(attempts.filter(isDone));
}

function isDone(attempt: AttemptStatus): boolean {
  return attempt.done !== null && attempt.refused === null;
}

/** It said itself that it stopped. */
function hasEnded(attempt: AttemptStatus): boolean {
  return ["failed", "cancelled", "superseded"].includes(attempt.lastBeat?.phase ?? "");
}

function silenceOf(attempt: AttemptStatus, now: number, limits: StateLimits): Silence {
  // It stopped because another one took its place, and that one is not known here: its files have not come or are gone.
  if (attempt.lastBeat?.phase === "superseded") return "lost";
  const seconds = (now - attempt.aliveAt) / 1_000;
  if (seconds >= limits.lostSeconds) return "lost";
  if (seconds >= limits.suspectSeconds) return "suspect";
  return seconds >= limits.lateSeconds ? "late" : "none";
}

function notesOn(attempts: readonly AttemptStatus[], silence: (attempt: AttemptStatus) => Silence): Reason[] {
  const current = currentAttempt(attempts);
  return attempts.flatMap((each) => {
    const number = attemptNumber(each.attempt);
    const alive = each.done === null && !hasEnded(each) && silence(each) === "none";
    const notes: Reason[] = [];
    if (alive && each.aheadMs > CLOCK_TOLERANCE_MS) {
      notes.push(reason("clock-ahead", { number, minutes: Math.round(each.aheadMs / 60_000) }));
    }
    if (current === undefined || each === current) return notes;
    if (alive) notes.push(reason("other-attempt-alive", { other: number, number: attemptNumber(current.attempt) }));
    if (each.refused !== null) notes.push(reason("result-refused", { number, ...problemArgs(each.refused) }));
    return notes;
  });
}

function problemArgs(problem: Problem): Reason["args"] {
  return { problem: problem.message, todo: problem.todo };
}

function errorArgs(error: NonNullable<AttemptStatus["lastBeat"]>["error"]): Reason["args"] {
  const problem = error === null ? "it does not say why" : `${error.type}: ${error.message}`;
  return { problem, todo: error?.todo ?? "Correct the notebook and start the job anew, or resume it if the cause has passed." };
}
