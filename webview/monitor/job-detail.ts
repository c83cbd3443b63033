/** One job: where it stands and what to do, its curves, and everything it is made of. */
import * as l10n from "@vscode/l10n";
import { html, nothing, type TemplateResult } from "lit";
import { canCancel, currentAttempt } from "../../src/domain/job/status.ts";
import { isResumable, jobProgress, jobStateName, reasonWords } from "../../src/extension/text/jobs.ts";
import { age, duration } from "../../src/extension/text/locale.ts";
import type { JobView } from "../../src/protocol/jobs.ts";
import { gpuCharts, metricCharts } from "./job-charts.ts";
import { attempts, files, logTail, parameters, provenance } from "./job-facts.ts";
import type { Model } from "./model.ts";
import { progressBar, section, stateIcon } from "./parts.ts";

export function jobDetail(job: JobView, model: Model): TemplateResult {
  const series = model.series.get(job.job);
  return html`<main aria-label=${l10n.t("Job {0}", job.job)}>
    ${head(job, model)}
    ${section(l10n.t("Metrics"), metricCharts(job, series, model))}
    ${gpuCharts(job, series, model)}
    ${section(l10n.t("Attempts and checkpoints"), attempts(job, model.now))}
    ${section(l10n.t("Log"), logTail(model.logs.get(job.job)))}
    ${section(l10n.t("Inputs"), files(job, "inputs", model))}
    ${section(l10n.t("Outputs"), files(job, "outputs", model))}
    ${section(l10n.t("Parameters"), parameters(job))}
    ${section(l10n.t("Provenance"), provenance(job, model))}
  </main>`;
}

function head(job: JobView, model: Model): TemplateResult {
  const { status } = job;
  const { message, todo } = reasonWords(status.reason);
  const progress = jobProgress(job);
  return html`<header>
    <h1>${stateIcon(status.state)} ${job.project} <small>${job.job}</small></h1>
    <p class="state" role="status">
      <strong>${jobStateName(status.state)}</strong>
      <span class="quiet">${age(status.since, model.now)}</span>
      <span>${message}</span>
      ${todo === null ? nothing : html`<span class="todo">${todo}</span>`}
    </p>
    ${status.notes.map((note) => {
      const words = reasonWords(note);
      return html`<p class="note"><vscode-icon name="info"></vscode-icon> ${words.message} ${words.todo ?? nothing}</p>`;
    })}
    ${progress === undefined ? nothing : html`${progressBar(progress.share, progress.text)}<p class="quiet">${progress.text}</p>`}
    <dl class="facts">
      <div><dt>${l10n.t("Accelerator")}</dt><dd>${job.accelerator ?? l10n.t("{0} wanted", job.wanted)}</dd></div>
      <div><dt>${l10n.t("Trainer")}</dt><dd>${job.trainer}</dd></div>
      <div><dt>${l10n.t("Last beat")}</dt><dd>${lastBeat(job, model.now)}</dd></div>
    </dl>
    <div class="actions">${actions(job, model)}</div>
  </header>`;
}

function actions(job: JobView, model: Model): TemplateResult {
  const { status } = job;
  const send = (type: "open-notebook" | "cancel" | "resume" | "open-run") => () => model.send({ type, job: job.job });
  return html`
    ${job.openUrl === null ? nothing : html`<vscode-button icon="link-external" @click=${send("open-notebook")}>${l10n.t("Open in Colab")}</vscode-button>`}
    ${isResumable(job) ? html`<vscode-button icon="debug-restart" @click=${send("resume")}>${l10n.t("Resume")}</vscode-button>` : nothing}
    ${canCancel(status) ? html`<vscode-button secondary icon="stop-circle" @click=${send("cancel")}>${l10n.t("Cancel")}</vscode-button>` : nothing}
    <vscode-button secondary icon="output" @click=${send("open-run")}>${l10n.t("Run report")}</vscode-button>`;
}

/** How old the last beat is, and what that means. */
function lastBeat(job: JobView, now: number): string {
  const attempt = currentAttempt(job.status.attempts);
  if (attempt === undefined || attempt.aliveAt === 0) return l10n.t("none yet");
  const seconds = Math.max(0, (now - attempt.aliveAt) / 1000);
  const { lateSeconds, suspectSeconds, lostSeconds } = job.limits;
  const old = l10n.t("{0} ago", duration(seconds * 1000));
  if (attempt.done !== null || ["succeeded", "failed", "cancelled"].includes(job.status.state)) return old;
  if (seconds >= lostSeconds) return `${old} · ${l10n.t("the runtime counts as lost")}`;
  if (seconds >= suspectSeconds) return `${old} · ${l10n.t("lost after {0}", duration(lostSeconds * 1000))}`;
  if (seconds >= lateSeconds) return `${old} · ${l10n.t("suspect after {0}", duration(suspectSeconds * 1000))}`;
  return `${old} · ${l10n.t("in time")}`;
}
