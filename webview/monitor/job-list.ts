/** The jobs, newest first: state, progress, time left, accelerator. */
import * as l10n from "@vscode/l10n";
import { html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { jobProgress, jobStateName } from "../../src/extension/text/jobs.ts";
import { age } from "../../src/extension/text/locale.ts";
import type { JobView } from "../../src/protocol/jobs.ts";
import { type Model, selectedJob } from "./model.ts";
import { progressBar, stateIcon } from "./parts.ts";

const MAX_COMPARED = 6;

export function jobList(model: Model): TemplateResult {
  const { jobs = [], view } = model;
  const wanted = view.filter.trim().toLowerCase();
  const shown = wanted === "" ? jobs : jobs.filter((job) => searchText(job).includes(wanted));
  const selected = selectedJob(model)?.job;
  return html`<nav aria-label=${l10n.t("Training jobs")}>
    <vscode-textfield
      placeholder=${l10n.t("Filter by project, state, job…")}
      label=${l10n.t("Filter jobs")}
      .value=${view.filter}
      @input=${(event: Event) => model.change({ filter: (event.target as HTMLInputElement).value })}
    ></vscode-textfield>
    <ul class="jobs" @keydown=${moveFocus}>
      ${repeat(
        shown,
        ({ job }) => job,
        (job) => jobItem(job, model, job.job === selected),
      )}
    </ul>
    ${shown.length === 0 ? html`<p class="quiet">${l10n.t("No job matches this filter.")}</p>` : nothing}
  </nav>`;
}

function jobItem(job: JobView, model: Model, isSelected: boolean): TemplateResult {
  const { view } = model;
  const progress = jobProgress(job);
  const isCompared = view.compared.includes(job.job);
  return html`<li class=${isSelected ? "selected" : ""}>
    <button
      class="job"
      aria-current=${isSelected ? "true" : "false"}
      tabindex=${isSelected ? 0 : -1}
      @click=${() => model.change({ selected: job.job, compared: [] })}
    >
      ${stateIcon(job.status.state)}
      <span class="name">${job.project}<small>${job.job}</small></span>
      <span class="what">${jobStateName(job.status.state)} · ${age(job.createdAt, model.now)}</span>
      <span class="what">${job.accelerator ?? job.wanted}</span>
      ${progress === undefined ? nothing : html`${progressBar(progress.share, progress.text)}<span class="what wide">${progress.text}</span>`}
    </button>
    <vscode-checkbox
      label=""
      aria-label=${l10n.t("Compare {0}", job.job)}
      title=${l10n.t("Compare")}
      .checked=${isCompared}
      ?disabled=${!isCompared && view.compared.length >= MAX_COMPARED}
      @change=${() =>
        model.change({ compared: isCompared ? view.compared.filter((each) => each !== job.job) : [...view.compared, job.job] })}
    ></vscode-checkbox>
  </li>`;
}

function searchText(job: JobView): string {
  return [job.project, job.job, job.status.state, jobStateName(job.status.state), job.accelerator ?? "", job.trainer]
    .join(" ")
    .toLowerCase();
}

/** Arrows move between jobs, as in any list of the editor. */
function moveFocus(event: KeyboardEvent): void {
  const by = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
  if (by === 0 || !(event.currentTarget instanceof HTMLElement)) return;
  const buttons = [...event.currentTarget.querySelectorAll<HTMLElement>("button.job")];
  const root = event.currentTarget.getRootNode() as ShadowRoot;
  const next = buttons[buttons.indexOf(root.activeElement as HTMLElement) + by];
  if (next === undefined) return;
  event.preventDefault();
  next.focus();
}
