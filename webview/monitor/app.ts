/** `<eda-monitor>`: the whole page. Keeps what it knows, and tells the window what it looks at. */
import * as l10n from "@vscode/l10n";
import { html, LitElement, nothing } from "lit";
import { useLanguage } from "../../src/extension/text/locale.ts";
import type { JobView } from "../../src/protocol/jobs.ts";
import type { ViewState, WindowMessage } from "../../src/protocol/monitor-messages.ts";
import { type Bridge, openBridge } from "./bridge.ts";
import { jobComparison } from "./job-compare.ts";
import { jobDetail } from "./job-detail.ts";
import { jobList } from "./job-list.ts";
import { comparedJobs, emptySeries, type JobLog, type Model, type Series, selectedJob, watchedJobs } from "./model.ts";
import { styles } from "./styles.ts";

/** Ages of beats are drawn anew this often. */
const TICK_MS = 1_000;

export class EdaMonitor extends LitElement {
  static override styles = styles;

  readonly #bridge: Bridge;
  readonly #series = new Map<string, Series>();
  readonly #logs = new Map<string, JobLog>();
  #jobs: readonly JobView[] | undefined;
  #view: ViewState;
  #failure: Model["failure"] = null;
  #watched = "";
  #ticks: ReturnType<typeof setInterval> | undefined;
  #frame = 0;

  constructor() {
    super();
    this.#bridge = openBridge((message) => this.#receive(message));
    this.#view = this.#bridge.firstState;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#ticks = setInterval(() => this.#drawSoon(), TICK_MS);
    this.#bridge.send({ type: "ready" });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.#ticks);
    cancelAnimationFrame(this.#frame);
  }

  protected override render() {
    const model = this.#model();
    const { jobs, failure } = model;
    const selected = selectedJob(model);
    const compared = comparedJobs(model);
    return html`
      ${
        failure === null
          ? nothing
          : html`<div class="failure" role="alert"><vscode-icon name="error"></vscode-icon> ${failure.message} ${failure.todo ?? nothing}
              <vscode-button secondary @click=${() => this.#bridge.send({ type: "reload" })}>${l10n.t("Try again")}</vscode-button></div>`
      }
      ${jobs === undefined && failure === null ? html`<p class="empty"><vscode-progress-ring></vscode-progress-ring>${l10n.t("Asking for the jobs…")}</p>` : nothing}
      ${
        jobs?.length === 0
          ? html`<div class="empty"><p>${l10n.t("No training job yet.")}</p><p class="quiet">${l10n.t("The modeling stage makes one: run it from the Pipeline view, or with eda run modeling.")}</p></div>`
          : nothing
      }
      ${
        selected === undefined
          ? nothing
          : html`<div class="page">${jobList(model)}${compared.length > 0 ? jobComparison(compared, model) : jobDetail(selected, model)}</div>`
      }
    `;
  }

  #model(): Model {
    return {
      jobs: this.#jobs,
      view: this.#view,
      series: this.#series,
      logs: this.#logs,
      failure: this.#failure,
      now: Date.now(),
      send: (message) => this.#bridge.send(message),
      change: (view) => this.#change(view),
    };
  }

  #change(view: Partial<ViewState>): void {
    this.#view = { ...this.#view, ...view };
    this.#bridge.keep(this.#view);
    this.#watch();
    this.#drawSoon();
  }

  #receive(message: WindowMessage): void {
    switch (message.type) {
      case "language":
        useLanguage(message.locale, message.strings);
        document.documentElement.lang = message.locale;
        break;
      case "jobs":
        this.#jobs = message.jobs;
        this.#failure = null;
        this.#forgetOthers();
        break;
      case "job":
        this.#jobs = withJob(this.#jobs ?? [], message.job);
        break;
      case "series": {
        const series = this.#series.get(message.job) ?? emptySeries();
        series.points.add(message.points, message.isWhole);
        series.readings.add(message.readings, message.isWhole);
        this.#series.set(message.job, series);
        break;
      }
      case "log":
        this.#logs.set(message.job, message);
        break;
      case "select":
        this.#change({ selected: message.job, compared: [] });
        break;
      case "failure":
        this.#failure = message.failure;
        break;
    }
    this.#watch();
    this.#drawSoon();
  }

  /** Curves of jobs that nobody looks at are let go: they are asked for again. */
  #watch(): void {
    const jobs = watchedJobs(this.#model());
    const key = jobs.join(" ");
    if (key === this.#watched) return;
    this.#watched = key;
    for (const job of this.#series.keys()) if (!jobs.includes(job)) this.#series.delete(job);
    this.#bridge.send({ type: "watch", jobs });
  }

  #forgetOthers(): void {
    const known = new Set(this.#jobs?.map(({ job }) => job));
    const compared = this.#view.compared.filter((job) => known.has(job));
    if (compared.length !== this.#view.compared.length) this.#view = { ...this.#view, compared };
  }

  /** Sixty messages a second are one picture. */
  #drawSoon(): void {
    if (this.#frame !== 0) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.requestUpdate();
    });
  }
}

function withJob(jobs: readonly JobView[], job: JobView): JobView[] {
  const others = jobs.filter((each) => each.job !== job.job);
  return [...others, job].sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
}

customElements.define("eda-monitor", EdaMonitor);
