/** One attempt through the `colab` program: a runtime is made, the folder sent, the notebook executed and followed, and the runtime released. */
import { copyFile, mkdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { EdaError, throwIfAborted, toEdaError } from "../../domain/errors.ts";
import type { Beat } from "../../domain/job/format.ts";
import { JOB_FILES } from "../../domain/job/format.ts";
import { printable } from "../../domain/printable.ts";
import { trainingTimeout } from "./cli-failure.ts";
import type { CliFolder } from "./cli-folder.ts";
import { notebookFailure } from "./cli-notebook.ts";
import type { ColabRuntime, colabRuntimes } from "./cli-runtime.ts";

/** What was written last may not be listed at once. */
const LAST_LOOKS = 3;
const ENDED_BADLY: readonly Beat["phase"][] = ["failed", "cancelled", "superseded"];

export interface CliAttempt {
  readonly runtimes: ReturnType<typeof colabRuntimes>;
  readonly files: CliFolder;
  /** The job folder. */
  readonly folder: string;
  /** Files of the program, on the same disk. */
  readonly scratch: string;
  readonly accelerator: string | undefined;
  /** For a cell, and for all of them. */
  readonly timeoutSeconds: number;
  /** Between two looks at the runtime, milliseconds. */
  readonly lookMs: number;
  readonly signal: AbortSignal;
  /** The runtime is there. */
  readonly onRuntime: (session: string) => void;
}

/**
 * However it ends, the runtime is released.
 * @throws EdaError why there is no `DONE.json` here; `cancelled`; `unavailable` `runtime-not-released`
 */
export async function runCliAttempt(attempt: CliAttempt): Promise<void> {
  const { runtimes, files, signal } = attempt;
  let runtime: ColabRuntime | undefined;
  try {
    throwIfAborted(signal);
    runtime = await runtimes.create(attempt.accelerator);
    attempt.onRuntime(runtime.session);
    throwIfAborted(signal);
    await files.send(runtime, signal);
    await train(attempt, runtime);
  } finally {
    if (signal.aborted && runtime !== undefined) await runtimes.tellCancelled(runtime.session, files.remote(JOB_FILES.cancel));
    await runtimes.release();
  }
}

async function train({ files, folder, scratch, timeoutSeconds, lookMs, signal }: CliAttempt, runtime: ColabRuntime): Promise<void> {
  await mkdir(scratch, { recursive: true });
  const notebook = join(scratch, "notebook.ipynb");
  const executed = join(scratch, "notebook_output.ipynb");
  await copyFile(join(folder, JOB_FILES.notebook), notebook);
  await rm(executed, { force: true });
  const enough = new AbortController();
  const timeout = AbortSignal.timeout(timeoutSeconds * 1_000);
  const stop = AbortSignal.any([signal, timeout, enough.signal]);
  let isRunning = true;
  let last: Beat | undefined;
  const running = runtime.execute(notebook, timeoutSeconds, stop).finally(() => {
    isRunning = false;
  });
  running.catch(() => undefined);
  while (isRunning) {
    await Promise.race([running.catch(() => undefined), delay(lookMs, undefined, { signal: stop }).catch(() => undefined)]);
    if (!isRunning || stop.aborted) break;
    // A look that fails is made again; silence is judged by others.
    last = (await files.fetch(runtime, stop).catch(() => undefined)) ?? last;
    // The program would go on with the next cell, and the person pay for it.
    if (last !== undefined && ENDED_BADLY.includes(last.phase)) enough.abort();
  }
  const outcome = await running.then(
    () => undefined,
    (error: unknown) => toEdaError(error),
  );
  await copyFile(executed, `${executed}.kept`)
    .then(() => rename(`${executed}.kept`, join(folder, "executed.ipynb")))
    .catch(() => undefined);
  throwIfAborted(signal);
  const { problem, beat = last } = await lastLooks(files, runtime, signal);
  if (await files.isDone()) return;
  if (timeout.aborted) throw trainingTimeout(timeoutSeconds);
  if (outcome !== undefined) throw outcome;
  throw notebookFailure(await readFile(executed, "utf8").catch(() => "")) ?? beatFailure(beat) ?? problem ?? ENDED_WITHOUT_RESULTS;
}

const ENDED_WITHOUT_RESULTS = new EdaError(
  "terminal",
  "notebook-ended",
  "The notebook came to its end on the runtime and left no DONE.json.",
  {
    todo: "See what it put out, correct it and run the stage again.",
  },
);

/** Interrupted too late, the program saves no notebook: then what eda_job.py told is all there is. */
function beatFailure(beat: Beat | undefined): EdaError | undefined {
  const error = beat?.error;
  if (error == null) return undefined;
  return new EdaError("terminal", "notebook-failed", `The notebook raised ${printable(`${error.type}: ${error.message}`)}`, {
    todo: printable(error.todo ?? "Correct the notebook and run again."),
  });
}

/** @returns the newest beat that came, and what kept the results from coming */
async function lastLooks(files: CliFolder, runtime: ColabRuntime, signal: AbortSignal): Promise<{ beat?: Beat; problem?: EdaError }> {
  let problem: EdaError | undefined;
  for (let look = 1; look <= LAST_LOOKS && !(await files.isDone()); look += 1) {
    if (look > 1) await delay(1_000, undefined, { signal });
    try {
      const beat = await files.fetch(runtime, signal);
      return beat === undefined ? {} : { beat };
    } catch (error) {
      throwIfAborted(signal);
      problem = toEdaError(error);
    }
  }
  return problem === undefined ? {} : { problem };
}
