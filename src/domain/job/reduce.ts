/** The state machine of a training job: facts are learned from events, then judged. */
import type { Beat, Done } from "./format.ts";
import { judge, type StateLimits } from "./judge.ts";
import { type AttemptStatus, canCancel, canResume, currentAttempt, isClosed, type JobEvent, type JobStatus } from "./status.ts";

/**
 * The job after an event. Events may come in any order, twice and late; what cannot be (results verified of an attempt that did not win) and
 * what changes nothing returns a job equal to the one handed in.
 * @param now by our own clock, milliseconds since 1970
 */
export function reduceJob(job: JobStatus, event: JobEvent, now: number, limits: StateLimits): JobStatus {
  return isClosed(job.state) ? job : judge(learn(job, event, now), now, limits);
}

function learn(job: JobStatus, event: JobEvent, now: number): JobStatus {
  switch (event.type) {
    case "submitted":
      return { ...job, submitted: true };
    case "beat":
      return heardFrom(job, withBeat(job, event.beat, event.storedAt, now));
    case "done":
      return heardFrom(job, withDone(job, event.done, event.storedAt, now));
    case "verified":
      return event.attempt === job.winner ? { ...job, verified: true } : job;
    case "refused":
      return event.attempt === job.winner ? { ...job, winner: null, attempts: refuse(job.attempts, event) } : job;
    case "failed":
      return { ...job, problem: event.problem };
    case "cancel-asked":
      return canCancel(job) ? { ...job, cancelAsked: true } : job;
    case "resume-asked":
      return canResume(job)
        ? { ...job, problem: null, resumeAsked: { at: now, after: currentAttempt(job.attempts)?.attempt ?? null } }
        : job;
    case "tick":
      return job;
  }
}

function refuse(attempts: JobStatus["attempts"], event: Extract<JobEvent, { type: "refused" }>): JobStatus["attempts"] {
  return attempts.map((each) => (each.attempt === event.attempt ? { ...each, refused: event.problem } : each));
}

/** Whoever is heard from is not gone: it takes back what the trainer said. */
function heardFrom(job: JobStatus, attempts: JobStatus["attempts"]): JobStatus {
  return attempts === job.attempts ? job : { ...job, submitted: true, problem: null, attempts };
}

/** Only a beat newer than all before says anything about the present. */
function withBeat(job: JobStatus, beat: Beat, storedAt: number | undefined, now: number): JobStatus["attempts"] {
  const known = job.attempts.find((each) => each.attempt === beat.attempt);
  const startedAt = known === undefined || beat.at < known.startedAt ? beat.at : known.startedAt;
  if (known?.lastBeat != null && known.lastBeat.sequence >= beat.sequence) {
    return startedAt === known.startedAt ? job.attempts : replace(job.attempts, { ...known, startedAt });
  }
  const { points: _, ...lastBeat } = beat;
  return replace(job.attempts, {
    ...(known ?? unknownAttempt(beat.attempt)),
    startedAt,
    lastBeat,
    ...lifeSign(beat.at, storedAt, now),
  });
}

function withDone(job: JobStatus, done: Done, storedAt: number | undefined, now: number): JobStatus["attempts"] {
  const known = job.attempts.find((each) => each.attempt === done.attempt);
  // The first one counts: what it says is not changed afterwards.
  if (known?.done != null) return job.attempts;
  if (known === undefined) {
    return replace(job.attempts, {
      ...unknownAttempt(done.attempt),
      startedAt: done.startedAt,
      done,
      ...lifeSign(done.at, storedAt, now),
    });
  }
  return replace(job.attempts, { ...known, done });
}

/**
 * The storage's own clock is believed. Without it the runtime's is: a beat read late was still written when it says. One from the future
 * counts from now.
 */
function lifeSign(at: string, storedAt: number | undefined, now: number): Pick<AttemptStatus, "aliveAt" | "aheadMs"> {
  const written = Date.parse(at);
  const seen = Math.min(storedAt ?? now, now);
  return { aliveAt: storedAt === undefined ? Math.min(written, now) : seen, aheadMs: Math.max(0, written - seen) };
}

function unknownAttempt(attempt: string): AttemptStatus {
  return { attempt, startedAt: "", lastBeat: null, aliveAt: 0, aheadMs: 0, done: null, refused: null };
}

function replace(attempts: JobStatus["attempts"], changed: AttemptStatus): JobStatus["attempts"] {
  return [...attempts.filter((each) => each.attempt !== changed.attempt), changed].sort((a, b) => (a.attempt < b.attempt ? -1 : 1));
}
