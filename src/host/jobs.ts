/**
 * Training jobs as people see them: one a modeling run. What is kept in their mirror says how they are; the inventory, what of them was
 * registered. Runs that ended before a job was prepared, or in a workspace that was copied without its state, are told by their run alone.
 */
import { EdaError } from "../domain/errors.ts";
import { acceleratorText } from "../domain/job/format.ts";
import { type JobLimits, jobLimitsSchema } from "../domain/job/limits.ts";
import { reduceJob } from "../domain/job/reduce.ts";
import { currentAttempt, isClosed, type JobStatus, preparedJob } from "../domain/job/status.ts";
import type { JsonObject } from "../domain/json.ts";
import { isTerminal, type RunRecord } from "../domain/run.ts";
import { openJobMirror } from "../pipeline/jobs/mirror.ts";
import type { Services } from "../pipeline/stage-definition.ts";
import type { JobRecord } from "../ports/inventory.ts";
import type { JobFile, JobView } from "../protocol/jobs.ts";

/** More than anyone looks through. */
const MAX_RUNS = 1000;

/** Newest first. Runs that had nothing to do trained nothing. */
export async function listJobs(services: Services, project?: string): Promise<JobView[]> {
  const { inventory } = services;
  const filter = { stage: "modeling", limit: MAX_RUNS, ...(project === undefined ? {} : { project }) } as const;
  const [records, runs] = await Promise.all([inventory.jobs(project), inventory.listRuns(filter)]);
  const byRun = new Map(records.map((record) => [record.run, record]));
  const trained = runs.items.filter((run) => run.state !== "unchanged");
  return Promise.all(trained.map((run) => viewOf(services, run, byRun.get(run.run))));
}

/** @throws EdaError `usage` `unknown-job` */
export async function showJob(services: Services, job: string): Promise<JobView> {
  const record = await services.inventory.job(job);
  const run = await services.inventory.getRun(record?.run ?? job);
  if (run?.stage === "modeling") return viewOf(services, run, record);
  throw new EdaError("usage", "unknown-job", `There is no job ${job}.`, { todo: "List them with: eda jobs" });
}

async function viewOf(services: Services, run: RunRecord, record: JobRecord | undefined): Promise<JobView> {
  const mirror = openJobMirror(services.workspace, run.run);
  const [kept, document] = await Promise.all([mirror.kept(), mirror.document()]);
  const limits = document?.limits ?? jobLimitsSchema.parse({});
  const status = statusOf(kept?.status, run, record, limits);
  const attempt = status.attempts.find((each) => each.attempt === status.winner) ?? currentAttempt(status.attempts);
  return {
    job: run.run,
    project: run.project,
    run: run.run,
    trainer: record?.trainer ?? kept?.trainer ?? "–",
    status,
    wanted: document?.accelerator.wanted ?? "cpu",
    accelerator: record?.accelerator ?? acceleratorOf(attempt, kept?.runtime ?? null),
    createdAt: kept?.createdAt ?? run.startedAt ?? run.requestedAt,
    finishedAt: run.finishedAt,
    parameters: record?.parameters ?? (document?.parameters as JsonObject | undefined) ?? {},
    metrics: record?.metrics ?? (attempt?.done?.metrics as JsonObject | undefined) ?? attempt?.lastBeat?.metrics ?? {},
    notebook: document?.notebook.path ?? "–",
    commitBefore: run.commitBefore,
    commitAfter: run.commitAfter,
    limits,
    inputs: kept?.inputs ?? [],
    outputs: record?.artefacts.map(outputOf) ?? [],
    openUrl: kept?.place?.openUrl ?? null,
  };
}

/**
 * Judged anew, because time passes without events. Of a run that has ended nobody follows the job: it is as the run ended, whatever it was when
 * the host last looked.
 */
function statusOf(kept: JobStatus | undefined, run: RunRecord, record: JobRecord | undefined, limits: JobLimits): JobStatus {
  const now = Date.now();
  const status = reduceJob(kept ?? preparedJob(Date.parse(run.requestedAt)), { type: "tick" }, now, limits);
  if (!isTerminal(run.state) || isClosed(status.state)) return status;
  const since = run.finishedAt ?? status.since;
  if (record !== undefined && run.state === "succeeded") {
    return { ...status, state: "succeeded", since, reason: { code: "succeeded", args: { number: 1, accelerator: record.accelerator } } };
  }
  if (run.state === "cancelled") return { ...status, state: "cancelled", since, reason: { code: "cancelled", args: {} } };
  if (status.state === "failed") return status;
  const problem = run.error?.message ?? "The run ended.";
  return {
    ...status,
    state: "failed",
    since,
    reason: { code: "trainer-failed", args: { problem, todo: run.error?.todo ?? "Run the stage again." } },
  };
}

function acceleratorOf(attempt: JobStatus["attempts"][number] | undefined, runtime: string | null): string | null {
  const told = attempt?.done ?? attempt?.lastBeat;
  return told?.accelerator == null ? null : acceleratorText({ accelerator: told.accelerator, runtime: runtime ?? told.runtime });
}

function outputOf({ name, size, sha256, bucket, key, versionId }: JobRecord["artefacts"][number]): JobFile {
  return { name, size, sha256, object: { bucket, key, versionId } };
}
