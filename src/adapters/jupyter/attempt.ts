/** One attempt: the prepared notebook, run on a kernel in its job folder, from a server of its own or a configured one. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { EdaError, throwIfAborted } from "../../domain/errors.ts";
import { JOB_FILES } from "../../domain/job/format.ts";
import { parseNotebook } from "../../domain/notebook.ts";
import { ExecutedNotebook } from "./executed-notebook.ts";
import { type KernelSession, openKernel } from "./kernel.ts";
import { prepareKernel } from "./prepare-kernel.ts";
import { runCells } from "./run-cells.ts";
import type { JupyterAddress } from "./server.ts";

/** Longest delay of a timer, milliseconds. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** A server for one attempt, and how it ends. */
export interface AttemptServer {
  readonly address: JupyterAddress;
  /** Path of the notebook below the server's root: it names the session, and its folder is where the kernel starts. */
  readonly sessionPath: string;
  registerKernel(pid: number): void;
  stop(): Promise<void>;
}

export interface AttemptOptions {
  /** The job folder, absolute. */
  readonly folder: string;
  /** After it the kernel is ended; eda_job.py ends before, if the notebook lets it. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly openServer: () => Promise<AttemptServer>;
}

/**
 * Writes `executed.ipynb` in every case, and leaves nothing running.
 * @throws EdaError `terminal` `notebook-failed`, `kernel-died` or `training-timeout`; `cancelled`; of server and kernel
 */
export async function runAttempt({ folder, timeoutMs, signal, openServer }: AttemptOptions): Promise<void> {
  const source = parseNotebook(JOB_FILES.notebook, await readFile(join(folder, JOB_FILES.notebook), "utf8"));
  const notebook = new ExecutedNotebook(source, join(folder, "executed.ipynb"));
  await notebook.save();
  throwIfAborted(signal);
  const server = await openServer();
  let kernel: KernelSession | undefined;
  const stop = stopPromise(signal, timeoutMs);
  try {
    // The client's own chatter is of no use to the person; what goes wrong comes as an error.
    kernel = await openKernel(server.address, server.sessionPath, source.metadata.kernelspec?.name, () => undefined);
    server.registerKernel(await Promise.race([prepareKernel(kernel, folder), stop.promise]));
    await runCells(kernel, notebook, stop.promise);
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
}

interface Stop {
  /** Rejects when the attempt is cancelled or out of time. */
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
