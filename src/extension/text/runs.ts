/** Runs as rows of a tree and as progress lines. */
import * as l10n from "@vscode/l10n";
import { formatLocation, type ErrorDocument } from "../../domain/errors.ts";
import { printable } from "../../domain/printable.ts";
import { isTerminal, type RunProgress, type RunRecord, type RunState, type RunSummary, type RunTotals } from "../../domain/run.ts";
import { stageOf, STAGES } from "../../domain/stage.ts";
import type { Row } from "../tree/node.ts";
import { age, bytes, count, dateTime, duration, percent } from "./locale.ts";
import { stageName, stateIcon, stateName } from "./stages.ts";

/** What is known of a run now: the record, or for a live one the newest of the events. */
export interface RunNow {
  readonly state: RunState;
  readonly message?: string | undefined;
  readonly progress?: RunProgress | undefined;
}

/** `42% · 1.2 MB of 3 MB · flights.csv`, or the state's name while no progress is known. */
export function progressText({ state, message, progress }: RunNow): string {
  if (message !== undefined) return printable(message);
  if (progress === undefined) return stateName(state);
  const share = shareDone(progress);
  const amount = amountText(progress);
  return [share === undefined ? undefined : percent(share), amount, printable(progress.label)].filter(isText).join(" · ");
}

/** 0 to 1, or undefined when the total is unknown. */
export function shareDone({ done, total }: RunProgress): number | undefined {
  return total > 0 ? Math.min(1, Math.max(0, done / total)) : undefined;
}

function amountText({ done, total, unit }: RunProgress): string | undefined {
  const format = unit === "bytes" ? bytes : count;
  const amounts = total > 0 ? l10n.t("{0} of {1}", format(done), format(total)) : format(done);
  switch (unit) {
    case "bytes":
      return amounts;
    case "files":
      return l10n.t("{0} files", amounts);
    case "rows":
      return l10n.t("{0} rows", amounts);
    case "steps":
      return total > 1 ? l10n.t("step {0}", amounts) : undefined;
  }
}

/** `2/7 Ingest`. */
export function numberedStage(stage: RunRecord["stage"]): string {
  return `${stageOf(stage).number}/${STAGES.length} ${stageName(stage)}`;
}

export function totalsText(totals: RunTotals): string {
  return l10n.t(
    "{0} in ({1}) → {2} out ({3})",
    count(totals.inputs),
    bytes(totals.inputBytes),
    count(totals.outputs),
    bytes(totals.outputBytes),
  );
}

export function runRow(run: RunRecord, live: RunNow | undefined, now: number, withProject: boolean): Row {
  const current: RunNow = isTerminal(run.state) ? { state: run.state } : (live ?? { state: run.state });
  const terminal = isTerminal(current.state);
  const took = runDuration(run, now);
  const when = run.finishedAt ?? run.startedAt ?? run.requestedAt;
  const state = isNotStarted(run) ? l10n.t("not started") : stateName(current.state);
  const label = withProject ? `${stageName(run.stage)} · ${printable(run.project)}` : stageName(run.stage);
  const facts = [age(when, now), took === undefined ? undefined : duration(took)];
  // The icon says that a run succeeded; a narrow side bar has no room to say it again.
  const shown = run.state === "succeeded" ? facts : [state, ...facts];
  const description = terminal ? shown.filter(isText).join(" · ") : progressText(current);
  return {
    label,
    description,
    tooltip: runTooltip(run, state, now),
    icon: stateIcon(current.state),
    context: `run.${terminal ? "ended" : "active"}${run.state === "failed" || run.state === "cancelled" ? ".again" : ""}`,
    spoken: [label, state, description].join(", "),
    command: { id: "eda.showRunLog", title: l10n.t("Show log") },
  };
}

function runTooltip(run: RunRecord, state: string, now: number): string {
  const took = runDuration(run, now);
  const lines = [
    l10n.t("Run {0}", run.run),
    l10n.t("Project: {0}", printable(run.project)),
    l10n.t("State: {0}", state),
    l10n.t("Asked for by {0}, {1}", printable(run.actor), dateTime(run.requestedAt)),
    took === undefined ? undefined : l10n.t("Took {0}", duration(took)),
    run.totals === null ? undefined : totalsText(run.totals),
    run.commitBefore === null ? undefined : l10n.t("Commit before: {0}", run.commitBefore.slice(0, 10)),
    run.commitAfter === null ? undefined : l10n.t("Commit after: {0}", run.commitAfter.slice(0, 10)),
    ...(run.error === null ? [] : ["", errorText(run.error)]),
  ];
  return lines.filter((line) => line !== undefined).join("\n");
}

/** A later stage of a pipeline that stopped before it: cancelled, but by nobody. */
export function isNotStarted(run: Pick<RunRecord, "state" | "error">): boolean {
  return run.state === "cancelled" && run.error?.code === "not-started";
}

/** Milliseconds a run took so far, or in all; undefined before it started. */
export function runDuration(run: Pick<RunRecord, "startedAt" | "finishedAt">, now: number): number | undefined {
  if (run.startedAt === null) return undefined;
  return (run.finishedAt === null ? now : Date.parse(run.finishedAt)) - Date.parse(run.startedAt);
}

/** Message, place and what to do, in one text of plain lines. */
export function errorText(error: ErrorDocument): string {
  const findings = (error.findings ?? []).map(
    ({ message, at }) => `• ${at === undefined ? "" : `${printable(formatLocation(at))}: `}${printable(message)}`,
  );
  const shown = findings.length > 1 ? findings.slice(0, 10) : [];
  const rest = findings.length - shown.length;
  return [
    printable(error.message),
    ...shown,
    shown.length > 0 && rest > 0 ? l10n.t("… and {0} more", count(rest)) : undefined,
    error.todo === undefined ? undefined : printable(error.todo),
  ]
    .filter((line) => line !== undefined)
    .join("\n");
}

/** The one line a notification shows when a run has ended. */
export function outcomeText(summary: RunSummary): string {
  const stage = stageName(summary.stage);
  switch (summary.state) {
    case "succeeded":
      return summary.totals === null ? l10n.t("{0} finished.", stage) : l10n.t("{0} finished: {1}.", stage, totalsText(summary.totals));
    case "unchanged":
      return l10n.t("{0}: nothing to do. Inputs and code are unchanged.", stage);
    case "cancelled":
      return l10n.t("{0} was cancelled. Nothing of it is visible.", stage);
    default:
      return l10n.t("{0} failed: {1}", stage, summary.error === null ? l10n.t("unknown reason") : failureText(summary.error));
  }
}

/** The one line for several runs that ended well. */
export function pipelineOutcomeText(project: string, summaries: readonly RunSummary[]): string {
  const unchanged = summaries.filter(({ state }) => state === "unchanged").length;
  if (unchanged === summaries.length) return l10n.t("Nothing to do: all stages are up to date.");
  if (unchanged === 0) return l10n.t("{0}: all stages finished.", project);
  return l10n.t("{0}: stages finished: {1}, already up to date: {2}.", project, count(summaries.length - unchanged), count(unchanged));
}

/** Message and what to do, on one line. */
export function failureText(error: ErrorDocument): string {
  return [error.message, error.todo].filter(isText).map(printable).join(" ");
}

function isText(part: string | undefined): part is string {
  return part !== undefined && part !== "";
}
