/** The job monitor's built page in a browser without an editor around it: theme, window and host are stood in for by the test. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import type { JobView } from "../../src/protocol/jobs.ts";
import type { PageMessage, ViewState } from "../../src/protocol/monitor-messages.ts";
import { ROOT } from "./host.ts";

export type Theme = "dark" | "light";

const PAGE = "http://monitor.test/";

/** What VS Code sets on a webview's root, of its default themes. */
const THEMES: Readonly<Record<Theme, Readonly<Record<string, string>>>> = {
  dark: {
    "editor-background": "#1f1f1f",
    foreground: "#cccccc",
    descriptionForeground: "#9d9d9d",
    "charts-blue": "#59a4f9",
    "charts-orange": "#d18616",
    "charts-green": "#89d185",
    "charts-purple": "#b180d7",
    "charts-red": "#f14c4c",
    "charts-yellow": "#cca700",
    "panel-border": "#2b2b2b",
    "editorIndentGuide-background1": "#404040",
    "list-warningForeground": "#cca700",
    "list-errorForeground": "#f88070",
    focusBorder: "#0078d4",
    "button-background": "#0078d4",
    "button-foreground": "#ffffff",
    "button-secondaryBackground": "#313131",
    "button-secondaryForeground": "#cccccc",
    "input-background": "#313131",
    "input-foreground": "#cccccc",
    "settings-textInputBackground": "#313131",
    "settings-textInputForeground": "#cccccc",
    "list-activeSelectionBackground": "#04395e",
    "list-activeSelectionForeground": "#ffffff",
    "list-hoverBackground": "#2a2d2e",
    "progressBar-background": "#0078d4",
    "textLink-foreground": "#4daafc",
    "textCodeBlock-background": "#2b2b2b",
    "icon-foreground": "#cccccc",
    "testing-iconPassed": "#73c991",
    disabledForeground: "#cccccc80",
    "editorWidget-border": "#454545",
    "sideBarSectionHeader-background": "#181818",
    "settings-checkboxBackground": "#313131",
    "settings-checkboxBorder": "#3c3c3c",
    "settings-checkboxForeground": "#cccccc",
    "sideBarTitle-foreground": "#cccccc",
    "sideBar-background": "#181818",
    "settings-textInputBorder": "#3c3c3c",
  },
  light: {
    "editor-background": "#ffffff",
    foreground: "#3b3b3b",
    descriptionForeground: "#3b3b3bb3",
    "charts-blue": "#0063d3",
    "charts-orange": "#d18616",
    "charts-green": "#388a34",
    "charts-purple": "#652d90",
    "charts-red": "#e51400",
    "charts-yellow": "#bf8803",
    "panel-border": "#e5e5e5",
    "editorIndentGuide-background1": "#d3d3d3",
    "list-warningForeground": "#855f00",
    "list-errorForeground": "#b01011",
    focusBorder: "#005fb8",
    "button-background": "#005fb8",
    "button-foreground": "#ffffff",
    "button-secondaryBackground": "#e5e5e5",
    "button-secondaryForeground": "#3b3b3b",
    "input-background": "#ffffff",
    "input-foreground": "#3b3b3b",
    "settings-textInputBackground": "#ffffff",
    "settings-textInputForeground": "#3b3b3b",
    "list-activeSelectionBackground": "#e8e8e8",
    "list-activeSelectionForeground": "#000000",
    "list-hoverBackground": "#f2f2f2",
    "progressBar-background": "#005fb8",
    "textLink-foreground": "#005fb8",
    "textCodeBlock-background": "#f8f8f8",
    "icon-foreground": "#3b3b3b",
    "testing-iconPassed": "#388a34",
    disabledForeground: "#61616180",
    "editorWidget-border": "#c8c8c8",
    "sideBarSectionHeader-background": "#f8f8f8",
    "settings-checkboxBackground": "#f8f8f8",
    "settings-checkboxBorder": "#cecece",
    "settings-checkboxForeground": "#3b3b3b",
    "sideBarTitle-foreground": "#3b3b3b",
    "sideBar-background": "#f8f8f8",
    "settings-textInputBorder": "#cecece",
  },
};

export interface MonitorPage {
  readonly page: Page;
  /** What the page asked of the window, oldest first. */
  sent(): Promise<readonly PageMessage[]>;
  /** What the page keeps for its next life. */
  state(): Promise<ViewState | undefined>;
  /** As the window would. */
  post(message: Readonly<Record<string, unknown>>): Promise<void>;
  showJobs(jobs: readonly JobView[]): Promise<void>;
  /** A curve of `count` points a metric, made in the page. */
  addPoints(job: string, count: number, options?: { readonly from?: number; readonly attempt?: string }): Promise<void>;
}

export interface MonitorPageOptions {
  readonly theme?: Theme;
  readonly state?: ViewState;
  /** Milliseconds since 1970, at which the page's clock stands. */
  readonly now?: number;
  /** What the window answers at once when the page is ready. */
  readonly jobs?: readonly JobView[];
}

