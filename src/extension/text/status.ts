/** The one line of the status bar, and what a pointer on it says. Pure. */
import * as l10n from "@vscode/l10n";
import { printable } from "../../domain/printable.ts";
import type { GitStatus } from "../../protocol/messages.ts";
import type { LinkState } from "../host/link.ts";
import type { LiveRun } from "../runs/run-tracker.ts";
import { count, percent } from "./locale.ts";
import { numberedStage, progressText, shareDone } from "./runs.ts";

export interface StatusLine {
  /** May hold `$(codicon)`; texts from outside cannot. */
  readonly text: string;
  readonly tooltip: string;
  readonly tone: "plain" | "warning" | "error";
}

export function statusLine(link: LinkState, git: GitStatus | undefined, live: readonly LiveRun[]): StatusLine {
  if (link.kind === "failed") return { text: "$(error) eda", tooltip: printable(link.error.message), tone: "error" };
  if (link.kind === "stopped")
    return { text: "$(debug-disconnect) eda", tooltip: l10n.t("The eda host of this workspace is not running."), tone: "plain" };
  const running = live.find(({ state }) => state !== "waiting") ?? live[0];
  if (running !== undefined) return { text: `$(sync~spin) ${runningText(running)}`, tooltip: runningTooltip(live), tone: "plain" };
  if (link.kind === "connecting") return { text: "$(loading~spin) eda", tooltip: l10n.t("Connecting to the eda host…"), tone: "plain" };
  if (git === undefined) return { text: "eda", tooltip: "eda", tone: "plain" };
  if (git.problem !== null) {
    const tooltip = [git.problem.message, git.problem.todo].filter((line) => line !== null).map(printable);
    return { text: `$(warning) ${l10n.t("eda: runs are blocked")}`, tooltip: tooltip.join("\n"), tone: "warning" };
  }
  return { text: changesText(git), tooltip: changesTooltip(git), tone: "plain" };
}

function runningText(run: LiveRun): string {
  const share = run.progress === undefined ? undefined : shareDone(run.progress);
  const name = numberedStage(run.stage);
  return share === undefined ? name : `${name} ${percent(share)}`;
}

function runningTooltip(live: readonly LiveRun[]): string {
  return live.map((run) => `${printable(run.project)} · ${numberedStage(run.stage)}: ${progressText(run)}`).join("\n");
}

function changesText({ governed, ungoverned }: GitStatus): string {
  if (governed.length === 0 && ungoverned.length === 0) return "$(git-commit) eda";
  const parts = [
    governed.length === 0 ? undefined : l10n.t("{0} to commit", count(governed.length)),
    ungoverned.length === 0 ? undefined : l10n.t("{0} ungoverned", count(ungoverned.length)),
  ];
  return `$(git-commit) eda: ${parts.filter((part) => part !== undefined).join(", ")}`;
}

/** More file names than this say nothing more. */
const MAX_NAMES = 8;

function changesTooltip({ branch, governed, ungoverned, unpushed }: GitStatus): string {
  const lines = [branch === null ? undefined : l10n.t("Branch {0}", printable(branch))];
  if (governed.length === 0 && ungoverned.length === 0) lines.push(l10n.t("No changes since the last commit."));
  if (governed.length > 0) lines.push("", l10n.t("Governed changes: the next run commits them first."), ...names(governed));
  if (ungoverned.length > 0) lines.push("", l10n.t("Ungoverned changes: runs leave them alone."), ...names(ungoverned));
  if (unpushed !== null && unpushed > 0) lines.push("", l10n.t("Commits not pushed yet: {0}", count(unpushed)));
  return lines.filter((line) => line !== undefined).join("\n");
}

function names(paths: readonly string[]): string[] {
  const shown = paths.slice(0, MAX_NAMES).map((path) => `  ${printable(path)}`);
  return paths.length > MAX_NAMES ? [...shown, `  ${l10n.t("… and {0} more", count(paths.length - MAX_NAMES))}`] : shown;
}
