import type { JsonObject } from "../domain/json.ts";

/** What a trainer needs: everything lies in the job folder, so any trainer can carry it. */
export interface TrainingJob {
  readonly job: string;
  readonly project: string;
  /** Folder with `notebook.ipynb`, `data/<split>.parquet`; the trainer writes `executed.ipynb` and `results/` into it. */
  readonly folder: string;
  /** Parameters for the notebook's `parameters` cell, the paths of data and results among them. */
  readonly parameters: JsonObject;
  readonly accelerator: "cpu" | "T4";
  readonly timeoutMs: number;
}

export interface TrainingResult {
  /** What really trained: `cpu, jupyter local`. */
  readonly accelerator: string;
  /** From `results/metrics.json`. */
  readonly metrics: JsonObject;
  /** Files under `results/`, relative, ordered. */
  readonly artefacts: readonly string[];
}

export interface TrainingContext {
  readonly signal: AbortSignal;
  /** Output of the notebook's cells, a line each. */
  readonly onOutput: (line: string) => void;
  /** Cells executed and in all. */
  readonly onCell: (done: number, total: number) => void;
}

/**
 * Runs one notebook. A cell that raises is `terminal` `notebook-failed` with cell number and traceback; `executed.ipynb` is
 * written in every case. Cancelling kills the kernel.
 */
export interface Trainer {
  readonly name: string;
  train(job: TrainingJob, context: TrainingContext): Promise<TrainingResult>;
}
