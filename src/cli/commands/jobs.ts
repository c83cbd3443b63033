/** `eda jobs`: training jobs, one of them in full, followed, stopped or given a new attempt. */
import { setTimeout as delay } from "node:timers/promises";
import type { Command } from "commander";
import { EXIT_CODES } from "../../domain/errors.ts";
import { reasonText } from "../../domain/job/reasons.ts";
import { currentAttempt, isClosed, progressOf } from "../../domain/job/status.ts";
import { CancelJob, type JobView, JobViewOf, JobViews, ResumeJob } from "../../protocol/jobs.ts";
import type { Cli, GlobalOptions } from "../context.ts";
import { flattenDetails, formatDuration, formatTime } from "../output/format.ts";
import { printListing } from "../output/listing.ts";
import { type Column, renderPairs } from "../output/table.ts";
import { note, print, printDocument } from "../output/terminal.ts";
import { withHost } from "../session.ts";
import { requireProject, requireWorkspace } from "../workspace.ts";

interface JobsOptions extends GlobalOptions {
  readonly project?: string;
}

/** Metrics that fit a line; the rest is in `eda jobs show`. */
const LISTED_METRICS = 3;
const ASK_INTERVAL_MS = 1_000;

const HELP = `
Examples:
  $ eda jobs --project vendas
  $ eda jobs show 20261124-153012-k3f9qz
  $ eda jobs follow 20261124-153012-k3f9qz
  $ eda jobs resume 20261124-153012-k3f9qz
  $ eda jobs cancel 20261124-153012-k3f9qz`;

export function addJobs(program: Command, cli: Cli): void {
  const jobs = program
    .command("jobs")
    .summary("list training jobs, show, follow, resume or cancel one")
    .description("Lists training jobs, newest first.")
    .option("--project <name>", "only of this project")
    .addHelpText("after", HELP)
    .action(async (_options, command: Command) => list(cli, command.optsWithGlobals<JobsOptions>()));
  const add = (
    name: string,
    summary: string,
    description: string,
    action: (cli: Cli, job: string, options: GlobalOptions) => Promise<void>,
  ) =>
    jobs
      .command(name)
      .summary(summary)
      .description(description)
      .argument("<job>", "job id")
      .action(async (job: string, _options, command: Command) => action(cli, job, command.optsWithGlobals<GlobalOptions>()));
  add("show", "show one job", "Shows one training job: its state and what to do, attempts, all metrics.", show);
  add("follow", "follow one job to its end", "Prints each change of a job until it has ended.", follow);
  add(
    "resume",
    "ask for a new attempt",
    "Lets a job that is late, lost or failed be resumed from its last good checkpoint. Where a person starts the notebook, do so then.",
    resume,
  );
  add("cancel", "stop a job", "Cancels a job and the run it belongs to. Of a job that has ended there is nothing to do.", cancel);
}

async function list(cli: Cli, options: JobsOptions): Promise<void> {
  const workspace = requireWorkspace(cli, options);
  const filter = options.project === undefined ? {} : { project: requireProject(workspace, options.project) };
  const views = await withHost(cli, workspace, (session) => session.ask(JobViews, filter));
  printListing(cli, options, { items: views.map(summaryOf), cursor: null }, COLUMNS, "No training job yet: eda run modeling starts one.");
}

async function show(cli: Cli, id: string, options: GlobalOptions): Promise<void> {
  const view = await withHost(cli, requireWorkspace(cli, options), (session) => session.ask(JobViewOf, { job: id }));
  if (options.json === true) return printDocument(cli.terminal, { ...summaryOf(view), ...detailsOf(view) });
  const job = summaryOf(view);
  const { message, todo } = reasonText(view.status.reason);
  const pairs: (readonly [string, string])[] = [
    ["job", job.job],
    ["project", job.project],
    ["run", job.run],
    ["state", job.state],
    ["reason", message],
    ...(todo === undefined ? [] : [["to do", todo] as const]),
    ...(view.openUrl === null ? [] : [["open", view.openUrl] as const]),
    ["trainer", job.trainer],
    ["accelerator", job.accelerator],
    ["attempts", String(view.status.attempts.length)],
    ["started", formatTime(job.startedAt)],
    ["finished", formatTime(job.finishedAt)],
    ["duration", durationOf(job)],
    ...flattenDetails(job.metrics),
  ];
  print(cli.terminal, renderPairs(pairs, cli.terminal.out.colours));
}

