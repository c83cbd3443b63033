/** Small pieces that several parts of the page draw. */
import { html, type TemplateResult } from "lit";
import type { JobState } from "../../src/domain/job/status.ts";
import { jobStateIcon, jobStateName } from "../../src/extension/text/jobs.ts";

export function stateIcon(state: JobState): TemplateResult {
  const { id, color } = jobStateIcon(state);
  const [name, spin] = id.split("~");
  // As a property: the policy of the page refuses style attributes.
  const style = color === undefined ? "" : `color: var(--vscode-${color.replaceAll(".", "-")})`;
  return html`<vscode-icon name=${name ?? id} ?spin=${spin === "spin"} label=${jobStateName(state)} .style=${style}></vscode-icon>`;
}

/** @param share 0 to 1 @param text what it says, for screen readers */
export function progressBar(share: number, text: string): TemplateResult {
  return html`<span class="bar" role="progressbar" aria-valuemin="0" aria-valuemax="100" aria-valuenow=${Math.round(share * 100)} aria-valuetext=${text}>
    <span .style=${`width: ${Math.round(share * 1000) / 10}%`}></span>
  </span>`;
}

export function section(heading: string, content: TemplateResult, isOpen = true): TemplateResult {
  return html`<vscode-collapsible heading=${heading} ?open=${isOpen}><div class="section">${content}</div></vscode-collapsible>`;
}
