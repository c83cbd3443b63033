/**
 * Training on a Jupyter kernel. Without an address each attempt has a server of its own on this machine; with one, that server must see
 * the workspace under the same path (a shared volume), because the job folder lies below `.eda`.
 */
import { constants, copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { EdaError, toEdaError } from "../../domain/errors.ts";
import { JOB_FILES } from "../../domain/job/format.ts";
import { jobFiles } from "../../domain/job/prepare.ts";
import type { JobParcel, JobPlace, JobTrainer, PreparedJob } from "../../ports/job-trainer.ts";
import { type AttemptServer, runAttempt } from "./attempt.ts";
import { localJobFolder } from "./job-folder.ts";
import { findPython, type Python } from "./python.ts";
import { startLocalServer, stopLeftoverServers } from "./server.ts";

/** A disk is looked at without a cost. */
const POLL_MS = 200;
/** So is a beat written. */
const BEAT_SECONDS = 5;
/** Time in which an attempt whose results are here may end by itself. */
const RELEASE_GRACE_MS = 10_000;
/** An attempt that eda_job.py was to end had time for it. */
const TIMEOUT_GRACE_MS = 15_000;

export interface JupyterTrainerOptions {
  /** `.eda` of the workspace: servers keep their state there, and jobs lie there. */
  readonly stateFolder: string;
  /** A running server; its token comes from `EDA_JUPYTER_TOKEN` or the file named by `EDA_JUPYTER_TOKEN_FILE`. */
  readonly url?: string;
  readonly env: NodeJS.ProcessEnv;
}

/** What {@link JobPlace.at} holds. */
const placeSchema = z.object({ job: z.string(), timeoutMs: z.number().nullable() });

/** The attempt that this process runs or ran last. */
interface Attempt {
  readonly abort: AbortController;
  readonly ended: Promise<void>;
  isRunning: boolean;
  trouble: EdaError | undefined;
}

export function openJupyterTrainer(options: JupyterTrainerOptions): JobTrainer {
  const name = options.url === undefined ? "jupyter local" : `jupyter ${new URL(options.url).host}`;
  const attempts = new Map<string, Attempt>();
  const pythonOnce = oncePerSuccess(() => findPython(undefined, options.env));
  const folderOf = (job: string) => join(options.stateFolder, "jobs", job, "folder");

  async function openServer(job: string, signal: AbortSignal): Promise<AttemptServer> {
    if (options.url !== undefined) return configuredServer(options.url, await configuredToken(options.env), job);
    await stopLeftoverServers(options.stateFolder, job);
    const python = await pythonOnce();
    const { stateFolder, env } = options;
    const server = await startLocalServer({ stateFolder, job, rootFolder: folderOf(job), python, env, signal });
    return { address: server, sessionPath: JOB_FILES.notebook, registerKernel: server.registerKernel, stop: server.stop };
  }

  async function end(place: JobPlace): Promise<void> {
    const attempt = attempts.get(placeSchema.parse(place.at).job);
    attempt?.abort.abort();
    await attempt?.ended;
  }

  return {
    name,
    runtime: name,
    startsAttempts: true,
    pollMs: POLL_MS,
    limits: { beatSeconds: BEAT_SECONDS },
    prepare: (parcel, signal) => prepare(parcel, folderOf(parcel.request.job), signal),
    folder: ({ at }) => localJobFolder(folderOf(placeSchema.parse(at).job)),
    async start({ at }, signal) {
      const { job, timeoutMs } = placeSchema.parse(at);
      if (attempts.get(job)?.isRunning === true) return false;
      const abort = new AbortController();
      const either = AbortSignal.any([signal, abort.signal]);
      const running = runAttempt({
        folder: folderOf(job),
        timeoutMs: timeoutMs === null ? Number.POSITIVE_INFINITY : timeoutMs + TIMEOUT_GRACE_MS,
        signal: either,
        openServer: () => openServer(job, either),
      });
      const attempt: Attempt = {
        abort,
        isRunning: true,
        trouble: undefined,
        ended: running
          .catch((error: unknown) => {
            attempt.trouble = toEdaError(error);
          })
          .finally(() => {
            attempt.isRunning = false;
          }),
      };
      attempts.set(job, attempt);
      return true;
    },
    async trouble({ at }) {
      return attempts.get(placeSchema.parse(at).job)?.trouble;
    },
    async cancel(place) {
      await writeFile(join(folderOf(placeSchema.parse(place.at).job), JOB_FILES.cancel), "").catch(() => undefined);
      await end(place);
      return true;
    },
    discard: ({ at }) => rm(folderOf(placeSchema.parse(at).job), { recursive: true, force: true }),
    async release(place) {
      // A cell that has said everything in the job folder is still being answered.
      await Promise.race([attempts.get(placeSchema.parse(place.at).job)?.ended, delay(RELEASE_GRACE_MS, undefined, { ref: false })]);
      await end(place);
    },
  };
}

/** Data are copies that share their blocks where the file system can. */
async function prepare({ request, data }: JobParcel, folder: string, signal: AbortSignal): Promise<PreparedJob> {
  await mkdir(folder, { recursive: true });
  for (const [path, file] of data) {
    signal.throwIfAborted();
    const target = join(folder, ...path.split("/"));
    await mkdir(dirname(target), { recursive: true });
    await copyFile(file, target, constants.COPYFILE_FICLONE);
  }
  const files = jobFiles(request);
  // In the order that jobFiles gives: job.json last.
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  const { attemptSeconds } = request.limits;
  return {
    files,
    place: { at: { job: request.job, timeoutMs: attemptSeconds === null ? null : attemptSeconds * 1_000 }, openUrl: null },
  };
}

function configuredServer(url: string, token: string, job: string): AttemptServer {
  return {
    address: { url: url.endsWith("/") ? url : `${url}/`, token },
    sessionPath: `eda-${job}.ipynb`,
    registerKernel: () => undefined,
    stop: async () => undefined,
  };
}

/** @throws EdaError `precondition` `secret-file-unreadable` */
async function configuredToken(env: NodeJS.ProcessEnv): Promise<string> {
  const file = env.EDA_JUPYTER_TOKEN_FILE;
  if (file === undefined || file === "") return env.EDA_JUPYTER_TOKEN ?? "";
  try {
    return (await readFile(file, "utf8")).trim();
  } catch (error) {
    throw new EdaError("precondition", "secret-file-unreadable", `The file that EDA_JUPYTER_TOKEN_FILE names cannot be read: ${file}`, {
      todo: "Make it readable for the user that runs eda.",
      cause: error,
    });
  }
}

function oncePerSuccess(find: () => Promise<Python>): () => Promise<Python> {
  let found: Promise<Python> | undefined;
  return () => {
    found ??= find().catch((error: unknown) => {
      found = undefined;
      throw error;
    });
    return found;
  };
}
