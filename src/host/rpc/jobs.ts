/** Requests about training jobs, and their changes to every client. */
import { EdaError } from "../../domain/errors.ts";
import { canCancel, canResume } from "../../domain/job/status.ts";
import { openJobMirror } from "../../pipeline/jobs/mirror.ts";
import { CancelJob, JobLogOf, JobSeriesOf, type JobView, JobViewOf, JobViews, ResumeJob } from "../../protocol/jobs.ts";
import type { Host } from "../host.ts";
import { logTail } from "../job-log.ts";
import { listJobs, showJob } from "../jobs.ts";
import type { Registrar } from "./register.ts";

const MAX_LOG_BYTES = 4 * 1024 * 1024;

export function registerJobs(registrar: Registrar, host: Host): void {
  const { services, runs, jobs, series } = host;
  registrar.handle(JobViews, ({ project }) => listJobs(services, project));
  registrar.handle(JobViewOf, ({ job }) => showJob(services, job));
  registrar.handle(JobSeriesOf, async ({ job, cursor }) => series((await showJob(services, job)).job, cursor));
  registrar.handle(JobLogOf, async ({ job, attempt, bytes }) => {
    const { job: known } = await showJob(services, job);
    return logTail(openJobMirror(services.workspace, known), attempt, Math.min(Math.max(bytes, 1), MAX_LOG_BYTES));
  });
  registrar.handle(CancelJob, async ({ job }) => {
    const view = await showJob(services, job);
    if (!canCancel(view.status)) throw refused(view, "cancelled");
    const { accepted, state } = await runs.cancel(view.run);
    if (!accepted) {
      throw new EdaError("precondition", "too-late", `Run ${view.run} of the job is ${state} and goes on to its end.`);
    }
    return showJob(services, job);
  });
  registrar.handle(ResumeJob, async ({ job }) => {
    const view = await showJob(services, job);
    if (!canResume(view.status)) throw refused(view, "resumed");
    if (!(await jobs.resume(view.job))) {
      throw new EdaError("precondition", "job-over", `Run ${view.run} of job ${view.job} has ended, and nobody follows the job.`, {
        todo: `Start it anew with: eda run modeling --project ${view.project}`,
      });
    }
    return showJob(services, job);
  });
}

function refused({ job, status: { state } }: JobView, what: string): EdaError {
  return new EdaError("precondition", "job-state", `Job ${job} is ${state} and cannot be ${what}.`, {
    todo: `Look at it with: eda jobs show ${job}`,
  });
}
