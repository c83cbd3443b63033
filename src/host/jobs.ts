/**
 * Training jobs as people see them: one a modeling run. The inventory keeps what succeeded; those at work and those that failed are
 * known by their runs.
 */
import { EdaError } from "../domain/errors.ts";
import { isTerminal, type RunRecord } from "../domain/run.ts";
import type { Inventory, JobRecord } from "../ports/inventory.ts";
import type { JobSummary } from "../protocol/messages.ts";

/** More than anyone looks through. */
const MAX_RUNS = 1000;

/** Newest first. Runs that had nothing to do trained nothing. */
export async function listJobs(inventory: Inventory, project?: string): Promise<JobSummary[]> {
  const filter = { stage: "modeling", limit: MAX_RUNS, ...(project === undefined ? {} : { project }) } as const;
  const [records, runs] = await Promise.all([inventory.jobs(project), inventory.listRuns(filter)]);
  const byRun = new Map(records.map((record) => [record.run, record]));
  return runs.items.filter((run) => run.state !== "unchanged").map((run) => summaryOf(run, byRun.get(run.run)));
}

/** @throws EdaError `usage` `unknown-job` */
export async function showJob(inventory: Inventory, job: string): Promise<JobSummary> {
  const record = await inventory.job(job);
  const run = await inventory.getRun(record?.run ?? job);
  if (run?.stage === "modeling") return summaryOf(run, record);
  throw new EdaError("usage", "unknown-job", `There is no job ${job}.`, { todo: "List them with: eda jobs" });
}

function summaryOf(run: RunRecord, record: JobRecord | undefined): JobSummary {
  return {
    job: record?.job ?? run.run,
    project: run.project,
    run: run.run,
    state: isTerminal(run.state) ? run.state : "running",
    trainer: record?.trainer ?? "–",
    accelerator: record?.accelerator ?? "–",
    metrics: record?.metrics ?? {},
    startedAt: run.startedAt ?? run.requestedAt,
    finishedAt: run.finishedAt,
  };
}
