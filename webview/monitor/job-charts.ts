/** The curves of a job: metrics over step or time, and the readings of its GPU against what a T4 has. */
import * as l10n from "@vscode/l10n";
import { html, nothing, type TemplateResult } from "lit";
import { guard } from "lit/directives/guard.js";
import type { JobView } from "../../src/protocol/jobs.ts";
import type { SavedChart } from "./chart.ts";
import { extreme, smoothed } from "./curve.ts";
import { metricsCsv } from "./csv.ts";
import type { Model, Series } from "./model.ts";
import { section } from "./parts.ts";
import type { PlotData, PlotSeries } from "./plot.ts";
import { chartOf, isLossLike, type SeriesStore } from "./series-store.ts";

/** What a T4 shows and may draw: 15,360 MiB, 70 W. */
const T4 = { memoryGiB: 15, powerW: 70 } as const;

export function chartControls(model: Model): TemplateResult {
  const { axis, smoothing } = model.view;
  return html`<div class="controls">
    <vscode-radio-group role="radiogroup" aria-label=${l10n.t("Horizontal axis")}>
      ${(["step", "time"] as const).map(
        (each) =>
          html`<vscode-radio name="axis" value=${each} label=${each === "step" ? l10n.t("Step") : l10n.t("Time")} ?checked=${axis === each}
            @change=${() => model.change({ axis: each })}></vscode-radio>`,
      )}
    </vscode-radio-group>
    <label>${l10n.t("Smoothing")}
      <input type="range" min="0" max="0.99" step="0.01" .value=${String(smoothing)}
        @input=${(event: Event) => model.change({ smoothing: Number((event.target as HTMLInputElement).value) })} />
      <output>${smoothing.toFixed(2)}</output>
    </label>
  </div>`;
}

export function metricCharts(job: JobView, series: Series | undefined, model: Model): TemplateResult {
  const names = series?.points.names ?? [];
  if (series === undefined || names.length === 0) return html`<p class="quiet">${l10n.t("No metric has come yet.")}</p>`;
  const charts = [...new Set(names.map(chartOf))];
  const { axis, smoothing } = model.view;
  const csv = () => model.send({ type: "save", name: `${job.project} ${job.job}.csv`, data: metricsCsv(series.points) });
  return html`${chartControls(model)}
    <div class="charts">
      ${charts.map((chart) =>
        guard([series.points.version, axis, smoothing, job.job], () => {
          const drawn = names.filter((name) => chartOf(name) === chart);
          return chartElement(chart, { axis, series: metricSeries(series.points, drawn, model) }, job, model);
        }),
      )}
    </div>
    <vscode-button secondary icon="table" @click=${csv}>${l10n.t("Save metrics as CSV")}</vscode-button>`;
}

/** Each metric of each attempt is a line; the last attempt is the one that counts. */
function metricSeries(points: SeriesStore, names: readonly string[], model: Model): PlotSeries[] {
  const { axis, smoothing } = model.view;
  const attempts = points.attempts;
  return names.flatMap((name, colour) =>
    attempts.flatMap((attempt, index): PlotSeries[] => {
      const raw = points.curve(attempt, name, axis);
      if (raw === undefined) return [];
      const curve = { x: raw.x, y: smoothed(raw.y, smoothing) };
      const label = attempts.length === 1 ? name : l10n.t("{0}, attempt {1}", name, Number(attempt.slice(0, 3)));
      const isFormer = index < attempts.length - 1;
      return [{ label, colour, isFormer, curve, best: isFormer ? undefined : extreme(curve, isLossLike(name) ? "lowest" : "highest") }];
    }),
  );
}

export function gpuCharts(job: JobView, series: Series | undefined, model: Model): TemplateResult | typeof nothing {
  const readings = series?.readings;
  const attempt = readings?.attempts.at(-1);
  if (readings === undefined || attempt === undefined) return nothing;
  const charts: readonly (readonly [string, string, string, Partial<PlotData>])[] = [
    ["utilization", l10n.t("GPU utilisation"), " %", { range: [0, 100] }],
    ["memoryUsedGiB", l10n.t("GPU memory, of 15 GiB"), " GiB", { range: [0, T4.memoryGiB + 1], limit: T4.memoryGiB }],
    ["temperatureC", l10n.t("GPU temperature"), " °C", {}],
    ["powerW", l10n.t("GPU power, of 70 W"), " W", { range: [0, T4.powerW + 10], limit: T4.powerW }],
    ["residentGiB", l10n.t("Memory of the process"), " GiB", {}],
  ];
  return section(
    l10n.t("Accelerator and machine"),
    html`<div class="charts small">
      ${charts.map(([name, heading, unit, rest]) =>
        guard([readings.version, attempt, job.job], () => {
          const curve = readings.curve(attempt, name, "time");
          if (curve === undefined || extreme(curve, "lowest") === undefined) return nothing;
          const data: PlotData = { axis: "time", series: [{ label: heading, colour: 0, isFormer: false, curve }], ...rest };
          return chartElement(heading, data, job, model, unit);
        }),
      )}
    </div>`,
  );
}

export function chartElement(heading: string, data: PlotData, job: JobView | undefined, model: Model, unit = ""): TemplateResult {
  const save = ({ detail }: CustomEvent<SavedChart>) => {
    const name = [job?.project, job?.job, heading].filter((part) => part !== undefined).join(" ");
    model.send({ type: "save", name: `${fileName(name)}.${detail.extension}`, data: detail.data });
  };
  return html`<eda-chart .heading=${heading} .data=${data} .unit=${unit} @save=${save}></eda-chart>`;
}

function fileName(text: string): string {
  return (
    text
      .replaceAll(/[^\p{L}\p{N} ._-]+/gu, "-")
      .replace(/^[^\p{L}\p{N}]+/u, "")
      .slice(0, 100) || "chart"
  );
}
