/** Tells clients that a job changed: at most twice a second for each, and always of its last change. */
import type { Logger } from "pino";
import { toEdaError } from "../domain/errors.ts";
import type { OpenJobDesk } from "../pipeline/jobs/desk.ts";
import type { Services } from "../pipeline/stage-definition.ts";
import type { JobView } from "../protocol/jobs.ts";
import { showJob } from "./jobs.ts";
import type { RunBoard } from "./run-board.ts";

const INTERVAL_MS = 500;

export interface JobChangesOptions {
  readonly desk: OpenJobDesk;
  readonly board: RunBoard;
  readonly services: Services;
  readonly logger: Logger;
  readonly tell: (view: JobView) => void;
}

/** @returns ends it */
export function tellJobChanges({ desk, board, services, logger, tell }: JobChangesOptions): () => void {
  const timers = new Map<string, NodeJS.Timeout>();
  const jobs = new Set<string>();
  const soon = (job: string) => {
    if (timers.has(job)) return;
    const timer = setTimeout(() => {
      timers.delete(job);
      showJob(services, job).then(tell, (error: unknown) => logger.warn({ job, error: toEdaError(error).message }, "job not told"));
    }, INTERVAL_MS);
    timers.set(job, timer.unref());
  };
  const ends = [
    desk.watch((job) => {
      jobs.add(job);
      soon(job);
    }),
    // The end of the run is the end of its job.
    board.watchAll((run) => jobs.has(run) && soon(run)),
  ];
  return () => {
    for (const end of ends) end();
    for (const timer of timers.values()) clearTimeout(timer);
  };
}