async function follow(cli: Cli, id: string, options: GlobalOptions): Promise<void> {
  let said = "";
  const last = await withHost(cli, requireWorkspace(cli, options), (session) =>
    session.persistently(async () => {
      for (;;) {
        const view = await session.ask(JobViewOf, { job: id });
        const line = options.json === true ? JSON.stringify({ ...summaryOf(view), ...detailsOf(view) }) : lineOf(view);
        if (line !== said) print(cli.terminal, line);
        said = line;
        if (view.finishedAt !== null) return view;
        await delay(ASK_INTERVAL_MS);
      }
    }),
  );
  const { state } = last.status;
  if (state !== "succeeded") cli.outcome.exitCode = state === "cancelled" ? EXIT_CODES.cancelled : EXIT_CODES.terminal;
}

async function resume(cli: Cli, id: string, options: GlobalOptions): Promise<void> {
  const view = await withHost(cli, requireWorkspace(cli, options), (session) => session.ask(ResumeJob, { job: id }));
  if (options.json === true) return printDocument(cli.terminal, { ...summaryOf(view), ...detailsOf(view) });
  note(cli.terminal, lineOf(view));
  if (view.openUrl !== null) note(cli.terminal, `Open in Colab: ${view.openUrl}`);
}

async function cancel(cli: Cli, id: string, options: GlobalOptions): Promise<void> {
  const { view, accepted } = await withHost(cli, requireWorkspace(cli, options), async (session) => {
    const before = await session.ask(JobViewOf, { job: id });
    const isOver = before.finishedAt !== null || isClosed(before.status.state);
    return { view: isOver ? before : await session.ask(CancelJob, { job: id }), accepted: !isOver };
  });
  const { state } = view.status;
  if (options.json === true) return printDocument(cli.terminal, { job: id, run: view.run, accepted, state });
  if (accepted) note(cli.terminal, `Run ${view.run} of job ${id} is being cancelled.`);
  else note(cli.terminal, `Nothing to do: job ${id} has ${state} already.`);
}

interface JobSummary extends Pick<JobView, "job" | "project" | "run" | "trainer" | "metrics" | "finishedAt"> {
  readonly state: string;
  readonly accelerator: string;
  readonly startedAt: string;
}

function summaryOf({ job, project, run, status, trainer, accelerator, metrics, createdAt, finishedAt }: JobView): JobSummary {
  return { job, project, run, state: status.state, trainer, accelerator: accelerator ?? "–", metrics, startedAt: createdAt, finishedAt };
}

/** What `--json` says beyond a listing's line. */
function detailsOf(view: JobView) {
  const { message, todo } = reasonText(view.status.reason);
  const attempt = currentAttempt(view.status.attempts);
  const progress = attempt === undefined ? undefined : progressOf(attempt);
  return {
    reason: { code: view.status.reason.code, message, todo: todo ?? null },
    progress: progress ?? null,
    attempts: view.status.attempts.map(({ attempt: id, startedAt, done }) => ({ attempt: id, startedAt, finished: done !== null })),
    winner: view.status.winner,
    openUrl: view.openUrl,
    inputs: view.inputs,
    outputs: view.outputs,
    commitBefore: view.commitBefore,
    commitAfter: view.commitAfter,
  };
}

function lineOf({ job, status }: JobView): string {
  const attempt = currentAttempt(status.attempts);
  const progress = attempt === undefined ? undefined : progressOf(attempt);
  const { message, todo } = reasonText(status.reason);
  const steps = progress === undefined ? "" : ` · step ${progress.step} of ${progress.total}`;
  return `${job} ${status.state}${steps} · ${message}${todo === undefined ? "" : ` ${todo}`}`;
}

function durationOf({ startedAt, finishedAt }: JobSummary): string {
  return formatDuration((finishedAt === null ? Date.now() : Date.parse(finishedAt)) - Date.parse(startedAt));
}

const COLUMNS: readonly Column<JobSummary>[] = [
  { header: "JOB", value: ({ job }) => job },
  { header: "PROJECT", value: ({ project }) => project, shrink: "end", drop: 3 },
  { header: "STATE", value: ({ state }) => state },
  { header: "TRAINER", value: ({ trainer }) => trainer, drop: 1 },
  { header: "ACCELERATOR", value: ({ accelerator }) => accelerator, shrink: "end" },
  { header: "STARTED", value: ({ startedAt }) => formatTime(startedAt), drop: 2 },
  { header: "DURATION", value: durationOf, align: "right" },
  {
    header: "METRICS",
    value: ({ metrics }) =>
      flattenDetails(metrics, LISTED_METRICS)
        .map(([name, value]) => `${name} ${value}`)
        .join(", "),
    shrink: "end",
  },
];
