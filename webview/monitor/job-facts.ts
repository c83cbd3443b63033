/** What a job is made of: attempts, log, files, parameters, commits. */
import * as l10n from "@vscode/l10n";
import { html, nothing, type TemplateResult } from "lit";
import type { AttemptStatus } from "../../src/domain/job/status.ts";
import { age, bytes, dateTime, metric } from "../../src/extension/text/locale.ts";
import type { JobView } from "../../src/protocol/jobs.ts";
import type { JobLog, Model } from "./model.ts";

export function attempts(job: JobView, now: number): TemplateResult {
  const { attempts: all, winner } = job.status;
  if (all.length === 0) return html`<p class="quiet">${l10n.t("No attempt has begun.")}</p>`;
  return html`<div class="scroll"><table>
    <thead><tr>
      <th>${l10n.t("Attempt")}</th><th>${l10n.t("Began")}</th><th>${l10n.t("Last beat")}</th><th>${l10n.t("Step")}</th>
      <th>${l10n.t("Accelerator")}</th><th>${l10n.t("From checkpoint")}</th><th>${l10n.t("Last checkpoint")}</th><th>${l10n.t("End")}</th>
    </tr></thead>
    <tbody>${all.map((each) => attemptRow(each, each.attempt === winner, now))}</tbody>
  </table></div>`;
}

function attemptRow(
  { attempt, startedAt, lastBeat, aliveAt, done, refused }: AttemptStatus,
  isWinner: boolean,
  now: number,
): TemplateResult {
  const checkpoint = (point: { readonly step: number; readonly score: number | null } | null | undefined) =>
    point == null
      ? "–"
      : point.score === null
        ? l10n.t("step {0}", point.step)
        : l10n.t("step {0}, score {1}", point.step, metric(point.score));
  const end =
    refused?.message ?? lastBeat?.error?.message ?? (done === null ? "" : isWinner ? l10n.t("results taken") : l10n.t("finished"));
  return html`<tr>
    <td>${Number(attempt.slice(0, 3))} <small>${attempt.slice(4)}</small></td>
    <td>${startedAt === "" ? "–" : dateTime(startedAt)}</td>
    <td>${aliveAt === 0 ? "–" : age(new Date(aliveAt).toISOString(), now)}</td>
    <td>${lastBeat?.step ?? done?.step ?? "–"}</td>
    <td>${(done ?? lastBeat)?.accelerator?.name ?? "–"}</td>
    <td>${checkpoint((lastBeat ?? done)?.resumedFrom)}</td>
    <td>${checkpoint(lastBeat?.checkpoint)}</td>
    <td>${end}</td>
  </tr>`;
}

export function logTail(log: JobLog | undefined): TemplateResult {
  if (log === undefined || log.text === "") return html`<p class="quiet">${l10n.t("No output yet.")}</p>`;
  return html`${log.isCut ? html`<p class="quiet">${l10n.t("Only the end is shown; the files in logs/ of the job folder have all of it.")}</p>` : nothing}
    <pre tabindex="0" aria-label=${l10n.t("End of the log")}>${log.text}</pre>`;
}

export function files(job: JobView, list: "inputs" | "outputs", model: Model): TemplateResult {
  const all = job[list];
  if (all.length === 0) {
    return html`<p class="quiet">${list === "inputs" ? l10n.t("This job reads nothing.") : l10n.t("Results come with the end of the job.")}</p>`;
  }
  return html`<div class="scroll"><table>
    <thead><tr><th>${l10n.t("Name")}</th><th>${l10n.t("Size")}</th><th>${l10n.t("sha256")}</th><th>${l10n.t("Object")}</th></tr></thead>
    <tbody>${all.map(
      (file, index) => html`<tr>
        <td>${file.name}</td><td class="number">${bytes(file.size)}</td><td><code title=${file.sha256}>${file.sha256.slice(0, 12)}</code></td>
        <td>${
          file.object === null
            ? "–"
            : html`<button class="link" @click=${() => model.send({ type: "open-file", job: job.job, list, index })}>${file.object.bucket}/${file.object.key}</button>`
        }</td>
      </tr>`,
    )}</tbody>
  </table></div>`;
}

export function parameters(job: JobView): TemplateResult {
  const entries = Object.entries(job.parameters);
  if (entries.length === 0) return html`<p class="quiet">${l10n.t("None: the notebook's own values hold.")}</p>`;
  return html`<table><tbody>${entries.map(
    ([name, value]) => html`<tr><th scope="row">${name}</th><td><code>${JSON.stringify(value)}</code></td></tr>`,
  )}</tbody></table>`;
}

export function provenance(job: JobView, model: Model): TemplateResult {
  const commit = (moment: "before" | "after", id: string | null) =>
    id === null
      ? html`–`
      : html`<button class="link" @click=${() => model.send({ type: "open-commit", job: job.job, moment })}><code>${id.slice(0, 12)}</code></button>`;
  return html`<table><tbody>
    <tr><th scope="row">${l10n.t("Notebook")}</th><td>${job.notebook}</td></tr>
    <tr><th scope="row">${l10n.t("Commit before")}</th><td>${commit("before", job.commitBefore)}</td></tr>
    <tr><th scope="row">${l10n.t("Commit after")}</th><td>${commit("after", job.commitAfter)}</td></tr>
    <tr><th scope="row">${l10n.t("Run")}</th><td>${job.run}</td></tr>
    <tr><th scope="row">${l10n.t("Created")}</th><td>${dateTime(job.createdAt)}</td></tr>
    ${job.finishedAt === null ? nothing : html`<tr><th scope="row">${l10n.t("Finished")}</th><td>${dateTime(job.finishedAt)}</td></tr>`}
  </tbody></table>`;
}
