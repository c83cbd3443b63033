/**
 * Training on a Colab runtime through Google's own `colab` program (google-colab-cli): nobody opens a page. Google allows that with paid compute
 * units only, and a runtime lives for 24 hours at most. The job folder lies on this machine; what the runtime leaves comes here while it trains, checkpoints
 * too, so that the next attempt begins where a lost one ended.
 */
import { constants, copyFile, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { type EdaError, toEdaError } from "../../domain/errors.ts";
import { JOB_FILES } from "../../domain/job/format.ts";
import { jobFiles } from "../../domain/job/prepare.ts";
import type { JobFolder, JobParcel, JobPlace, JobTrainer, PreparedJob } from "../../ports/job-trainer.ts";
import { runCliAttempt } from "./cli-attempt.ts";
import { colabFailure } from "./cli-failure.ts";
import { cliFolder } from "./cli-folder.ts";
import { colabProgram } from "./cli-program.ts";
import { colabRuntimes } from "./cli-runtime.ts";

/** The folder here is looked at without a cost. */
const POLL_MS = 500;
/** Each look at the runtime starts a program, and asks Google. */
const LOOK_MS = 15_000;
/** The program keeps a runtime alive for so long, and no longer. */
const MAX_SECONDS = 24 * 60 * 60;
/** eda_job.py ends an attempt at its time by itself, if the notebook lets it. */
const TIMEOUT_GRACE_SECONDS = 60;
/** Time in which an attempt whose results are here may end by itself. */
const RELEASE_GRACE_MS = 10_000;
/** What an earlier life's runtime has not sent is worth a wait, not a long one: it costs. */
const SALVAGE_MS = 2 * 60_000;
const VERSION_MS = 60_000;

export interface CliTrainerOptions {
  /** `.eda` of the workspace: jobs lie there, and what the program needs of them. */
  readonly stateFolder: string;
  /** Of it, EDA_COLAB_PROGRAM and EDA_COLAB_AUTH; without secrets it is the program's. */
  readonly env: NodeJS.ProcessEnv;
  /** A folder of this machine as a job folder. */
  readonly openFolder: (folder: string) => JobFolder;
  /** Between two looks at the runtime. */
  readonly lookMs?: number;
}

/** What {@link JobPlace.at} holds. */
const placeSchema = z.object({ job: z.string(), accelerator: z.string().nullable(), timeoutSeconds: z.number() });

interface Running {
  readonly abort: AbortController;
  readonly ended: Promise<void>;
  isRunning: boolean;
  trouble: EdaError | undefined;
}

export function openCliTrainer(options: CliTrainerOptions): JobTrainer {
  const { stateFolder, lookMs = LOOK_MS } = options;
  const program = colabProgram(options.env);
  const attempts = new Map<string, Running>();
  const folderOf = (job: string) => join(stateFolder, "jobs", job, "folder");
  const scratchOf = (job: string) => join(stateFolder, "jobs", job, "colab");
  const runtimesOf = (job: string) => colabRuntimes(program, job, scratchOf(job));
  const filesOf = (job: string) => cliFolder(job, folderOf(job), scratchOf(job));

  /** Runtimes that an earlier life left behind cost until they are released, whatever becomes of their jobs. */
  const cleared = clearLeftovers();

  /** @returns jobs whose results they had */
  async function clearLeftovers(): Promise<Set<string>> {
    const finished = new Set<string>();
    for (const job of await readdir(join(stateFolder, "jobs")).catch(() => [])) {
      const runtimes = runtimesOf(job);
      const files = filesOf(job);
      try {
        const runtime = await runtimes.leftBehind();
        if (runtime === undefined) continue;
        await files.fetch(runtime, AbortSignal.timeout(SALVAGE_MS)).catch(() => undefined);
        await runtimes.release();
        if (await files.isDone()) finished.add(job);
      } catch {
        // Its record is still there: whoever starts or releases the job meets it again, and says so.
      }
    }
    return finished;
  }

  async function end(job: string): Promise<void> {
    const attempt = attempts.get(job);
    attempt?.abort.abort();
    await attempt?.ended;
  }

  return {
    name: "Colab, colab program",
    runtime: null,
    notice:
      "A Colab runtime made by the colab program costs compute units, which must be paid ones, until it is released, and lasts 24 hours at most.",
    startsAttempts: true,
    pollMs: Math.min(POLL_MS, lookMs),
    limits: {},
    async prepare(parcel, signal) {
      const version = await program.run(["version"], { timeoutMs: VERSION_MS, signal });
      signal.throwIfAborted();
      if (version.code !== 0) throw colabFailure("version", version);
      return prepare(parcel, folderOf(parcel.request.job), signal);
    },
    folder: ({ at }) => options.openFolder(folderOf(placeSchema.parse(at).job)),
    async start({ at }, signal) {
      const { job, accelerator, timeoutSeconds } = placeSchema.parse(at);
      const finished = await cleared;
      const isRunning = () => attempts.get(job)?.isRunning === true;
      if (isRunning()) return false;
      // It came to its end while nobody looked.
      if (finished.delete(job)) return false;
      const runtimes = runtimesOf(job);
      await runtimes.release();
      // Asked for twice at once.
      if (isRunning()) return false;
      const abort = new AbortController();
      /** A process that ends now waits for nobody. */
      let stopOnExit: () => void = () => undefined;
      const running = runCliAttempt({
        runtimes,
        files: filesOf(job),
        folder: folderOf(job),
        scratch: scratchOf(job),
        accelerator: accelerator ?? undefined,
        timeoutSeconds,
        lookMs,
        signal: AbortSignal.any([signal, abort.signal]),
        onRuntime: (session) => {
          stopOnExit = () => program.leave(["stop", "-s", session]);
          process.once("exit", stopOnExit);
        },
      });
      const attempt: Running = {
        abort,
        isRunning: true,
        trouble: undefined,
        ended: running
          .catch((error: unknown) => {
            attempt.trouble = toEdaError(error);
          })
          .finally(() => {
            process.off("exit", stopOnExit);
            attempt.isRunning = false;
          }),
      };
      attempts.set(job, attempt);
      return true;
    },
    async trouble({ at }) {
      return attempts.get(placeSchema.parse(at).job)?.trouble;
    },
    async cancel({ at }) {
      const { job } = placeSchema.parse(at);
      await writeFile(join(folderOf(job), JOB_FILES.cancel), "").catch(() => undefined);
      await cleared;
      await end(job);
      await runtimesOf(job).release();
      return true;
    },
    async release({ at }) {
      const { job } = placeSchema.parse(at);
      await cleared;
      // The notebook's last cell has said everything in the job folder, and is still being answered.
      await Promise.race([attempts.get(job)?.ended, delay(RELEASE_GRACE_MS, undefined, { ref: false })]);
      await end(job);
      await runtimesOf(job).release();
    },
    async discard({ at }) {
      const { job } = placeSchema.parse(at);
      await runtimesOf(job).release();
      for (const folder of [folderOf(job), scratchOf(job)]) await rm(folder, { recursive: true, force: true });
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
  const timeoutSeconds = Math.min((attemptSeconds ?? MAX_SECONDS) + TIMEOUT_GRACE_SECONDS, MAX_SECONDS);
  const accelerator = request.accelerator.wanted === "cpu" ? null : request.accelerator.wanted;
  const place: JobPlace = { at: { job: request.job, accelerator, timeoutSeconds }, openUrl: null };
  return { files, place };
}
