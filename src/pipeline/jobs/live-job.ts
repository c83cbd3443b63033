/** One job while a run follows it: its status, kept on disk with each change. Only what the state machine makes of an event ever counts. */
import type { JobLimits } from "../../domain/job/limits.ts";
import { reduceJob } from "../../domain/job/reduce.ts";
import type { JobEvent, JobStatus } from "../../domain/job/status.ts";
import type { JobDesk } from "./desk.ts";
import type { JobMirror, KeptJob } from "./mirror.ts";

export interface LiveJob {
  readonly kept: KeptJob;
  readonly status: JobStatus;
  /** Learns, judges, keeps and tells. */
  learn(...events: readonly JobEvent[]): Promise<JobStatus>;
  change(change: Pick<KeptJob, "place">): Promise<void>;
}

export interface LiveJobOptions {
  readonly kept: KeptJob;
  readonly mirror: JobMirror;
  readonly desk: JobDesk;
  readonly limits: JobLimits;
}

export function liveJob({ kept: first, mirror, desk, limits }: LiveJobOptions): LiveJob {
  let kept = first;
  /** One write at a time, and the last one last: a person's word may come while news are learned. */
  let writing: Promise<void> = Promise.resolve();
  const keep = async (next: KeptJob) => {
    if (JSON.stringify(next) === JSON.stringify(kept)) return;
    kept = next;
    writing = writing.catch(() => undefined).then(() => mirror.keep(kept));
    await writing;
    desk.changed(kept.job);
  };
  return {
    get kept() {
      return kept;
    },
    get status() {
      return kept.status;
    },
    async learn(...events) {
      const status = events.reduce((job, event) => reduceJob(job, event, Date.now(), limits), kept.status);
      await keep({ ...kept, status });
      return status;
    },
    change: (change) => keep({ ...kept, ...change }),
  };
}
