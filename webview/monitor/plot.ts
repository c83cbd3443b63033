/** A uPlot chart of some curves: made anew when its shape changes, else only given new points. */
import uPlot from "uplot";
import { fontFamily, gridColour, limitColour, seriesColour, textColour } from "./colours.ts";
import { between, type Curve, thinned } from "./curve.ts";
import type { Axis } from "./series-store.ts";

export interface PlotSeries {
  readonly label: string;
  /** Index into the theme's chart colours. */
  readonly colour: number;
  /** Of an attempt that another one took the place of: drawn thin. */
  readonly isFormer: boolean;
  readonly curve: Curve;
  /** A point to mark. */
  readonly best?: { readonly x: number; readonly y: number } | undefined;
}

export interface PlotData {
  readonly axis: Axis;
  readonly series: readonly PlotSeries[];
  /** Fixed ends of y, for what has natural ones. */
  readonly range?: readonly [number, number];
  /** A line at what must not be passed: a memory size, a power limit. */
  readonly limit?: number;
}

export interface PlotPosition {
  readonly x: number;
  /** By series; undefined where it has none near. */
  readonly values: readonly (number | undefined)[];
}

const HEIGHT = 180;
/** More points than pixels are not seen. */
const POINTS_A_PIXEL = 2;

export class Plot {
  readonly #host: HTMLElement;
  readonly #onCursor: (position: PlotPosition | undefined) => void;
  readonly #onZoom: (isZoomed: boolean) => void;
  #plot: uPlot | undefined;
  #shape = "";
  #data: PlotData | undefined;
  #zoom: { readonly min: number; readonly max: number } | undefined;

  constructor(host: HTMLElement, onCursor: (position: PlotPosition | undefined) => void, onZoom: (isZoomed: boolean) => void) {
    this.#host = host;
    this.#onCursor = onCursor;
    this.#onZoom = onZoom;
  }

  show(data: PlotData): void {
    this.#data = data;
    const shape = JSON.stringify([data.axis, data.range, data.series.map(({ label, colour, isFormer }) => [label, colour, isFormer])]);
    if (shape !== this.#shape) {
      this.#shape = shape;
      this.#zoom = undefined;
      this.#make(data);
    } else {
      this.#plot?.setData(this.#table(data), this.#zoom === undefined);
    }
  }

