/** Documents of a job folder, as a runtime would write them. */
import type { Beat, Done } from "../../src/domain/job/format.ts";

export const T0 = Date.parse("2026-11-24T12:00:00Z");
export const FIRST = "001-aaaaaaaa";
export const SECOND = "002-bbbbbbbb";

/** @param minutes after {@link T0}; fractions are fine */
export const at = (minutes: number) => T0 + minutes * 60_000;
export const isoAt = (minutes: number) => new Date(at(minutes)).toISOString();

/** The beat of a training attempt that began at T0 and beats each minute: its sequence is its minute. */
export function beatOf(attempt: string, minute: number, change: Partial<Beat> = {}): Beat {
  return {
    format: "eda-beat",
    version: 1,
    job: "job-1",
    attempt,
    sequence: minute,
    at: isoAt(minute),
    phase: "training",
    runtime: "Colab",
    accelerator: { kind: "gpu", name: "Tesla T4", uuid: "GPU-1", memoryMiB: 15_360 },
    step: minute * 10,
    epoch: null,
    total: 1_000,
    metrics: { loss: 1 / minute },
    points: [{ step: minute * 10, epoch: null, at: isoAt(minute), values: { loss: 1 / minute } }],
    dropped: 0,
    gpus: [],
    process: null,
    machine: null,
    disk: null,
    log: null,
    checkpoint: null,
    resumedFrom: null,
    error: null,
    ...change,
  };
}

export function doneOf(attempt: string, minute: number, change: Partial<Done> = {}): Done {
  return {
    format: "eda-done",
    version: 1,
    job: "job-1",
    attempt,
    at: isoAt(minute),
    startedAt: isoAt(0),
    runtime: "Colab",
    accelerator: { kind: "gpu", name: "Tesla T4", uuid: "GPU-1", memoryMiB: 15_360 },
    step: minute * 10,
    metrics: { auc: 0.75 },
    resumedFrom: null,
    environment: { python: "3.12.1" },
    artefacts: [
      { name: "model.bin", path: `results/${attempt}/model.bin`, size: 3, sha256: "a".repeat(64), role: "model" },
      { name: "metrics.json", path: `results/${attempt}/metrics.json`, size: 12, sha256: "b".repeat(64), role: "metrics" },
    ],
    ...change,
  };
}
