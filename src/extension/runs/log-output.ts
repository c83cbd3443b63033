/** Log lines of running runs in the output channel, each with the stage it came from. */
import type * as vscode from "vscode";
import { printable } from "../../domain/names.ts";
import type { RunTracker, TrackedLine } from "./run-tracker.ts";

export function writeRunLogs(tracker: RunTracker, channel: vscode.LogOutputChannel): vscode.Disposable {
  return tracker.onLine((line) => write(channel, line));
}

function write(channel: vscode.LogOutputChannel, { level, project, stage, message }: TrackedLine): void {
  channel[level](`[${project}/${stage}] ${printable(message)}`);
}