export async function openMonitorPage(page: Page, { theme = "dark", state, now, jobs }: MonitorPageOptions = {}): Promise<MonitorPage> {
  const file = (name: string) => readFileSync(join(ROOT, "dist", "webview", name));
  const variables = Object.entries(THEMES[theme]).map(([name, value]) => `--vscode-${name}: ${value};`);
  const root = [
    ...variables,
    "--vscode-font-family: system-ui, sans-serif; --vscode-font-size: 13px; --vscode-editor-font-family: monospace;",
    "--vscode-editor-font-size: 12px; --vscode-font-weight: normal;",
  ].join(" ");
  const html = `<!DOCTYPE html><html lang="en" style="${root}"><head><meta charset="utf-8">
    <link rel="stylesheet" id="vscode-codicon-stylesheet" href="codicon.css"></head>
    <body class="vscode-${theme}" style="background: var(--vscode-editor-background); color: var(--vscode-foreground); margin: 0; padding: 0 20px">
    <eda-monitor></eda-monitor><script src="monitor.js"></script></body></html>`;
  await page.route(`${PAGE}**`, async (route) => {
    const name = new URL(route.request().url()).pathname.slice(1);
    if (name === "") await route.fulfill({ contentType: "text/html", body: html });
    else if (["monitor.js", "codicon.css", "codicon.ttf"].includes(name))
      await route.fulfill({ contentType: typeOf(name), body: file(name) });
    else await route.fulfill({ status: 404 });
  });
  if (now !== undefined) await page.clock.setFixedTime(now);
  await page.addInitScript(
    ({ state, jobs }) => {
      const scope = globalThis as unknown as Kept;
      const kept = { sent: [] as unknown[], state: state as unknown };
      Object.assign(scope, {
        kept,
        acquireVsCodeApi: () => ({
          postMessage: (message: { readonly type: string }) => {
            kept.sent.push(message);
            if (message.type === "ready" && jobs !== undefined) scope.postMessage({ type: "jobs", jobs }, "*");
          },
          getState: () => kept.state,
          setState: (next: unknown) => {
            kept.state = next;
          },
        }),
      });
    },
    // Without types: those of a job are too deep for the argument's own.
    { state: state as unknown, jobs: jobs as unknown },
  );
  await page.goto(PAGE);
  await page.waitForFunction(() => (globalThis as unknown as Kept).kept.sent.length > 0);
  const post = (message: Readonly<Record<string, unknown>>) =>
    page.evaluate((data) => (globalThis as unknown as Kept).postMessage(data, "*"), message as unknown);
  return {
    page,
    sent: () => page.evaluate(() => (globalThis as unknown as Kept).kept.sent as PageMessage[]),
    state: () => page.evaluate(() => (globalThis as unknown as Kept).kept.state as ViewState | undefined),
    post,
    showJobs: (jobs) => post({ type: "jobs", jobs }),
    addPoints: (job, count, { from = 0, attempt = "001-aaaaaaaa" } = {}) =>
      page.evaluate(
        ({ job, count, from, attempt }) => {
          const steps = Float64Array.from({ length: count }, (_, index) => from + index);
          const noise = (index: number) =>
            Math.sin(index * 12.9898) * 43758.5453 - Math.floor(Math.sin(index * 12.9898) * 43758.5453) - 0.5;
          const column = (curve: (step: number) => number) => steps.map((step) => curve(step) + noise(step) * 0.05);
          const times = steps.map((step) => 1_795_521_600_000 + step * 1_000);
          const values = {
            loss: column((step) => 0.3 + Math.exp(-step / 4_000)),
            val_loss: column((step) => 0.35 + Math.exp(-step / 5_000)),
            auc: column((step) => 0.8 - 0.3 * Math.exp(-step / 6_000)),
          };
          const beats = times.filter((_, index) => index % 60 === 0);
          const reading = (value: number) => beats.map((time) => value + noise(time / 60_000) * value * 0.1);
          const readings = {
            utilization: reading(82),
            memoryUsedGiB: reading(11.2),
            temperatureC: reading(68),
            powerW: reading(62),
            residentGiB: reading(3.1),
          };
          (globalThis as unknown as Kept).postMessage(
            {
              type: "series",
              job,
              isWhole: from === 0,
              points: [{ attempt, steps, times, values }],
              readings: [{ attempt, steps: beats, times: beats, values: readings }],
            },
            "*",
          );
        },
        { job, count, from, attempt },
      ),
  };
}

/** The page's global scope, as far as it is used here. */
interface Kept {
  postMessage(message: unknown, origin: string): void;
  readonly kept: { readonly sent: readonly unknown[]; readonly state: unknown };
}

function typeOf(name: string): string {
  return name.endsWith(".js") ? "text/javascript" : name.endsWith(".css") ? "text/css" : "font/ttf";
}
