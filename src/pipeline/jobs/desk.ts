/** Where jobs at work and those who watch them meet, inside one host. */

export interface JobDesk {
  /** Text of eda_job.py. */
  readonly helper: string;
  /** What is kept of the job changed. */
  changed(job: string): void;
  /** While a run follows a job. @returns ends it */
  follow(job: string, resume: () => Promise<void>): () => void;
}

export interface OpenJobDesk extends JobDesk {
  /** Asks whoever follows the job for a new attempt. @returns false when nobody does */
  resume(job: string): Promise<boolean>;
  watch(listener: (job: string) => void): () => void;
}

export function openJobDesk(helper: string): OpenJobDesk {
  const followers = new Map<string, () => Promise<void>>();
  const watchers = new Set<(job: string) => void>();
  return {
    helper,
    changed(job) {
      for (const watcher of watchers) watcher(job);
    },
    follow(job, resume) {
      followers.set(job, resume);
      return () => {
        if (followers.get(job) === resume) followers.delete(job);
      };
    },
    async resume(job) {
      const resume = followers.get(job);
      await resume?.();
      return resume !== undefined;
    },
    watch(listener) {
      watchers.add(listener);
      return () => watchers.delete(listener);
    },
  };
}
