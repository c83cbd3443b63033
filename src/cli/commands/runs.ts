/** `eda runs`: what ran, and one run in full. */
import { type Command, Option } from "commander";
import type { RunRecord, RunState } from "../../domain/run.ts";
import type { StageId } from "../../domain/stage.ts";
import { ListRuns, ShowRun } from "../../protocol/messages.ts";
import type { Cli, GlobalOptions } from "../context.ts";
import { renderError } from "../output/errors.ts";
import { flattenDetails, formatCommits, formatDuration, formatTime, formatTotals, runDuration, stageLabel } from "../output/format.ts";
import { printListing } from "../output/listing.ts";
import { statePaint } from "../output/marks.ts";
import { type Column, renderPairs } from "../output/table.ts";
import { print, printDocument } from "../output/terminal.ts";
import { addPaging, collectPages, type PageChoice } from "../paging.ts";
import { withHost } from "../session.ts";
import { unknownName } from "../suggest.ts";
import { requireProject, requireWorkspace } from "../workspace.ts";
import { parseStage } from "./run.ts";

interface RunsOptions extends GlobalOptions, PageChoice {
  readonly project?: string;
  readonly stage?: StageId | "all";
  readonly state?: readonly RunState[];
}

const STATES: readonly RunState[] = [
  "waiting",
  "planning",
  "committing-before",
  "executing",
  "publishing",
  "committing-after",
  "succeeded",
  "unchanged",
  "failed",
  "cancelled",
];

const HELP = `
Examples:
  $ eda runs --project vendas --stage staging
  $ eda runs --state failed
  $ eda runs show 20261124-153012-k3f9qz`;

export function addRuns(program: Command, cli: Cli): void {
  const runs = program
    .command("runs")
    .summary("list runs, or show one")
    .description("Lists runs, newest first.")
    .option("--project <name>", "only of this project")
    .option("--stage <stage>", "only of this stage", parseStage)
    .addOption(new Option("--state <state...>", "only in these states").argParser(collectState));
  addPaging(runs, 20)
    .addHelpText("after", HELP)
    .action(async (_options, command: Command) => list(cli, command.optsWithGlobals<RunsOptions>()));
  runs
    .command("show")
    .summary("show one run")
    .description("Shows one run: state, times, commits, totals, what its stage has to say, and the error when it failed.")
    .argument("<run>", "run id")
    .action(async (run: string, _options, command: Command) => show(cli, run, command.optsWithGlobals<GlobalOptions>()));
}

async function list(cli: Cli, options: RunsOptions): Promise<void> {
  const workspace = requireWorkspace(cli, options);
  const filter = {
    ...(options.project === undefined ? {} : { project: requireProject(workspace, options.project) }),
    ...(options.stage === undefined || options.stage === "all" ? {} : { stage: options.stage }),
    ...(options.state === undefined ? {} : { states: options.state }),
  };
  const listing = await withHost(cli, workspace, (session) =>
    collectPages(options, (page) => session.ask(ListRuns, { ...filter, ...page })),
  );
  printListing(cli, options, listing, columns(cli, Date.now()), "No run yet: eda run all starts the pipeline.");
}

function columns(cli: Cli, now: number): Column<RunRecord>[] {
  const { colours } = cli.terminal.out;
  return [
    { header: "RUN", value: ({ run }) => run },
    { header: "PROJECT", value: ({ project }) => project, shrink: "end", drop: 2 },
    { header: "STAGE", value: ({ stage }) => stage },
    { header: "STATE", value: ({ state }) => state, paint: (cell, { state }) => statePaint(state, colours)(cell) },
    { header: "STARTED", value: ({ startedAt, requestedAt }) => formatTime(startedAt ?? requestedAt), drop: 1 },
    { header: "DURATION", value: (run) => durationOf(run, now), align: "right" },
    { header: "COMMITS", value: ({ commitBefore, commitAfter }) => formatCommits(commitBefore, commitAfter) },
  ];
}

function durationOf(run: RunRecord, now: number): string {
  const duration = runDuration(run, now);
  return duration === undefined ? "–" : formatDuration(duration);
}

async function show(cli: Cli, id: string, options: GlobalOptions): Promise<void> {
  const run = await withHost(cli, requireWorkspace(cli, options), (session) => session.ask(ShowRun, { run: id }));
  const { terminal } = cli;
  if (options.json === true) return printDocument(terminal, run);
  const { colours } = terminal.out;
  const pairs: (readonly [string, string])[] = [
    ["run", run.run],
    ["project", run.project],
    ["stage", stageLabel(run.stage)],
    ["state", statePaint(run.state, colours)(run.state)],
    ["asked by", run.force ? `${run.actor}, with --force` : run.actor],
    ["requested", formatTime(run.requestedAt)],
    ["started", formatTime(run.startedAt)],
    ["finished", formatTime(run.finishedAt)],
    ["duration", durationOf(run, Date.now())],
    ["commits", formatCommits(run.commitBefore, run.commitAfter)],
    ["totals", run.totals === null ? "–" : formatTotals(run.totals)],
    ...flattenDetails(run.details),
  ];
  print(terminal, renderPairs(pairs, colours));
  if (run.error !== null) print(terminal, renderError(run.error, colours));
}

function collectState(text: string, before: readonly RunState[] | undefined): readonly RunState[] {
  const state = STATES.find((known) => known === text);
  if (state === undefined) throw unknownName("state", text, STATES);
  return [...(before ?? []), state];
}
