/** Whole texts: a run with its log, the lineage of an asset, what verify and doctor found. */
import * as l10n from "@vscode/l10n";
import { parseAssetUri } from "../../domain/asset.ts";
import type { LineageGraph, LineageRun } from "../../domain/lineage.ts";
import { printable } from "../../domain/printable.ts";
import type { LogLine, RunRecord } from "../../domain/run.ts";
import type { CheckState, DoctorCheck, VerifyReport } from "../../protocol/messages.ts";
import { bytes, count, dateTime, duration } from "./locale.ts";
import { errorText, numberedStage, runDuration, totalsText } from "./runs.ts";
import { stateName } from "./stages.ts";
import { flatten } from "./storage.ts";

export function runReport(run: RunRecord, lines: readonly LogLine[], now: number): string {
  const took = runDuration(run, now);
  const facts: readonly (readonly [name: string, value: string | null])[] = [
    [l10n.t("run"), run.run],
    [l10n.t("state"), stateName(run.state)],
    [l10n.t("asked for by"), `${printable(run.actor)}, ${dateTime(run.requestedAt)}`],
    [l10n.t("took"), took === undefined ? null : duration(took)],
    [l10n.t("read and made"), run.totals === null ? null : totalsText(run.totals)],
    [l10n.t("commit before"), run.commitBefore],
    [l10n.t("commit after"), run.commitAfter],
    ...flatten(run.details).map(({ name, value }) => [name, value] as const),
  ];
  const known = facts.filter(([, value]) => value !== null);
  const width = Math.max(...known.map(([name]) => name.length));
  const log = lines.map(({ at, level, message }) => `${at}  ${level.toUpperCase().padEnd(5)}  ${printable(message)}`);
  return [
    `${numberedStage(run.stage)} · ${run.project}`,
    "",
    ...known.map(([name, value]) => `${`${name}:`.padEnd(width + 1)} ${value}`),
    ...(run.error === null ? [] : ["", errorText(run.error)]),
    "",
    ...(log.length > 0 ? log : [l10n.t("No log lines.")]),
    "",
  ].join("\n");
}

/** What an asset was made from, back to the files in Drive, with run and commits at each step. What repeats is shown once. */
export function lineageReport(graph: LineageGraph): string {
  const runs = new Map(graph.runs.map((run) => [run.run, run]));
  const steps = Map.groupBy(graph.edges, ({ to }) => to);
  const shown = new Set<string>();
  const lines: string[] = [];
  const visitAsset = (uri: string, lead: string, indent: string): void => {
    const made = steps.get(uri) ?? [];
    const again = made.length > 0 && shown.has(uri);
    lines.push(`${lead}${assetText(uri)}${again ? `  ${l10n.t("(shown above)")}` : ""}`);
    if (again) return;
    shown.add(uri);
    const byRun = [...Map.groupBy(made, ({ run }) => run)];
    byRun.forEach(([run, edges], index) => {
      const [branch, below] = index === byRun.length - 1 ? ["└─ ", "   "] : ["├─ ", "│  "];
      lines.push(`${indent}${branch}${stepText(run, runs.get(run))}`);
      const sources = [...new Set(edges.map(({ from }) => from))].sort();
      sources.forEach((source, position) => {
        const last = position === sources.length - 1;
        visitAsset(source, `${indent}${below}${last ? "└─ " : "├─ "}`, `${indent}${below}${last ? "   " : "│  "}`);
      });
    });
  };
  visitAsset(graph.root, "", "");
  return `${lines.join("\n")}\n`;
}

/** Versions are long; twelve digits tell them apart. */
const SHOWN_VERSION = 12;

function assetText(uri: string): string {
  const asset = parseAssetUri(uri);
  if (asset === undefined) return printable(uri);
  const version = asset.version.length > SHOWN_VERSION ? `${asset.version.slice(0, SHOWN_VERSION)}…` : asset.version;
  return `${asset.kind}  ${printable(asset.name)}  @${printable(version)}`;
}

function stepText(run: string, known: LineageRun | undefined): string {
  if (known === undefined) return l10n.t("by run {0}", printable(run));
  const commits = [known.commitBefore, known.commitAfter].map((commit) => commit?.slice(0, 7) ?? "–").join(" → ");
  return l10n.t("by {0}, run {1}, commits {2}", numberedStage(known.stage), run, commits);
}

export function verifyReport(report: VerifyReport): string {
  const read = l10n.t(
    "Read again: {0} objects ({1}), {2} inventory rows, {3} manifests, {4} audit entries.",
    count(report.objects),
    bytes(report.bytes),
    count(report.rows),
    count(report.manifests),
    count(report.auditEntries),
  );
  const verdict = report.ok ? l10n.t("Everything agrees.") : l10n.t("Differences: {0}", count(report.problems.length));
  const problems = report.problems.map(({ subject, name, message }) => `✗ ${subject}  ${printable(name)}\n    ${printable(message)}`);
  return [read, verdict, "", ...problems, ""].join("\n");
}

const MARKS: Readonly<Record<CheckState, string>> = { ok: "✓", warning: "⚠", failed: "✗" };

export function doctorReport(checks: readonly DoctorCheck[]): string {
  const width = Math.max(0, ...checks.map(({ name }) => name.length));
  const lines = checks.flatMap(({ name, state, message, todo }) => [
    `${MARKS[state]} ${printable(name).padEnd(width)}  ${printable(message)}`,
    ...(todo === null ? [] : [`  ${" ".repeat(width)}  → ${printable(todo)}`]),
  ]);
  return `${lines.join("\n")}\n`;
}
