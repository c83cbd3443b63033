/** `eda jobs`: training jobs, one of them in full, or stopping one. */
import type { Command } from "commander";
import { EXIT_CODES } from "../../domain/errors.ts";
import { isTerminal } from "../../domain/run.ts";
import { CancelRun, type JobSummary, ListJobs, ShowJob } from "../../protocol/messages.ts";
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

const HELP = `
Examples:
  $ eda jobs --project vendas
  $ eda jobs show 20261124-153012-k3f9qz
  $ eda jobs cancel 20261124-153012-k3f9qz`;

export function addJobs(program: Command, cli: Cli): void {
  const jobs = program
    .command("jobs")
    .summary("list training jobs, show or cancel one")
    .description("Lists training jobs, newest first.")
    .option("--project <name>", "only of this project")
    .addHelpText("after", HELP)
    .action(async (_options, command: Command) => list(cli, command.optsWithGlobals<JobsOptions>()));
  jobs
    .command("show")
    .summary("show one job")
    .description("Shows one training job with all its metrics.")
    .argument("<job>", "job id")
    .action(async (job: string, _options, command: Command) => show(cli, job, command.optsWithGlobals<GlobalOptions>()));
  jobs
    .command("cancel")
    .summary("stop a job")
    .description("Cancels the run a job belongs to; its kernel is stopped. Of a job that has ended there is nothing to do.")
    .argument("<job>", "job id")
    .action(async (job: string, _options, command: Command) => cancel(cli, job, command.optsWithGlobals<GlobalOptions>()));
}

async function list(cli: Cli, options: JobsOptions): Promise<void> {
  const workspace = requireWorkspace(cli, options);
  const filter = options.project === undefined ? {} : { project: requireProject(workspace, options.project) };
  const items = await withHost(cli, workspace, (session) => session.ask(ListJobs, filter));
  printListing(cli, options, { items, cursor: null }, COLUMNS, "No training job yet: eda run modeling starts one.");
}

async function show(cli: Cli, id: string, options: GlobalOptions): Promise<void> {
  const job = await withHost(cli, requireWorkspace(cli, options), (session) => session.ask(ShowJob, { job: id }));
  if (options.json === true) return printDocument(cli.terminal, job);
  const pairs: (readonly [string, string])[] = [
    ["job", job.job],
    ["project", job.project],
    ["run", job.run],
    ["state", job.state],
    ["trainer", job.trainer],
    ["accelerator", job.accelerator],
    ["started", formatTime(job.startedAt)],
    ["finished", formatTime(job.finishedAt)],
    ["duration", durationOf(job)],
    ...flattenDetails(job.metrics),
  ];
  print(cli.terminal, renderPairs(pairs, cli.terminal.out.colours));
}

async function cancel(cli: Cli, id: string, options: GlobalOptions): Promise<void> {
  const { run, accepted, state } = await withHost(cli, requireWorkspace(cli, options), async (session) => {
    const job = await session.ask(ShowJob, { job: id });
    return { run: job.run, ...(await session.ask(CancelRun, { run: job.run })) };
  });
  if (!accepted && !isTerminal(state)) cli.outcome.exitCode = EXIT_CODES.terminal;
  if (options.json === true) return printDocument(cli.terminal, { job: id, run, accepted, state });
  if (accepted) note(cli.terminal, `Run ${run} of job ${id} is being cancelled.`);
  else if (isTerminal(state)) note(cli.terminal, `Nothing to do: run ${run} has ${state} already.`);
  else note(cli.terminal, `Too late: run ${run} is ${state} and goes on to its end.`);
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
