/** What runs do, in the output channel: their states, their log lines and how they ended, each with the stage it came from. */
import type * as vscode from "vscode";
import { printable } from "../../domain/printable.ts";
import type { RunState } from "../../domain/run.ts";
import { outcomeText, progressText } from "../text/runs.ts";
import type { RunTracker } from "./run-tracker.ts";

export function writeRunLogs(tracker: RunTracker, channel: vscode.LogOutputChannel): vscode.Disposable {
  const written = new Map<string, RunState>();
  const subscriptions = [
    tracker.onChange(({ run, project, stage, state, message }) => {
      if (written.get(run) === state) return;
      written.set(run, state);
      channel.info(`[${project}/${stage}] ${progressText({ state, message })}`);
    }),
    tracker.onLine(({ project, stage, level, message }) => channel[level](`[${project}/${stage}] ${printable(message)}`)),
    tracker.onEnd((summary) => {
      written.delete(summary.runId);
      channel[summary.state === "failed" ? "error" : "info"](`[${summary.project}/${summary.stage}] ${outcomeText(summary)}`);
    }),
  ];
  return {
    dispose: () => {
      for (const subscription of subscriptions) subscription.dispose();
    },
  };
}
