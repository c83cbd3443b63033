/**
 * Training on a Jupyter kernel. Without an address each job has a server of its own on this machine; with one, that server must see
 * the workspace under the same path (a shared volume), because data and results are read and written in the job's folder.
 */
import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { EdaError, throwIfAborted } from "../../domain/errors.ts";
import { injectParameters, parseNotebook } from "../../domain/notebook.ts";
import type { Trainer, TrainingContext, TrainingJob, TrainingResult } from "../../ports/trainer.ts";
import { ExecutedNotebook } from "./executed-notebook.ts";
import { type KernelSession, openKernel } from "./kernel.ts";
import { prepareKernel } from "./prepare-kernel.ts";
import { findPython, type Python } from "./python.ts";
import { listArtefacts, readMetrics } from "./results.ts";
import { runCells } from "./run-cells.ts";
import { type JupyterAddress, startLocalServer, stopLeftoverServers } from "./server.ts";

/** Longest delay of a timer, milliseconds. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export interface JupyterTrainerOptions {
  /** `.eda` of the workspace: servers keep their state there. */
  readonly stateFolder: string;
  /** A running server; its token comes from `EDA_JUPYTER_TOKEN` or the file named by `EDA_JUPYTER_TOKEN_FILE`. */
  readonly url?: string;
  readonly env: NodeJS.ProcessEnv;
}

/** A server for one job, and how it ends. */
interface JobServer {
  readonly address: JupyterAddress;
  /** Path of the notebook below the server's root: it names the session, and its folder is where the kernel starts. */
  readonly sessionPath: string;
  registerKernel(pid: number): void;
  stop(): Promise<void>;
}

export function openJupyterTrainer(options: JupyterTrainerOptions): Trainer {
  const name = options.url === undefined ? "jupyter local" : `jupyter ${new URL(options.url).host}`;
  let python: Promise<Python> | undefined;
  const pythonOnce = () => {
    python ??= findPython(undefined, options.env).catch((error: unknown) => {
      python = undefined;
      throw error;
    });
    return python;
  };
  const openServer = async (job: TrainingJob, signal: AbortSignal): Promise<JobServer> => {
    if (options.url !== undefined) return configuredServer(options.url, await configuredToken(options.env), job);
    await stopLeftoverServers(options.stateFolder, job.job);
    const server = await startLocalServer({
      stateFolder: options.stateFolder,
      job: job.job,
      rootFolder: job.folder,
      python: await pythonOnce(),
      env: options.env,
      signal,
    });
    return { address: server, sessionPath: "notebook.ipynb", registerKernel: server.registerKernel, stop: server.stop };
  };
  return { name, train: (job, context) => train(job, context, name, openServer) };
}

async function train(
  job: TrainingJob,
  context: TrainingContext,
  where: string,
  openServer: (job: TrainingJob, signal: AbortSignal) => Promise<JobServer>,
): Promise<TrainingResult> {
  const source = parseNotebook("notebook.ipynb", await readFile(join(job.folder, "notebook.ipynb"), "utf8"));
  const results = join(job.folder, "results");
  await rm(results, { recursive: true, force: true });
  await mkdir(results);
  const notebook = new ExecutedNotebook(injectParameters(source, job.parameters), join(job.folder, "executed.ipynb"));
  await notebook.save();
  throwIfAborted(context.signal);
  const server = await openServer(job, context.signal);
  let kernel: KernelSession | undefined;
  let accelerator: string;
  const stop = stopPromise(context.signal, job.timeoutMs);
  try {
    // The client's own chatter is of no use to the person; what goes wrong comes as an error.
    kernel = await openKernel(server.address, server.sessionPath, source.metadata.kernelspec?.name, () => undefined);
    const facts = await Promise.race([prepareKernel(kernel, job.folder, job.accelerator), stop.promise]);
    accelerator = `${facts.accelerator}, ${where}`;
    server.registerKernel(facts.pid);
    await runCells(kernel, notebook, stop.promise, context);
  } catch (error) {
    // A busy kernel goes faster when it is interrupted first.
    if (stop.fired()) await kernel?.interrupt();
    throw error;
  } finally {
    stop.release();
    await kernel?.close();
    await server.stop();
    await notebook.save();
  }
  return { accelerator, metrics: await readMetrics(results), artefacts: await listArtefacts(results) };
}

function configuredServer(url: string, token: string, job: TrainingJob): JobServer {
  return {
    address: { url: url.endsWith("/") ? url : `${url}/`, token },
    sessionPath: `eda-${job.job}.ipynb`,
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

interface Stop {
  /** Rejects when the job is cancelled or out of time. */
  readonly promise: Promise<never>;
  fired(): boolean;
  release(): void;
}

function stopPromise(signal: AbortSignal, timeoutMs: number): Stop {
  let fired = false;
  let release: () => void = () => undefined;
  const promise = new Promise<never>((_, reject) => {
    const fire = (error: EdaError) => {
      fired = true;
      reject(error);
    };
    const onAbort = () => fire(new EdaError("cancelled", "cancelled", "The run was cancelled."));
    const timer = setTimeout(
      () =>
        fire(
          new EdaError(
            "terminal",
            "training-timeout",
            `The notebook was still running after ${timeoutMs / 60_000} minute(s) and was stopped.`,
            {
              todo: "Raise modeling.timeoutMinutes in the project file, or let it train on less.",
            },
          ),
        ),
      Math.min(timeoutMs, MAX_TIMER_MS),
    );
    signal.addEventListener("abort", onAbort, { once: true });
    release = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
    };
    if (signal.aborted) onAbort();
  });
  // It may reject while nobody waits for it.
  promise.catch(() => undefined);
  return { promise, fired: () => fired, release };
}
