/** A run as a person watches it: progress bars on a terminal, a line now and then where nobody looks. */
import type { Colors } from "picocolors/types";
import { printable } from "../../domain/printable.ts";
import type { RunEvent, RunProgress, RunState, RunSummary } from "../../domain/run.ts";
import type { StageId } from "../../domain/stage.ts";
import { printableLines, renderError } from "./errors.ts";
import { flattenDetails, formatCommits, formatDuration, formatTotals, stageLabel } from "./format.ts";
import { openLiveRegion } from "./live-region.ts";
import { stateMark } from "./marks.ts";
import { renderAmounts, renderBar } from "./progress-line.ts";
import { PaceMeter } from "./rate.ts";
import { note, print, type Terminal, widthOf } from "./terminal.ts";

const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const FRAME_MS = 100;
/** Between two progress lines where lines cannot be redrawn. */
const PLAIN_PROGRESS_MS = 5_000;
const MAX_DETAILS = 12;

export interface RunView {
  event(event: RunEvent): void;
  /** A message of the command itself, above the progress. */
  say(message: string): void;
  close(): void;
}

interface Work {
  readonly run: string;
  readonly stage: StageId;
  /** When it left the queue, on the view's clock; undefined while it waits. */
  readonly since: number | undefined;
  readonly state: RunState;
  readonly message: string | undefined;
  readonly progress: RunProgress | undefined;
}

/** @param now clock in milliseconds */
export function openRunView(terminal: Terminal, now: () => number = () => performance.now()): RunView {
  const region = openLiveRegion(terminal);
  const { colours } = terminal.err;
  let pace = new PaceMeter();
  let work: Work | undefined;
  let frame = 0;
  let lastPlain = Number.NEGATIVE_INFINITY;
  /** Error lines of the log, held until the end: the summary says most of them itself, with what to do. */
  const errors: string[] = [];

  const draw = () => {
    if (work === undefined) return;
    const spinner = colours.cyan(FRAMES[frame % FRAMES.length] as string);
    const elapsed = work.since === undefined ? "" : colours.dim(` ${formatDuration(Math.floor((now() - work.since) / 1000) * 1000)}`);
    const head = `${spinner} ${colours.bold(stageLabel(work.stage))} ${describe(work.state, work.message)}${elapsed}`;
    const bar = work.progress === undefined ? "" : `\n${renderBar(work.progress, pace.pace(now()), widthOf(terminal.err), colours)}`;
    region.draw(head + bar);
  };
  const timer = terminal.live
    ? setInterval(() => {
        frame += 1;
        draw();
      }, FRAME_MS).unref()
    : undefined;

  const say = (message: string) => region.above(() => note(terminal, message));

  const onState = (event: Extract<RunEvent, { type: "state" }>) => {
    const isNew = work?.run !== event.runId;
    if (isNew) {
      pace = new PaceMeter();
      lastPlain = Number.NEGATIVE_INFINITY;
    }
    const since = event.state === "waiting" ? undefined : ((isNew ? undefined : work?.since) ?? now());
    work = { run: event.runId, stage: event.stage, since, state: event.state, message: event.message, progress: undefined };
    if (!terminal.live)
      note(terminal, `[${stageLabel(event.stage)}] ${describe(event.state, event.message)}${isNew ? ` (run ${event.runId})` : ""}`);
  };

  const onProgress = (event: Extract<RunEvent, { type: "progress" }>) => {
    const at = now();
    const base =
      work?.run === event.runId
        ? work
        : { run: event.runId, stage: event.stage, since: at, state: "executing" as const, message: undefined };
    work = { ...base, progress: event.progress };
    const speed = pace.add(event.progress, at);
    if (terminal.live || at - lastPlain < PLAIN_PROGRESS_MS) return;
    lastPlain = at;
    note(terminal, `[${stageLabel(event.stage)}] ${renderAmounts(event.progress, speed)}  ${printable(event.progress.label)}`);
  };

  const sayErrors = (known = "") => {
    for (const message of errors.splice(0)) if (!known.includes(message)) say(`${colours.red("error")} ${printableLines(message)}`);
  };

  const onSummary = (summary: RunSummary) => {
    sayErrors(summary.error?.message);
    const took = work?.run === summary.runId && work.since !== undefined ? now() - work.since : undefined;
    work = undefined;
    region.above(() => {
      print(terminal, renderSummary(summary, took, terminal.out.colours));
      if (summary.error !== null) note(terminal, renderFailure(summary, colours));
    });
  };

  return {
    event: (event) => {
      if (event.type === "state") onState(event);
      else if (event.type === "progress") onProgress(event);
      else if (event.type === "summary") onSummary(event);
      else if (event.line.level === "warn") say(`${colours.yellow("warning")} ${printableLines(event.line.message)}`);
      else if (event.line.level === "error") errors.push(event.line.message);
      if (event.type !== "summary" && terminal.live) draw();
    },
    say: (message) => {
      say(message);
      draw();
    },
    close: () => {
      clearInterval(timer);
      sayErrors();
      region.close();
    },
  };
}

function describe(state: RunState, message: string | undefined): string {
  return message === undefined ? state : `${state}: ${printable(message)}`;
}

/** The result line of a run, with what its stage has to say of itself below. @param took milliseconds, when known */
function renderSummary(summary: RunSummary, took: number | undefined, colours: Colors): string {
  const label = stageLabel(summary.stage).padEnd(11);
  const head = [`${stateMark(summary.state, colours)} ${colours.bold(label)}`];
  if (summary.state === "unchanged") return [...head, "nothing to do: inputs and code are unchanged (--force runs anyway)"].join("  ");
  head.push(summary.state);
  if (summary.totals !== null) head.push(formatTotals(summary.totals));
  if (took !== undefined) head.push(formatDuration(took));
  if (summary.commitBefore !== null || summary.commitAfter !== null)
    head.push(`commits ${formatCommits(summary.commitBefore, summary.commitAfter)}`);
  const details = summary.state === "succeeded" ? flattenDetails(summary.details) : [];
  const shown = details.slice(0, MAX_DETAILS).map(([name, value]) => `    ${colours.dim(name)}  ${value}`);
  if (details.length > MAX_DETAILS) shown.push(colours.dim(`    … all of it: eda runs show ${summary.runId}`));
  return [head.join("  "), ...shown].join("\n");
}

function renderFailure(summary: RunSummary, colours: Colors): string {
  const error = summary.error === null ? [] : [renderError(summary.error, colours)];
  return [...error, `  ${colours.yellow("→")} The whole story: eda logs ${summary.runId}`].join("\n");
}
