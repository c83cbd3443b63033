/** Projects and stages as rows. */
import * as l10n from "@vscode/l10n";
import { printable } from "../../domain/printable.ts";
import type { RunState } from "../../domain/run.ts";
import { stageOf } from "../../domain/stage.ts";
import type { ProjectStatus, StageStatus } from "../../protocol/messages.ts";
import type { Icon, Row } from "../tree/node.ts";
import { age, count, dateTime } from "./locale.ts";
import { errorText, isNotStarted, progressText, type RunNow, totalsText } from "./runs.ts";
import { stageName, stagePurpose, stateIcon, stateName } from "./stages.ts";

export function projectRow(status: ProjectStatus): Row {
  const stale = status.stages.filter(({ freshness }) => freshness === "stale").length;
  const problems = status.problems.length;
  const description =
    problems > 0
      ? l10n.t("problems in the project file: {0}", count(problems))
      : stale > 0
        ? l10n.t("stages out of date: {0}", count(stale))
        : undefined;
  const title = status.title === null ? undefined : printable(status.title);
  return {
    label: printable(status.project),
    ...(description === undefined ? (title === undefined ? {} : { description: title }) : { description }),
    tooltip: [title, description, ...status.problems.map(({ message }) => `• ${printable(message)}`)]
      .filter((line) => line !== undefined)
      .join("\n"),
    icon: problems > 0 ? { id: "warning", color: "list.warningForeground" } : { id: "project" },
    context: "project",
  };
}

export function stageRow(status: StageStatus, live: RunNow | undefined, now: number): Row {
  const { stage, activeRun, lastRun } = status;
  const current = live ?? (activeRun === null ? undefined : { state: activeRun.state });
  const label = `${stageOf(stage).number} · ${stageName(stage)}`;
  const description = current === undefined ? restingText(status, now) : progressText(current);
  return {
    label,
    description,
    tooltip: stageTooltip(status),
    icon: current === undefined ? restingIcon(status) : stateIcon(current.state),
    context: `stage.${current === undefined ? "idle" : "running"}${lastRun === null ? "" : ".ran"}`,
    spoken: `${stageName(stage)}, ${description}`,
  };
}

function restingText(status: StageStatus, now: number): string {
  const { freshness, lastRun } = status;
  const ended = lastRun === null ? undefined : age(lastRun.finishedAt ?? lastRun.requestedAt, now);
  const stopped = stoppedState(status);
  if (stopped !== undefined) return `${stateName(stopped)} · ${ended}`;
  switch (freshness) {
    case "invalid":
      return l10n.t("project file is not valid");
    case "never":
      return l10n.t("not run yet");
    case "stale":
      return ended === undefined ? l10n.t("out of date") : `${l10n.t("out of date")} · ${ended}`;
    case "unknown":
      return ended ?? "";
    case "fresh":
      return ended === undefined ? l10n.t("up to date") : `${l10n.t("up to date")} · ${ended}`;
  }
}

/** What matters more than whether it is up to date: that the last attempt did not get there. */
function stoppedState({ freshness, lastRun }: StageStatus): RunState | undefined {
  if (freshness === "invalid" || lastRun === null || isNotStarted(lastRun)) return undefined;
  return lastRun.state === "failed" || lastRun.state === "cancelled" ? lastRun.state : undefined;
}

function restingIcon(status: StageStatus): Icon {
  const stopped = stoppedState(status);
  if (stopped !== undefined) return stateIcon(stopped);
  switch (status.freshness) {
    case "invalid":
      return { id: "warning", color: "list.warningForeground" };
    case "never":
      return { id: "circle-large-outline", color: "disabledForeground" };
    case "stale":
      return { id: "history", color: "list.warningForeground" };
    case "unknown":
      return { id: "circle-outline" };
    case "fresh":
      return { id: "pass-filled", color: "testing.iconPassed" };
  }
}

function stageTooltip({ stage, freshness, reason, lastRun }: StageStatus): string {
  const lines = [stagePurpose(stage)];
  if (reason !== null && freshness !== "fresh") lines.push("", printable(reason));
  if (lastRun !== null) {
    lines.push("", l10n.t("Last run: {0}, {1}", stateName(lastRun.state), dateTime(lastRun.finishedAt ?? lastRun.requestedAt)));
    if (lastRun.totals !== null) lines.push(totalsText(lastRun.totals));
    if (lastRun.error !== null) lines.push("", errorText(lastRun.error));
  }
  return lines.join("\n");
}
