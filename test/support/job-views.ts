/** Training jobs as the host tells them to the job monitor. */
import { jobLimitsSchema } from "../../src/domain/job/limits.ts";
import { reduceJob } from "../../src/domain/job/reduce.ts";
import { type JobEvent, type JobStatus, preparedJob } from "../../src/domain/job/status.ts";
import type { JobView } from "../../src/protocol/jobs.ts";
import { at, beatOf, doneOf, FIRST, isoAt, SECOND } from "./job-documents.ts";

const LIMITS = jobLimitsSchema.parse({});
const SUBMITTED: JobEvent = { type: "submitted" };
const beats = (attempt: string, from: number, to: number, change: Parameters<typeof beatOf>[2] = {}): (readonly [number, JobEvent])[] =>
  Array.from({ length: to - from + 1 }, (_, index) => [from + index, { type: "beat", beat: beatOf(attempt, from + index, change) }]);

/** What becomes of a job by these events, each at its minute. */
export function statusAfter(events: readonly (readonly [number, JobEvent])[], untilMinute: number): JobStatus {
  let status = reduceJob(preparedJob(at(0)), SUBMITTED, at(0), LIMITS);
  for (const [minute, event] of events) status = reduceJob(status, event, at(minute), LIMITS);
  return reduceJob(status, { type: "tick" }, at(untilMinute), LIMITS);
}

const checkpoint = { checkpoint: { name: "000300", step: 300, score: 0.71 } };

/** One job in each state a person meets. */
export const STATUSES = {
  waiting: statusAfter([], 1),
  running: statusAfter(beats(FIRST, 1, 42, checkpoint), 42),
  late: statusAfter(beats(FIRST, 1, 30), 36),
  lost: statusAfter(beats(FIRST, 1, 30, checkpoint), 70),
  resumed: statusAfter(
    [
      ...beats(FIRST, 1, 30, checkpoint),
      [70, { type: "resume-asked" }],
      ...beats(SECOND, 71, 80, { ...checkpoint, resumedFrom: checkpoint.checkpoint }),
    ],
    80,
  ),
  failed: statusAfter(
    [
      ...beats(FIRST, 1, 5),
      [
        6,
        {
          type: "beat",
          beat: beatOf(FIRST, 6, {
            phase: "failed",
            error: {
              type: "WrongAccelerator",
              message: "The job wants a T4 and got no GPU.",
              todo: "Choose Runtime, Change runtime type, T4 GPU, then run all cells.",
              traceback: [],
            },
          }),
        },
      ],
    ],
    7,
  ),
  succeeded: statusAfter(
    [...beats(FIRST, 1, 50, checkpoint), [51, { type: "done", done: doneOf(FIRST, 51) }], [52, { type: "verified", attempt: FIRST }]],
    53,
  ),
  cancelled: statusAfter([...beats(FIRST, 1, 5), [6, { type: "cancel-asked" }]], 40),
} as const;

export function jobView(change: Partial<JobView> = {}): JobView {
  const job = change.job ?? "20261124-120000-k3f9qz";
  return {
    job,
    project: "projeto_voos",
    run: job,
    trainer: "Google Drive, Colab",
    status: STATUSES.running,
    wanted: "T4",
    accelerator: "Tesla T4, Colab",
    createdAt: isoAt(0),
    finishedAt: null,
    parameters: { epochs: 100, learning_rate: 0.001, batch_size: 256, seed: 42 },
    metrics: { loss: 0.412, val_loss: 0.455, auc: 0.731 },
    notebook: "notebooks/projeto_voos/treino.ipynb",
    commitBefore: "3f786850e387550fdab836ed7e6dc881de23001b",
    commitAfter: null,
    limits: LIMITS,
    inputs: [file("datasets", "projeto_voos/atrasos/train.parquet"), file("datasets", "projeto_voos/atrasos/validation.parquet")],
    outputs: [],
    openUrl: "https://colab.research.google.com/drive/1a2b3c",
    ...change,
  };
}

function file(bucket: string, key: string): JobView["inputs"][number] {
  return {
    name: key.slice(key.lastIndexOf("/") + 1),
    size: 4_812_331,
    sha256: "89e6c98d92887913cadf06b2adb97f26cde4849b89e6c98d92887913cadf06b2",
    object: { bucket, key, versionId: "v1" },
  };
}

/** A job a state, newest first. */
export function jobViews(): JobView[] {
  const accelerators: Partial<Record<keyof typeof STATUSES, string>> = { waiting: "", failed: "" };
  return Object.entries(STATUSES).map(([name, status], index) =>
    jobView({
      job: `20261124-${String(120000 - index * 100)}-${name.padEnd(6, "x").slice(0, 6)}`,
      status,
      project: index % 3 === 2 ? "credito" : "projeto_voos",
      accelerator: accelerators[name as keyof typeof STATUSES] === "" ? null : "Tesla T4, Colab",
      createdAt: isoAt(-index * 90),
      parameters: { epochs: 100, learning_rate: index % 2 === 0 ? 0.001 : 0.01, batch_size: 256, seed: 42 },
      metrics: { loss: 0.41 - index / 100, val_loss: 0.45 + index / 100, auc: 0.7 + index / 100 },
      ...(status.state === "succeeded"
        ? {
            outputs: [file("outputs", "projeto_voos/jobs/modelo.onnx")],
            commitAfter: "9a1f786850e387550fdab836ed7e6dc881de2300",
            finishedAt: isoAt(53),
          }
        : {}),
    }),
  );
}
