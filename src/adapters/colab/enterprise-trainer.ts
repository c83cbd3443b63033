/**
 * Training on Colab Enterprise: the job folder lies in a Cloud Storage bucket, each attempt is a notebook execution of Vertex AI, and the first cell
 * of the notebook carries the folder to the runtime and back. Executions are found by the job's name: nothing about them is remembered here, so a
 * later life of the host finds them too.
 */
import { posix } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { EdaError } from "../../domain/errors.ts";
import { JOB_FILES, readBeat } from "../../domain/job/format.ts";
import { jobFiles } from "../../domain/job/prepare.ts";
import { sha256Hex } from "../../domain/json.ts";
import type { JobParcel, JobTrainer, PreparedJob } from "../../ports/job-trainer.ts";
import { type CloudRetries, openCloud, type SendToCloud } from "./cloud.ts";
import { folderCarrier } from "./folder-carrier.ts";
import { openStoredFolder } from "./stored-folder.ts";
import { openBucket } from "./storage.ts";
import { executionTrouble } from "./execution-trouble.ts";
import { type Execution, type ExecutionRequest, executionId, isOver, openExecutions } from "./vertex.ts";

const POLL_MS = 10_000;
/** Beyond the attempt's own limit, so that eda_job.py ends it, and says so. */
const TIMEOUT_GRACE_SECONDS = 300;
/** Of beats after which none comes. */
const LAST_PHASES: readonly string[] = ["failed", "cancelled", "superseded"];
/** An execution whose attempt is over ends by itself, and leaves the executed notebook. */
const RELEASE_GRACE_MS = 60_000;
/** Google takes a while to stop a machine. */
const STOP_MS = 60_000;
const STOP_POLL_MS = 2_000;

export interface EnterpriseTrainerOptions {
  readonly send: SendToCloud;
  readonly project: string;
  /** `us-central1` */
  readonly region: string;
  readonly bucket: string;
  /** Below which `eda/` lies in the bucket, without slashes at its ends; empty: at the top. */
  readonly prefix: string;
  readonly machineType: string;
  /** Runs the notebook, and reads and writes the bucket there. */
  readonly serviceAccount: string;
  /** Text of eda_job_gcs.py. */
  readonly carrier: string;
  readonly pollMs?: number;
  readonly retries?: CloudRetries;
  readonly releaseGraceMs?: number;
  readonly stopMs?: number;
  readonly stopPollMs?: number;
}

const placeSchema = z.object({
  job: z.string(),
  wanted: z.enum(["T4", "cpu"]),
  attemptSeconds: z.number().nullable(),
  /** Silence after which an attempt is lost. */
  lostSeconds: z.number(),
  /** SHA-256 of the prepared notebook: another one is not run. */
  notebook: z.string(),
});
type Place = z.infer<typeof placeSchema>;

const startedSchema = z.object({ operation: z.string() });

