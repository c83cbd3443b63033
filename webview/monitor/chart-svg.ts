/** A chart as an SVG document of its own: black on white for a paper, whatever the theme. */
import { dateTime, metric } from "../../src/extension/text/locale.ts";
import { seriesColour } from "./colours.ts";
import { extreme, thinned } from "./curve.ts";
import type { PlotData } from "./plot.ts";

const WIDTH = 800;
const HEIGHT = 400;
const LEFT = 70;
const RIGHT = 20;
const TOP = 40;
const BOTTOM = 70;
const TICKS = 5;
const MAX_POINTS = 2_000;

export function chartSvg(heading: string, { axis, series, range, limit }: PlotData): string {
  const curves = series.map(({ curve, ...rest }) => ({ ...rest, curve: thinned(curve, MAX_POINTS) }));
  const xs = curves.flatMap(({ curve }) => (curve.x.length === 0 ? [] : [curve.x[0] as number, curve.x.at(-1) as number]));
  const ys = curves.flatMap(({ curve }) => [extreme(curve, "lowest")?.y, extreme(curve, "highest")?.y].filter((y) => y !== undefined));
  const x = scale(xs, LEFT, WIDTH - RIGHT);
  const y = scale(range ?? (limit === undefined ? ys : [...ys, limit]), HEIGHT - BOTTOM, TOP);
  const label = (value: number) => (axis === "step" ? metric(value) : dateTime(new Date(value).toISOString()));
  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    `<text x="${LEFT}" y="22" font-size="15" font-weight="600">${escaped(heading)}</text>`,
    ...x.ticks.map(
      (tick) => `<text x="${x.at(tick)}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle" fill="#555">${escaped(label(tick))}</text>`,
    ),
    ...y.ticks.flatMap((tick) => [
      `<path d="M${LEFT} ${y.at(tick)}H${WIDTH - RIGHT}" stroke="#ddd"/>`,
      `<text x="${LEFT - 8}" y="${y.at(tick) + 4}" text-anchor="end" fill="#555">${escaped(metric(tick))}</text>`,
    ]),
    ...(limit === undefined ? [] : [`<path d="M${LEFT} ${y.at(limit)}H${WIDTH - RIGHT}" stroke="#c80" stroke-dasharray="6 4"/>`]),
    ...curves.map(({ curve, colour, isFormer }) => {
      const points = Array.from(curve.x, (value, index) => `${x.at(value)} ${y.at(curve.y[index] as number)}`);
      const width = isFormer ? "0.75" : "1.5";
      return points.length === 0
        ? ""
        : `<path d="M${points.join("L")}" fill="none" stroke="${seriesColour(colour)}" stroke-width="${width}"/>`;
    }),
    ...curves.map(
      ({ label: name, colour }, index) =>
        `<text x="${LEFT + index * 180}" y="${HEIGHT - 20}" fill="${seriesColour(colour)}">■ <tspan fill="#000">${escaped(name)}</tspan></text>`,
    ),
    "</svg>",
  ];
  return lines.join("\n");
}

function scale(values: readonly number[], from: number, to: number) {
  const low = values.length === 0 ? 0 : Math.min(...values);
  const high = values.length === 0 ? 1 : Math.max(...values);
  const span = high - low || 1;
  return {
    at: (value: number) => Math.round((from + ((value - low) / span) * (to - from)) * 10) / 10,
    ticks: Array.from({ length: TICKS }, (_, index) => low + (span * index) / (TICKS - 1)),
  };
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
