/** Log lines of running runs in the output channel, each with the stage it came from. */
import type * as vscode from "vscode";
import { printable } from "../../domain/names.ts";
import type { RunTracker, TrackedLine } from "./run-tracker.ts";

export function writeRunLogs(tracker: RunTracker, channel: vscode.LogOutputChannel): vscode.Disposable {
  return tracker.onLine((line) => write(channel, line));
}

function write(channel: vscode.LogOutputChannel, { level, project, stage, message }: TrackedLine): void {
  const text = `[${project}/${stage}] ${printable(message)}`;
  switch (level) {
    case "debug":
      return channel.debug(text);
    case "info":
      return channel.info(text);
    case "warn":
      return channel.warn(text);
    case "error":
      return channel.error(text);
  }
}