  /** Draws it again, for instance in the colours of another theme. */
  redraw(): void {
    if (this.#data !== undefined) this.#make(this.#data);
  }

  resize(width: number): void {
    if (this.#plot === undefined || width === this.#plot.width || width <= 0) return;
    this.#plot.setSize({ width, height: HEIGHT });
    if (this.#data !== undefined) this.#plot.setData(this.#table(this.#data), this.#zoom === undefined);
  }

  /** @param factor under 1 comes closer; around the middle of what is shown */
  zoom(factor: number): void {
    const { min, max } = this.#shown();
    const half = ((max - min) * factor) / 2;
    const middle = (min + max) / 2;
    const ends = this.#ends();
    if (half * 2 >= ends.max - ends.min) this.reset();
    else this.#plot?.setScale("x", { min: Math.max(ends.min, middle - half), max: Math.min(ends.max, middle + half) });
  }

  /** @param share of what is shown, negative to the left */
  pan(share: number): void {
    if (this.#zoom === undefined) return;
    const { min, max } = this.#zoom;
    const ends = this.#ends();
    const by = Math.min(Math.max((max - min) * share, ends.min - min), ends.max - max);
    this.#plot?.setScale("x", { min: min + by, max: max + by });
  }

  reset(): void {
    this.#zoom = undefined;
    this.#onZoom(false);
    if (this.#data !== undefined) this.#plot?.setData(this.#table(this.#data), true);
  }

  get canvas(): HTMLCanvasElement | undefined {
    return this.#plot?.ctx.canvas;
  }

  destroy(): void {
    this.#plot?.destroy();
    this.#plot = undefined;
    this.#shape = "";
  }

  readonly #onDoubleClick = () => {
    this.reset();
    return null;
  };

  #make(data: PlotData): void {
    this.#plot?.destroy();
    const axis = {
      stroke: textColour(),
      font: `11px ${fontFamily()}`,
      grid: { stroke: gridColour(), width: 1 },
      ticks: { stroke: gridColour(), width: 1 },
    };
    const options: uPlot.Options = {
      width: Math.max(this.#host.clientWidth, 200),
      height: HEIGHT,
      ms: 1,
      legend: { show: false },
      cursor: { points: { size: 6 }, drag: { x: true, y: false }, bind: { dblclick: () => this.#onDoubleClick } },
      scales: {
        x: { time: data.axis === "time" },
        y: data.range === undefined ? {} : { range: [data.range[0], data.range[1]] },
      },
      axes: [
        { ...axis, size: 32 },
        { ...axis, size: 56 },
      ],
      series: [
        {},
        ...data.series.map(
          ({ label, colour, isFormer }): uPlot.Series => ({
            label,
            stroke: seriesColour(colour),
            width: isFormer ? 0.75 : 1.5,
            alpha: isFormer ? 0.5 : 1,
            spanGaps: true,
            points: { show: (plot, index) => ((plot.data[index] as readonly unknown[] | undefined)?.length ?? 0) < 3 },
          }),
        ),
      ],
      hooks: {
        setScale: [(plot, key) => this.#scaled(plot, key)],
        setCursor: [(plot) => this.#onCursor(positionOf(plot))],
        draw: [(plot) => this.#drawMarks(plot)],
      },
    };
    this.#plot = new uPlot(options, this.#table(data), this.#host);
    if (this.#zoom !== undefined) this.#plot.setScale("x", this.#zoom);
  }

  /** What is shown now has the points it needs: closer up, other ones are worth drawing. */
  #scaled(plot: uPlot, key: string): void {
    const { min, max } = plot.scales.x ?? {};
    if (key !== "x" || min == null || max == null || this.#data === undefined) return;
    const ends = this.#ends();
    const isZoomed = min > ends.min || max < ends.max;
    const before = this.#zoom;
    this.#zoom = isZoomed ? { min, max } : undefined;
    if (!isZoomed || (before?.min === min && before.max === max)) return;
    this.#onZoom(true);
    plot.setData(this.#table(this.#data), false);
  }

  #table({ series }: PlotData): uPlot.AlignedData {
    const limit = Math.max(this.#host.clientWidth, 200) * POINTS_A_PIXEL;
    const shown = series.map(({ curve }) =>
      thinned(this.#zoom === undefined ? curve : between(curve, this.#zoom.min, this.#zoom.max), limit),
    );
    if (shown.length === 0) return [[]];
    if (shown.length === 1 && shown[0] !== undefined) return [shown[0].x, shown[0].y] as unknown as uPlot.AlignedData;
    return uPlot.join(shown.map(({ x, y }) => [x, y] as unknown as uPlot.AlignedData));
  }

  #ends(): { readonly min: number; readonly max: number } {
    let min = Number.POSITIVE_INFINITY;
    let max = Number.NEGATIVE_INFINITY;
    for (const { curve } of this.#data?.series ?? []) {
      min = Math.min(min, curve.x[0] ?? min);
      max = Math.max(max, curve.x.at(-1) ?? max);
    }
    return { min, max };
  }

  #shown(): { readonly min: number; readonly max: number } {
    return this.#zoom ?? this.#ends();
  }

  #drawMarks(plot: uPlot): void {
    const { ctx, bbox } = plot;
    ctx.save();
    const limit = this.#data?.limit;
    if (limit !== undefined) {
      const y = plot.valToPos(limit, "y", true);
      ctx.strokeStyle = limitColour();
      ctx.setLineDash([6, 4]);
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
      ctx.setLineDash([]);
    }
    for (const { best, colour } of this.#data?.series ?? []) {
      if (best === undefined) continue;
      ctx.strokeStyle = seriesColour(colour);
      ctx.lineWidth = 2;
      ctx.beginPath();
      ctx.arc(plot.valToPos(best.x, "x", true), plot.valToPos(best.y, "y", true), 5, 0, 2 * Math.PI);
      ctx.stroke();
    }
    ctx.restore();
  }
}

function positionOf(plot: uPlot): PlotPosition | undefined {
  const index = plot.cursor.idx;
  const x = index == null ? undefined : plot.data[0][index];
  if (index == null || x === undefined) return undefined;
  return { x, values: plot.data.slice(1).map((values) => values[index] ?? undefined) };
}
