/** `<eda-chart>`: one chart with its heading, legend, zoom and export. */
import * as l10n from "@vscode/l10n";
import { css, html, LitElement, type PropertyValues, unsafeCSS } from "lit";
import uPlotStyles from "uplot/dist/uPlot.min.css";
import { dateTime, metric } from "../../src/extension/text/locale.ts";
import { onThemeChange, seriesColour } from "./colours.ts";
import { extreme, lastValue } from "./curve.ts";
import { chartSvg } from "./chart-svg.ts";
import { Plot, type PlotData, type PlotPosition } from "./plot.ts";

/** Detail of the event `save`. */
export interface SavedChart {
  readonly extension: "png" | "svg";
  readonly data: string;
}

export class EdaChart extends LitElement {
  static override properties = {
    heading: { type: String },
    unit: { type: String },
    data: { attribute: false },
    position: { state: true },
    isZoomed: { state: true },
  };

  static override styles = [
    unsafeCSS(uPlotStyles),
    css`
      :host { display: block; min-width: 0; }
      figure { margin: 0; }
      figcaption { display: flex; align-items: center; gap: 4px; min-height: 26px; }
      h3 { font-size: 1em; font-weight: 600; margin: 0; flex: 1; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
      .plot { outline-offset: 2px; }
      .plot:focus-visible { outline: 1px solid var(--vscode-focusBorder); }
      ul { list-style: none; display: flex; flex-wrap: wrap; gap: 2px 12px; margin: 2px 0 0; padding: 0; font-size: 0.9em; }
      li { display: flex; align-items: center; gap: 4px; color: var(--vscode-descriptionForeground); }
      li b { color: var(--vscode-foreground); font-weight: 600; font-variant-numeric: tabular-nums; }
      .swatch { width: 10px; height: 3px; border-radius: 1px; }
      .former { opacity: 0.6; }
      .at { margin-left: auto; font-variant-numeric: tabular-nums; }
    `,
  ];

  declare heading: string;
  declare unit: string;
  declare data: PlotData;
  declare position: PlotPosition | undefined;
  declare isZoomed: boolean;
  #plot: Plot | undefined;
  #resizes: ResizeObserver | undefined;
  #stopTheme: (() => void) | undefined;

  constructor() {
    super();
    this.heading = "";
    this.unit = "";
    this.data = { axis: "step", series: [] };
    this.isZoomed = false;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#resizes?.disconnect();
    this.#stopTheme?.();
    this.#plot?.destroy();
    this.#plot = undefined;
  }

  protected override updated(changed: PropertyValues<this>): void {
    const host = this.renderRoot.querySelector<HTMLElement>(".plot");
    if (host === null) return;
    if (this.#plot === undefined) this.#open(host);
    if (changed.has("data")) this.#plot?.show(this.data);
  }

  #open(host: HTMLElement): void {
    const plot = new Plot(
      host,
      (position) => {
        this.position = position;
      },
      (isZoomed) => {
        this.isZoomed = isZoomed;
      },
    );
    this.#plot = plot;
    this.#resizes = new ResizeObserver(() => plot.resize(host.clientWidth));
    this.#resizes.observe(host);
    this.#stopTheme = onThemeChange(() => {
      plot.redraw();
      this.requestUpdate();
    });
    plot.show(this.data);
  }

  protected override render() {
    const { series, axis } = this.data;
    const { position } = this;
    const at =
      position === undefined ? "" : axis === "step" ? l10n.t("step {0}", position.x) : dateTime(new Date(position.x).toISOString());
    return html`<figure>
      <figcaption>
        <h3 title=${this.heading}>${this.heading}</h3>
        ${
          this.isZoomed
            ? html`<vscode-button secondary icon="zoom-out" title=${l10n.t("Show all of it again")} @click=${() => this.#plot?.reset()}>${l10n.t("Whole")}</vscode-button>`
            : ""
        }
        <vscode-toolbar-button icon="device-camera" label=${l10n.t("Save {0} as PNG", this.heading)} @click=${this.#savePng}></vscode-toolbar-button>
        <vscode-toolbar-button icon="file-media" label=${l10n.t("Save {0} as SVG", this.heading)} @click=${this.#saveSvg}></vscode-toolbar-button>
      </figcaption>
      <div class="plot" role="img" tabindex="0" aria-label=${this.#summary()} @keydown=${this.#onKey}></div>
      <ul>
        ${series.map(({ label, colour, isFormer, curve }, index) => {
          const value = position === undefined ? lastValue(curve.y) : position.values[index];
          return html`<li class=${isFormer ? "former" : ""}>
            <span class="swatch" .style=${`background: ${seriesColour(colour)}`}></span>${label}
            <b>${value === undefined ? "–" : `${metric(value)}${this.unit}`}</b>
          </li>`;
        })}
        ${at === "" ? "" : html`<li class="at">${at}</li>`}
      </ul>
    </figure>`;
  }

  /** What a screen reader says instead of the picture. */
  #summary(): string {
    const parts = this.data.series.map(({ label, curve }) => {
      const lowest = extreme(curve, "lowest");
      const highest = extreme(curve, "highest");
      const last = lastValue(curve.y);
      if (lowest === undefined || highest === undefined || last === undefined) return l10n.t("{0}: no value yet", label);
      return l10n.t("{0}: now {1}, lowest {2}, highest {3}", label, metric(last), metric(lowest.y), metric(highest.y));
    });
    return [this.heading, ...parts, l10n.t("Plus and minus zoom, arrows move, 0 shows all.")].join(". ");
  }

  readonly #onKey = (event: KeyboardEvent) => {
    const actions: Readonly<Record<string, () => void>> = {
      "+": () => this.#plot?.zoom(0.5),
      "=": () => this.#plot?.zoom(0.5),
      "-": () => this.#plot?.zoom(2),
      "0": () => this.#plot?.reset(),
      ArrowLeft: () => this.#plot?.pan(-0.2),
      ArrowRight: () => this.#plot?.pan(0.2),
    };
    const action = actions[event.key];
    if (action === undefined) return;
    event.preventDefault();
    action();
  };

  readonly #savePng = () => {
    const url = this.#plot?.canvas?.toDataURL("image/png");
    if (url !== undefined) this.#save({ extension: "png", data: url.slice(url.indexOf(",") + 1) });
  };

  readonly #saveSvg = () => this.#save({ extension: "svg", data: chartSvg(this.heading, this.data) });

  #save(detail: SavedChart): void {
    this.dispatchEvent(new CustomEvent<SavedChart>("save", { detail }));
  }
}

customElements.define("eda-chart", EdaChart);
