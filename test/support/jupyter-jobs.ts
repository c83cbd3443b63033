/** One job on the Jupyter trainer, without a host: prepared from cells, started once, followed to its end. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { EdaError } from "../../src/domain/errors.ts";
import { acceleratorText } from "../../src/domain/job/format.ts";
import { jobLimitsSchema } from "../../src/domain/job/limits.ts";
import type { JsonObject } from "../../src/domain/json.ts";
import type { JobTrainer } from "../../src/ports/job-trainer.ts";
import { beatsIn, doneIn } from "./job-folder.ts";
import { notebookOf, type TestCell } from "./notebooks.ts";

/** Not by way of the test host: a program without vitest starts jobs as well. */
const HELPER = join(import.meta.dirname, "..", "..", "notebooks", "eda_job.py");

export const JOB = "job-1";

export interface JobRun {
  readonly parameters?: JsonObject;
  readonly accelerator?: "cpu" | "T4";
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface Ended {
  readonly result?: { readonly accelerator: string; readonly metrics: JsonObject; readonly artefacts: readonly string[] };
  /** Trouble of the trainer. */
  readonly error?: EdaError;
  /** What eda_job.py told in its last beat. */
  readonly told?: { readonly type: string; readonly message: string; readonly todo: string | null };
  readonly log: string;
  readonly executed: { readonly cells: readonly ExecutedCell[] };
}

export interface ExecutedCell {
  readonly source: string | string[];
  readonly metadata: { readonly tags?: string[] };
  readonly execution_count: number | null;
  readonly outputs: readonly { readonly output_type: string; readonly text?: string[]; readonly ename?: string }[];
}

export function jobFolderIn(stateFolder: string): string {
  return join(stateFolder, "jobs", JOB, "folder");
}

/** Prepares a job of cells and starts its first attempt. */
export async function startJob(trainer: JobTrainer, cells: readonly (string | TestCell)[], run: JobRun = {}) {
  const { parameters = {}, accelerator = "cpu", timeoutMs = 60_000, signal = new AbortController().signal } = run;
  const { place } = await trainer.prepare(
    {
      request: {
        job: JOB,
        project: "p",
        run: JOB,
        createdAt: new Date().toISOString(),
        inputs: [],
        parameters,
        notebook: { path: "notebooks/p/n.ipynb", text: notebookOf(...cells) },
        helper: await readFile(HELPER, "utf8"),
        commit: null,
        accelerator: { wanted: accelerator, allowOthers: false },
        limits: jobLimitsSchema.parse({ beatSeconds: 0.5, attemptSeconds: timeoutMs / 1_000 }),
      },
      data: new Map(),
    },
    signal,
  );
  await trainer.start(place, signal);
  return place;
}

export async function runJob(
  trainer: JobTrainer,
  stateFolder: string,
  cells: readonly (string | TestCell)[],
  run: JobRun = {},
): Promise<Ended> {
  const { signal } = new AbortController();
  const place = await startJob(trainer, cells, run);
  const folder = jobFolderIn(stateFolder);
  let error: EdaError | undefined;
  while (error === undefined && (await doneIn(folder)) === undefined) {
    error = await trainer.trouble(place, signal);
    await delay(50);
  }
  await trainer.release(place);
  const done = await doneIn(folder);
  const beats = await beatsIn(folder);
  const logs = await Promise.all(beats.flatMap(({ log }) => (log === null ? [] : [readFile(join(folder, log.path), "utf8")])));
  const told = beats.at(-1)?.error;
  return {
    ...(done === undefined
      ? {}
      : {
          result: {
            accelerator: acceleratorText({ accelerator: done.accelerator, runtime: trainer.runtime ?? done.runtime }),
            metrics: done.metrics as JsonObject,
            artefacts: done.artefacts.map(({ name }) => name),
          },
        }),
    ...(error === undefined ? {} : { error }),
    ...(told == null ? {} : { told }),
    log: logs.join(""),
    executed: JSON.parse(await readFile(join(folder, "executed.ipynb"), "utf8")) as Ended["executed"],
  };
}