export function openEnterpriseTrainer(options: EnterpriseTrainerOptions): JobTrainer {
  const { project, region, prefix } = options;
  const cloud = openCloud(options.send, options.retries);
  const bucket = openBucket(cloud, options.bucket);
  const executions = openExecutions(cloud, { project, region });
  const root = posix.join(prefix, "eda");
  const folderOf = (job: string) => `${root}/jobs/${job}`;
  const fileOf = (job: string, name: string) => `${folderOf(job)}/${name}`;
  /** Executions of the job carry it as their name. */
  const displayName = (job: string) => `eda-${job}`;
  const graceMs = options.releaseGraceMs ?? RELEASE_GRACE_MS;
  const stopPollMs = options.stopPollMs ?? STOP_POLL_MS;

  async function prepare({ request, data }: JobParcel, signal: AbortSignal): Promise<PreparedJob> {
    const { job, limits } = request;
    const inputs = request.inputs.map((input) => ({ ...input, from: `../../datasets/${input.sha256}` }));
    const carrier = folderCarrier(options.carrier, { bucket: options.bucket, prefix, job, beatSeconds: limits.beatSeconds });
    const files = jobFiles({ ...request, inputs, carrier });
    for (const { path, sha256, size } of inputs) {
      const name = `${root}/datasets/${sha256}`;
      const there = await bucket.find(name, signal);
      if (Number(there?.size ?? -1) !== size) await bucket.putFile(name, data.get(path) as string, signal);
    }
    // In the order that jobFiles gives: job.json last.
    for (const [name, text] of Object.entries(files)) await bucket.putText(fileOf(job, name), text, signal);
    const notebook = sha256Hex(files[JOB_FILES.notebook]);
    const { wanted } = request.accelerator;
    const { attemptSeconds, lostSeconds } = limits;
    return { files, place: { at: { job, wanted, attemptSeconds, lostSeconds, notebook }, openUrl: null } };
  }

  const atWork = async (job: string, signal: AbortSignal) => (await all(job, signal)).filter((execution) => !isOver(execution));

  async function all(job: string, signal: AbortSignal): Promise<Execution[]> {
    const found = await executions.list(displayName(job), signal);
    return found
      .filter(({ name }) => numberOf(executionId({ name })) > 0)
      .sort((a, b) => numberOf(executionId(a)) - numberOf(executionId(b)));
  }

  /** One more than any that ever was: a name that was deleted is not used again. */
  async function nextId(job: string, known: readonly Execution[], signal: AbortSignal): Promise<string> {
    const noted = await bucket.list(fileOf(job, "executions/"), signal);
    const ids = [...known.map(executionId), ...noted.map(({ name }) => posix.basename(name, ".json"))];
    return `${displayName(job)}-${Math.max(0, ...ids.map(numberOf)) + 1}`;
  }

  async function requestOf({ job, wanted, attemptSeconds, notebook }: Place, id: string, signal: AbortSignal): Promise<ExecutionRequest> {
    const text = await bucket.readText(fileOf(job, JOB_FILES.notebook), signal);
    if (text === undefined || sha256Hex(text) !== notebook) throw notebookChanged(bucket.uri(fileOf(job, JOB_FILES.notebook)));
    const gpu = wanted === "T4" ? ({ acceleratorType: "NVIDIA_TESLA_T4", acceleratorCount: 1 } as const) : {};
    return {
      displayName: displayName(job),
      customEnvironmentSpec: { machineSpec: { machineType: options.machineType, ...gpu } },
      directNotebookSource: { content: Buffer.from(text).toString("base64") },
      gcsOutputUri: bucket.uri(fileOf(job, `executed/${id}`)),
      ...(attemptSeconds === null ? {} : { executionTimeout: `${Math.ceil(attemptSeconds) + TIMEOUT_GRACE_SECONDS}s` }),
      serviceAccount: options.serviceAccount,
      labels: { "eda-job": job },
    };
  }

  /** There is no cancelling of an execution: what is cancelled is the operation that made it. */
  async function cancelOperation(job: string, execution: Execution, signal: AbortSignal): Promise<void> {
    const noted = await bucket.readText(fileOf(job, `executions/${executionId(execution)}.json`), signal);
    const operations =
      noted === undefined ? await executions.operations(execution.name, signal) : [startedSchema.parse(JSON.parse(noted)).operation];
    for (const operation of operations) await executions.cancel(operation, signal);
  }

  /** @returns those still at work after that time */
  async function whenOver(job: string, withinMs: number, signal: AbortSignal): Promise<readonly Execution[]> {
    const end = Date.now() + withinMs;
    for (;;) {
      const left = await atWork(job, signal);
      if (left.length === 0 || Date.now() >= end) return left;
      await sleep(Math.min(stopPollMs, withinMs), undefined, { signal });
    }
  }

  /**
   * Whether the attempt of an execution is past, though its machine is there still: it has said its last word, or fell silent for good. One that has not
   * said anything yet is being started.
   */
  async function isPast({ job, lostSeconds }: Place, { createTime }: Execution, signal: AbortSignal): Promise<boolean> {
    const beats = await bucket.list(fileOf(job, "beats/"), signal);
    const newest = beats.at(-1);
    if (newest === undefined || Date.parse(newest.timeCreated) <= Date.parse(createTime)) return false;
    const reading = readBeat((await bucket.readText(newest.name, signal)) ?? "");
    const isSilent = Date.now() - Date.parse(newest.timeCreated) > lostSeconds * 1_000;
    return isSilent || (reading.kind === "whole" && LAST_PHASES.includes(reading.document.phase));
  }

  /** @param graceMs time to end by itself */
  async function end(job: string, graceMs: number, signal: AbortSignal): Promise<void> {
    const left = await whenOver(job, graceMs, signal);
    if (left.length === 0) return;
    for (const execution of left) await cancelOperation(job, execution, signal);
    await whenOver(job, options.stopMs ?? STOP_MS, signal);
    // Whatever became of cancelling it: without its execution no machine goes on costing.
    for (const { name } of left) await executions.remove(name, signal);
  }

  return {
    name: `Colab Enterprise, ${project} in ${region}`,
    runtime: "Colab Enterprise",
    startsAttempts: true,
    pollMs: options.pollMs ?? POLL_MS,
    limits: {},
    prepare,
    folder: ({ at }) => openStoredFolder(bucket, folderOf(placeSchema.parse(at).job)),
    async start({ at }, signal) {
      const place = placeSchema.parse(at);
      const known = await all(place.job, signal);
      for (const execution of known.filter((each) => !isOver(each))) if (!(await isPast(place, execution, signal))) return false;
      await end(place.job, graceMs, signal);
      const id = await nextId(place.job, known, signal);
      const operation = await executions.create(id, await requestOf(place, id, signal), signal);
      // Made by an earlier try whose answer was lost, or by another host: at work in any case.
      if (operation === undefined) return false;
      await bucket.putText(fileOf(place.job, `executions/${id}.json`), JSON.stringify({ operation }), signal);
      return true;
    },
    async trouble({ at }, signal) {
      const { job, wanted } = placeSchema.parse(at);
      const newest = (await all(job, signal)).at(-1);
      return newest === undefined ? undefined : executionTrouble(newest, `${wanted === "T4" ? "a T4" : "a machine"} for job ${job}`);
    },
    async cancel({ at }) {
      const { job } = placeSchema.parse(at);
      const { signal } = new AbortController();
      await bucket.putText(fileOf(job, JOB_FILES.cancel), "", signal);
      for (const execution of await atWork(job, signal)) await cancelOperation(job, execution, signal);
      return (await whenOver(job, options.stopMs ?? STOP_MS, signal)).length === 0;
    },
    async release({ at }) {
      const { job } = placeSchema.parse(at);
      const { signal } = new AbortController();
      const isFinished = (await bucket.find(fileOf(job, JOB_FILES.done), signal)) !== undefined;
      await end(job, isFinished ? graceMs : 0, signal);
    },
  };
}

/** Of `eda-<job>-2`. */
function numberOf(id: string): number {
  return Number(/-(\d+)$/u.exec(id)?.[1] ?? 0);
}

function notebookChanged(uri: string): EdaError {
  return new EdaError("terminal", "notebook-changed", `${uri} is not the notebook that was prepared.`, {
    todo: "Somebody changed or removed it. Run the stage again to prepare it anew.",
  });
}
