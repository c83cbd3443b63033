/** Colours of the editor's theme, as a canvas needs them: resolved. */

const SERIES = ["blue", "orange", "green", "purple", "red", "yellow"] as const;

/** @param index of the series, from 0; colours repeat after six, so that lines also differ by name in the legend */
export function seriesColour(index: number): string {
  const name = SERIES[index % SERIES.length] as (typeof SERIES)[number];
  return themed(`--vscode-charts-${name}`, "#888");
}

export function textColour(): string {
  return themed("--vscode-descriptionForeground", "#888");
}

export function gridColour(): string {
  return themed("--vscode-editorWidget-border", themed("--vscode-panel-border", "#8884"));
}

export function limitColour(): string {
  return themed("--vscode-list-warningForeground", "#c80");
}

export function fontFamily(): string {
  return themed("--vscode-font-family", "sans-serif");
}

/** Calls back when the person chooses another theme. */
export function onThemeChange(changed: () => void): () => void {
  const observer = new MutationObserver(changed);
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ["style", "class"] });
  observer.observe(document.body, { attributes: true, attributeFilter: ["class", "data-vscode-theme-id"] });
  return () => observer.disconnect();
}

function themed(variable: string, otherwise: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(variable).trim() || otherwise;
}
