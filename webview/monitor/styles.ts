/** Looks of the page, in the editor's own colours and sizes. */
import { css } from "lit";

export const styles = css`
  :host { display: block; color: var(--vscode-foreground); font: var(--vscode-font-size) var(--vscode-font-family); }
  .page { display: grid; grid-template-columns: minmax(220px, 300px) minmax(0, 1fr); gap: 16px; align-items: start; }
  nav { position: sticky; top: 0; max-height: 100vh; display: flex; flex-direction: column; gap: 6px; padding-block: 8px; box-sizing: border-box; }
  nav vscode-textfield { width: 100%; }
  .jobs { list-style: none; margin: 0; padding: 0; overflow: auto; }
  .jobs li { display: flex; align-items: start; border-radius: 3px; content-visibility: auto; contain-intrinsic-block-size: 56px; }
  .jobs li:hover { background: var(--vscode-list-hoverBackground); }
  .jobs li.selected { background: var(--vscode-list-activeSelectionBackground); color: var(--vscode-list-activeSelectionForeground); }
  .jobs vscode-checkbox { margin: 4px 6px 0 0; }
  button.job { all: unset; flex: 1; min-width: 0; display: grid; grid-template-columns: 18px minmax(0, 1fr) auto; gap: 2px 6px; padding: 5px 4px; cursor: pointer; }
  button.job:focus-visible, button.link:focus-visible, pre:focus-visible { outline: 1px solid var(--vscode-focusBorder); outline-offset: -1px; }
  .name { grid-column: 2 / -1; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
  small { font-weight: normal; color: var(--vscode-descriptionForeground); margin-inline-start: 6px; font-size: 0.9em; }
  .selected small, .selected .what { color: inherit; opacity: 0.85; }
  .what { grid-column-start: 2; font-size: 0.9em; color: var(--vscode-descriptionForeground); overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
  .what + .what { grid-column-start: 3; }
  .what.wide { grid-column: 2 / -1; }
  .bar { display: block; height: 3px; border-radius: 2px; background: var(--vscode-editorWidget-border, #8884); overflow: hidden; }
  .job .bar { grid-column: 2 / -1; align-self: center; }
  .bar span { display: block; height: 100%; background: var(--vscode-progressBar-background); }
  main { min-width: 0; padding-block: 8px 32px; }
  header { padding-bottom: 8px; }
  h1 { font-size: 1.3em; font-weight: 600; margin: 0 0 6px; display: flex; align-items: center; gap: 6px; flex-wrap: wrap; }
  p { margin: 4px 0; }
  .state { display: flex; flex-wrap: wrap; gap: 2px 8px; }
  .todo { flex-basis: 100%; }
  .quiet { color: var(--vscode-descriptionForeground); }
  .note { color: var(--vscode-descriptionForeground); display: flex; gap: 4px; align-items: center; }
  .facts { display: flex; flex-wrap: wrap; gap: 4px 24px; margin: 8px 0; }
  .facts dt { font-size: 0.85em; color: var(--vscode-descriptionForeground); }
  .facts dd { margin: 0; }
  .actions, .controls { display: flex; flex-wrap: wrap; gap: 8px 16px; align-items: center; }
  .controls { margin-bottom: 8px; }
  .controls label { display: flex; align-items: center; gap: 6px; }
  .controls input { accent-color: var(--vscode-progressBar-background); }
  .controls output { min-width: 2.5em; font-variant-numeric: tabular-nums; }
  .section { padding: 8px 4px 12px; }
  .charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 360px), 1fr)); gap: 12px 20px; margin-bottom: 8px; }
  .charts.small { grid-template-columns: repeat(auto-fill, minmax(min(100%, 280px), 1fr)); }
  .scroll { overflow-x: auto; }
  table { border-collapse: collapse; width: 100%; }
  th, td { text-align: start; padding: 3px 12px 3px 0; vertical-align: top; border-bottom: 1px solid var(--vscode-editorWidget-border, #8883); }
  thead th { font-weight: 600; color: var(--vscode-descriptionForeground); white-space: nowrap; }
  tbody th { font-weight: normal; color: var(--vscode-descriptionForeground); width: 1%; white-space: nowrap; }
  .comparison thead small { display: block; margin: 0; }
  .marked { font-weight: 600; color: var(--vscode-foreground); background: var(--vscode-editor-findMatchHighlightBackground, transparent); }
  .number { font-variant-numeric: tabular-nums; white-space: nowrap; }
  button.link { all: unset; color: var(--vscode-textLink-foreground); cursor: pointer; overflow-wrap: anywhere; }
  button.link:hover { text-decoration: underline; }
  code, pre { font-family: var(--vscode-editor-font-family); font-size: var(--vscode-editor-font-size, 0.95em); }
  pre { margin: 0; max-height: 260px; overflow: auto; padding: 8px; background: var(--vscode-textCodeBlock-background); white-space: pre-wrap; overflow-wrap: anywhere; }
  .failure { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; padding: 8px; margin-block: 8px; border: 1px solid var(--vscode-inputValidation-errorBorder); background: var(--vscode-inputValidation-errorBackground); }
  .empty { display: grid; place-items: center; gap: 8px; min-height: 40vh; text-align: center; align-content: center; }
  @media (max-width: 720px) {
    .page { grid-template-columns: minmax(0, 1fr); }
    nav { position: static; max-height: 40vh; }
  }
`;
