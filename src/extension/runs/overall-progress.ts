/** One bar for several runs, one after another: as a notification shows a whole pipeline. Pure. */
import type { RunSummary } from "../../domain/run.ts";
import { isNotStarted, numberedStage, progressText, shareDone } from "../text/runs.ts";
import type { LiveRun } from "./run-tracker.ts";

export interface Overall {
  readonly message: string;
  /** 0 to 100. */
  readonly percent: number;
}

/** @param ended of the `total` runs; @param live those that are not at their end, oldest first */
export function overallProgress(total: number, ended: number, live: readonly LiveRun[]): Overall {
  const current = live.find(({ state }) => state !== "waiting") ?? live[0];
  if (current === undefined) return { message: "", percent: total === 0 ? 0 : (100 * ended) / total };
  const share = current.progress === undefined ? 0 : (shareDone(current.progress) ?? 0);
  return { message: `${numberedStage(current.stage)}: ${progressText(current)}`, percent: (100 * (ended + share)) / Math.max(total, 1) };
}

/** The run a person wants to hear of: the one that failed, else the one that was stopped, else the last. */
export function decisive(summaries: readonly RunSummary[]): RunSummary | undefined {
  return (
    summaries.find(({ state }) => state === "failed") ??
    summaries.find((summary) => summary.state === "cancelled" && !isNotStarted(summary)) ??
    summaries.find(({ state }) => state === "cancelled") ??
    summaries.at(-1)
  );
}
