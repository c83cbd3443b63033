/** Watching a job until its results are here, or cannot come any more. */
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { EdaError, throwIfAborted, toEdaError } from "../../domain/errors.ts";
import type { Done } from "../../domain/job/format.ts";
import { reasonText } from "../../domain/job/reasons.ts";
import { canResume, currentAttempt, type JobStatus, progressOf } from "../../domain/job/status.ts";
import type { JobFolderFile } from "../../ports/job-trainer.ts";
import { collectResults } from "./collect.ts";
import { failureOf, problemOf } from "./failure.ts";
import { outputLog } from "./output-log.ts";
import type { JobSession } from "./session.ts";

/** @returns what the winner said when it had finished; its results lie in {@link resultsFolder} */
export async function untilVerified(session: JobSession): Promise<Done> {
  const { order, context, job } = session;
  const look = observer(session);
  const triesAgain = retrier(session);
  let missingSince: number | undefined;
  for (;;) {
    throwIfAborted(context.signal);
    const files = await look();
    const { state, reason, winner, attempts } = job.status;
    const done = attempts.find(({ attempt }) => attempt === winner)?.done;
    if (state === "succeeded" && done != null) return done;
    if (state === "finishing" && done != null && files !== undefined) missingSince = await collect(session, done, files, missingSince);
    if (state === "cancelled") throw new EdaError("cancelled", "job-cancelled", reasonText(reason).message);
    // What it says may have been written while the trainer was asked.
    if (state === "failed" && !(await triesAgain())) {
      await look();
      if (job.status.state === "failed") throw await failureOf(session);
    }
    if (job.status.state !== "succeeded") await delay(order.trainer.pollMs, undefined, { signal: context.signal });
  }
}

export function resultsFolder({ mirror }: Pick<JobSession, "mirror">, attempt: string): string {
  return join(mirror.folder, "results", attempt);
}

/**
 * Learns what folder and trainer say. A storage that is away for a time ends nothing: silence is judged by itself.
 * @returns looks once; answers the files in the folder, or undefined when it could not be looked at
 */
function observer(session: JobSession): () => Promise<readonly JobFolderFile[] | undefined> {
  const { order, context, job, place, follower } = session;
  const report = reporter(session);
  const output = outputLog((line) => context.log("info", line));
  const look = async () => {
    const { events, logs, files, problems } = await follower.look(context.signal);
    for (const text of logs) output.add(text);
    for (const problem of problems) report.once(problem);
    await job.learn(...events, { type: "tick" });
    // Results that are there count, whatever became of the runtime since.
    const trouble = job.status.winner === null ? await order.trainer.trouble(place, context.signal) : undefined;
    if (trouble !== undefined && job.status.state !== "failed") await job.learn({ type: "failed", problem: problemOf(trouble) });
    return files;
  };
  return async () => {
    try {
      return await look();
    } catch (error) {
      throwIfAborted(context.signal);
      const failure = toEdaError(error);
      if (failure.code === "job-folder-missing") await job.learn({ type: "failed", problem: problemOf(failure) });
      else {
        report.once(`The job cannot be looked at now: ${failure.message}`);
        await job.learn({ type: "tick" });
      }
      return undefined;
    } finally {
      report.status(job.status);
    }
  };
}

interface Reporter {
  status(status: JobStatus): void;
  /** A warning that is worth saying again only after another one. */
  once(warning: string): void;
}

function reporter({ order, context }: JobSession): Reporter {
  let said = "";
  let warned = "";
  return {
    status(status) {
      const attempt = currentAttempt(status.attempts);
      const progress = attempt === undefined ? undefined : progressOf(attempt);
      if (progress !== undefined) {
        const { step, total } = progress;
        context.progress({ done: Math.min(step, total), total, unit: "steps", label: `job: attempt ${attempt?.attempt.slice(0, 3)}` });
      }
      const now = `${status.state} ${status.reason.code} ${attempt?.attempt}`;
      if (now === said) return;
      said = now;
      const { message, todo } = reasonText(status.reason);
      // Nobody has to open anything where the trainer starts attempts.
      const isForPerson = !(order.trainer.startsAttempts && ["waiting", "resume-asked"].includes(status.reason.code));
      const level = ["late", "suspect", "lost", "failed"].includes(status.state) ? "warn" : "info";
      context.log(level, `Job ${status.state}: ${message}${todo === undefined || !isForPerson ? "" : ` ${todo}`}`);
    },
    once(warning) {
      if (warning === warned) return;
      warned = warning;
      context.log("warn", warning);
    },
  };
}

/**
 * Brings the winner's results here. Those that do not come within the time after which an attempt is lost are refused.
 * @returns since when some are missing
 */
async function collect(
  session: JobSession,
  done: Done,
  files: readonly JobFolderFile[],
  missingSince: number | undefined,
): Promise<number | undefined> {
  const { order, context, job, folder } = session;
  const { attempt } = done;
  try {
    const collection = await collectResults({ folder, files, done, into: resultsFolder(session, attempt) }, context.signal);
    if (collection.kind === "here") await job.learn({ type: "verified", attempt });
    else if (collection.kind === "refused") await job.learn({ type: "refused", attempt, problem: collection.problem });
    else {
      const since = missingSince ?? Date.now();
      if (Date.now() - since < order.limits.lostSeconds * 1_000) return since;
      const missing = collection.paths.slice(0, 3).join(", ");
      const message = `${collection.paths.length} result(s) that DONE.json names never came: ${missing}.`;
      const todo = "Check that Drive is not full and that nobody removed them, then run the stage again.";
      await job.learn({ type: "refused", attempt, problem: { code: "results-missing", message, todo } });
    }
  } catch (error) {
    throwIfAborted(context.signal);
    context.log("warn", `The results cannot be brought back now: ${toEdaError(error).message}`);
  }
  return undefined;
}

/** @returns starts another attempt after a failed one, where the trainer starts them itself and while the project file allows one */
function retrier({ order, context, job, place }: JobSession): () => Promise<boolean> {
  let starts = 1;
  return async () => {
    // One whose runtime never came left no beat, and was an attempt all the same.
    const made = Math.max(job.status.attempts.length, starts);
    if (!order.trainer.startsAttempts || made >= order.attempts || !canResume(job.status)) return false;
    context.log("warn", `Attempt ${made} failed; another one of ${order.attempts} is started.`);
    await job.learn({ type: "resume-asked" });
    if (await order.trainer.start(place, context.signal)) starts += 1;
    return true;
  };
}
