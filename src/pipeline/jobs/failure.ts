/** Why a job ended without results, as the error of its run. */
import { setTimeout as delay } from "node:timers/promises";
import { EdaError } from "../../domain/errors.ts";
import { reasonText } from "../../domain/job/reasons.ts";
import { currentAttempt, type Problem } from "../../domain/job/status.ts";
import type { JobSession } from "./session.ts";

/** A kernel is still being closed when the beat tells of the failed cell. */
const TROUBLE_WAIT_MS = 10_000;
const TROUBLE_POLL_MS = 100;

export function problemOf({ code, message, todo }: EdaError): Problem {
  return { code, message, todo: todo ?? "Correct the cause and run the stage again." };
}

/**
 * What eda_job.py itself refuses comes with what to do. Of a notebook's own mistake the trainer may know more than the beat: which cell it was.
 */
export async function failureOf({ order, context, job, place }: JobSession): Promise<EdaError> {
  const { reason, attempts, problem } = job.status;
  const refusal = currentAttempt(attempts)?.lastBeat?.error;
  const own = reasonText(reason);
  if (reason.code === "attempt-failed" && refusal != null && refusal.todo !== null) {
    return new EdaError("terminal", codeOf(refusal.type), refusal.message, { todo: refusal.todo });
  }
  if (reason.code === "attempt-failed" && order.trainer.startsAttempts) {
    for (let waited = 0; waited < TROUBLE_WAIT_MS && !context.signal.aborted; waited += TROUBLE_POLL_MS) {
      const trouble = await order.trainer.trouble(place, context.signal);
      if (trouble !== undefined) return trouble;
      await delay(TROUBLE_POLL_MS);
    }
  }
  const trouble = problem === null ? undefined : await order.trainer.trouble(place, context.signal).catch(() => undefined);
  if (trouble !== undefined) return trouble;
  const refused = attempts.find((each) => each.refused !== null)?.refused;
  const code = problem?.code ?? (reason.code === "result-refused" ? refused?.code : undefined) ?? "job-failed";
  return new EdaError("terminal", code, own.message, own.todo === undefined ? {} : { todo: own.todo });
}

/** Kinds of eda_job.py's own errors are codes; the names of other exceptions are not. */
function codeOf(type: string): string {
  return /^[a-z][a-z-]*$/u.test(type) ? type : "job-failed";
}
