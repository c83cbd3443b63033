/**
 * The job of a modeling run, from its preparation to its verified results. Done again after a kill, it finds the job that it had prepared and
 * goes on following it: there is never a second one.
 */
import { createWriteStream } from "node:fs";
import { rename } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { EdaError, toEdaError } from "../../domain/errors.ts";
import { STATE_FOLDER } from "../../domain/governed.ts";
import { acceleratorText, type Done, JOB_FILES } from "../../domain/job/format.ts";
import { type JobState, preparedJob } from "../../domain/job/status.ts";
import { printable } from "../../domain/printable.ts";
import type { JobPlace, JobTrainer } from "../../ports/job-trainer.ts";
import type { StageContext } from "../stage-definition.ts";
import { followJob } from "./follow.ts";
import { type LiveJob, liveJob } from "./live-job.ts";
import { type JobMirror, openJobMirror } from "./mirror.ts";
import type { JobOrder, JobSession } from "./session.ts";
import { resultsFolder, untilVerified } from "./watch.ts";

/** Reason of a run's signal when the host stops: the run goes on at the next start, and so does its job. */
export const HOST_STOPS = "host stops";

/** The notebook with its outputs: the runtime's, or the prepared one where Colab saves into it. */
export const EXECUTED_NOTEBOOK = "executed.ipynb";

export interface TrainedJob {
  readonly done: Done;
  readonly attempts: number;
  /** `cpu, jupyter local` */
  readonly accelerator: string;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  /** Holds the artefacts under their names. */
  readonly results: string;
  /** Local file; null when it could not be had. */
  readonly executed: string | null;
}

/** @throws EdaError what ended the job; `cancelled` when it was cancelled, here or at its runtime */
export async function trainJob(order: JobOrder, context: StageContext): Promise<TrainedJob> {
  const { trainer } = order;
  const { jobs: desk, workspace } = context.services;
  const { run } = context.request;
  const mirror = openJobMirror(workspace, run);
  const job = liveJob({ kept: (await mirror.kept()) ?? newJob(order, context), mirror, desk, limits: order.limits });
  const place = job.kept.place ?? (await prepare(order, context, job, mirror));
  const folder = trainer.folder(place);
  const session: JobSession = { order, context, job, mirror, place, folder, follower: followJob(run, folder, mirror) };
  const leave = desk.follow(run, () => resume(session));
  try {
    await begin(session);
    const done = await untilVerified(session);
    await trainer.release(place);
    return {
      done,
      attempts: job.status.attempts.length,
      // What a runtime says of itself goes into a commit's trailer.
      accelerator: printable(acceleratorText({ accelerator: done.accelerator, runtime: trainer.runtime ?? done.runtime })),
      createdAt: job.kept.createdAt,
      results: resultsFolder(session, done.attempt),
      executed: await fetchNotebook(session),
    };
  } catch (error) {
    throw await end(session, toEdaError(error));
  } finally {
    leave();
  }
}

function newJob({ trainer, inputs }: JobOrder, { request: { run, project } }: StageContext) {
  const now = Date.now();
  const createdAt = new Date(now).toISOString();
  const { name, runtime } = trainer;
  return { version: 1, job: run, project, run, trainer: name, runtime, createdAt, place: null, status: preparedJob(now), inputs } as const;
}

async function prepare({ trainer, parcel }: JobOrder, context: StageContext, job: LiveJob, mirror: JobMirror): Promise<JobPlace> {
  await mirror.keep(job.kept);
  const { place, files } = await trainer.prepare(await parcel(job.kept.createdAt), context.signal);
  await mirror.write(JOB_FILES.job, files[JOB_FILES.job]);
  await job.change({ place });
  context.log("info", `Job ${job.kept.job} is prepared: ${trainer.name}.`);
  if (trainer.notice !== undefined) context.log("info", trainer.notice);
  if (place.openUrl !== null) context.log("info", `Open it in Colab and choose Runtime, Run all: ${place.openUrl}`);
  return place;
}

/** A lost attempt waits for a person, also when the host was started anew. */
const LEFT_ALONE: readonly JobState[] = ["late", "suspect", "lost", "succeeded", "cancelled"];

async function begin({ order: { trainer }, context, job, place, follower }: JobSession): Promise<void> {
  await job.learn(...(await follower.restore()), { type: "submitted" });
  if (!trainer.startsAttempts || job.status.winner !== null || LEFT_ALONE.includes(job.status.state)) return;
  const isStarted = await trainer.start(place, context.signal);
  if (isStarted && job.status.attempts.length > 0) await job.learn({ type: "failed", problem: GONE }, { type: "resume-asked" });
}

async function resume({ order: { trainer }, context, job, place }: JobSession): Promise<void> {
  await job.learn({ type: "resume-asked" });
  context.log("info", "A person asked for a new attempt.");
  await trainer.start(place, context.signal);
}

/** Nothing goes on training for a run that has ended. @returns the failure, and where the notebook's outputs are */
async function end(session: JobSession, failure: EdaError): Promise<EdaError> {
  const { order, context, job, mirror, place } = session;
  if (context.signal.reason === HOST_STOPS) return failure;
  if (context.signal.aborted) await job.learn({ type: "cancel-asked" });
  // One that is tried again needs its folder as it is.
  const isOver = failure.kind !== "transient" && failure.kind !== "unavailable";
  try {
    const isStopped = isOver && (await order.trainer.cancel(place));
    if (isStopped && context.signal.aborted) await job.learn({ type: "failed", problem: STOPPED });
  } catch (error) {
    context.log("warn", `The runtime could not be told to stop: ${toEdaError(error).message}`);
  }
  await order.trainer
    .release(place)
    .catch((error: unknown) => context.log("error", `The runtime could not be released: ${toEdaError(error).message}`));
  const notebook = failure.kind === "terminal" ? await fetchNotebook(session) : null;
  if (isOver) await discardJob(order.trainer, mirror);
  if (notebook === null) return failure;
  const see = `What it put out is in ${join(STATE_FOLDER, "jobs", job.kept.job, EXECUTED_NOTEBOOK)}.`;
  return new EdaError(failure.kind, failure.code, failure.message, {
    todo: `${failure.todo ?? "Correct the cause and run again."} ${see}`,
    ...(failure.at === undefined ? {} : { at: failure.at }),
    ...(failure.findings === undefined ? {} : { findings: failure.findings }),
    cause: failure,
  });
}

/** After the end of a job and, where there are results, their publication. Done twice it changes nothing. */
export async function discardJob(trainer: JobTrainer, mirror: JobMirror): Promise<void> {
  const place = (await mirror.kept())?.place;
  await mirror.removeResults();
  if (place != null) await trainer.discard?.(place);
}

const GONE = { code: "runtime-gone", message: "Its runtime ended with the host that had started it.", todo: "Resume the job." };
const STOPPED = { code: "runtime-stopped", message: "Its runtime was stopped.", todo: "Run the stage again." };

async function fetchNotebook({ folder, mirror, context }: JobSession): Promise<string | null> {
  const target = join(mirror.folder, EXECUTED_NOTEBOOK);
  try {
    const { signal } = new AbortController();
    const files = await folder.list(signal);
    const file = [EXECUTED_NOTEBOOK, JOB_FILES.notebook].flatMap((name) => files.find(({ path }) => path === name) ?? [])[0];
    if (file === undefined) return null;
    await pipeline(await folder.read(file, signal), createWriteStream(`${target}.partial`));
    await rename(`${target}.partial`, target);
    return target;
  } catch (error) {
    context.log("warn", `The executed notebook could not be brought back: ${toEdaError(error).message}`);
    return null;
  }
}
