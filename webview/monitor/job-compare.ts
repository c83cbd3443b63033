/** Jobs side by side: parameters, metrics with the best marked, curves over each other. */
import * as l10n from "@vscode/l10n";
import { html, type TemplateResult } from "lit";
import { jobStateName } from "../../src/extension/text/jobs.ts";
import { metric } from "../../src/extension/text/locale.ts";
import type { JobView } from "../../src/protocol/jobs.ts";
import { extreme, smoothed } from "./curve.ts";
import { chartControls, chartElement } from "./job-charts.ts";
import type { Model } from "./model.ts";
import { section } from "./parts.ts";
import type { PlotSeries } from "./plot.ts";
import { isLossLike } from "./series-store.ts";

export function jobComparison(jobs: readonly JobView[], model: Model): TemplateResult {
  return html`<main aria-label=${l10n.t("Comparison")}>
    <header>
      <h1>${l10n.t("{0} jobs compared", jobs.length)}</h1>
      <div class="actions">
        <vscode-button secondary icon="close" @click=${() => model.change({ compared: [] })}>${l10n.t("End comparison")}</vscode-button>
      </div>
    </header>
    ${section(l10n.t("Results"), table(jobs, [l10n.t("State"), ...stateRow(jobs)], metricRows(jobs)))}
    ${section(l10n.t("Curves"), curves(jobs, model))}
    ${section(l10n.t("Parameters"), table(jobs, undefined, parameterRows(jobs)))}
  </main>`;
}

interface Cell {
  readonly text: string;
  readonly isMarked: boolean;
}

interface Line {
  readonly name: string;
  readonly cells: readonly Cell[];
}

function table(jobs: readonly JobView[], first: readonly string[] | undefined, lines: readonly Line[]): TemplateResult {
  return html`<div class="scroll"><table class="comparison">
    <thead><tr><td></td>${jobs.map((job) => html`<th scope="col">${job.project}<small>${job.job}</small></th>`)}</tr></thead>
    <tbody>
      ${first === undefined ? "" : html`<tr>${first.map((text, index) => (index === 0 ? html`<th scope="row">${text}</th>` : html`<td>${text}</td>`))}</tr>`}
      ${lines.map(
        ({ name, cells }) =>
          html`<tr><th scope="row">${name}</th>${cells.map(({ text, isMarked }) => html`<td class=${isMarked ? "marked" : ""}>${text}</td>`)}</tr>`,
      )}
    </tbody>
  </table></div>`;
}

function stateRow(jobs: readonly JobView[]): string[] {
  return jobs.map((job) => jobStateName(job.status.state));
}

function metricRows(jobs: readonly JobView[]): Line[] {
  return namesOf(jobs.map(({ metrics }) => metrics)).map((name) => {
    const values = jobs.map(({ metrics }) => metrics[name]);
    const numbers = values.filter((value) => typeof value === "number");
    const best = numbers.length < 2 ? undefined : isLossLike(name) ? Math.min(...numbers) : Math.max(...numbers);
    return {
      name,
      cells: values.map((value) => {
        if (typeof value !== "number") return { text: value === undefined ? "–" : JSON.stringify(value), isMarked: false };
        const isMarked = value === best;
        return { text: isMarked ? `★ ${metric(value)}` : metric(value), isMarked };
      }),
    };
  });
}

/** What differs is marked. */
function parameterRows(jobs: readonly JobView[]): Line[] {
  return namesOf(jobs.map(({ parameters }) => parameters)).map((name) => {
    const values = jobs.map(({ parameters }) => (name in parameters ? JSON.stringify(parameters[name]) : "–"));
    const isMarked = new Set(values).size > 1;
    return { name, cells: values.map((text) => ({ text, isMarked })) };
  });
}

function curves(jobs: readonly JobView[], model: Model): TemplateResult {
  const { axis, smoothing } = model.view;
  const names = [...new Set(jobs.flatMap(({ job }) => model.series.get(job)?.points.names ?? []))];
  if (names.length === 0) return html`<p class="quiet">${l10n.t("No metric has come yet.")}</p>`;
  return html`${chartControls(model)}
    <div class="charts">
      ${names.map((name) => {
        const series = jobs.flatMap(({ job }, colour): PlotSeries[] => {
          const points = model.series.get(job)?.points;
          const attempt = points?.attempts.findLast((each) => points.curve(each, name, axis) !== undefined);
          const raw = attempt === undefined ? undefined : points?.curve(attempt, name, axis);
          if (raw === undefined) return [];
          // Over time, runs are laid over each other: each begins at 0.
          const from = axis === "time" ? (raw.x[0] ?? 0) : 0;
          const curve = { x: from === 0 ? raw.x : raw.x.map((x) => x - from), y: smoothed(raw.y, smoothing) };
          return [{ label: job, colour, isFormer: false, curve, best: extreme(curve, isLossLike(name) ? "lowest" : "highest") }];
        });
        return chartElement(name, { axis, series }, undefined, model);
      })}
    </div>`;
}

function namesOf(records: readonly Readonly<Record<string, unknown>>[]): string[] {
  return [...new Set(records.flatMap((record) => Object.keys(record)))].sort();
}
