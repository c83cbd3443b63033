/** `eda status`: projects and their stages, and what is not yet committed. */
import type { Command } from "commander";
import { printable } from "../../domain/printable.ts";
import { type GitStatus, PipelineStatus, type ProjectStatus, RepositoryStatus, type StageStatus } from "../../protocol/messages.ts";
import type { Cli, GlobalOptions } from "../context.ts";
import { renderError } from "../output/errors.ts";
import { formatCommits, formatTime, shortHash, stageLabel } from "../output/format.ts";
import { statePaint } from "../output/marks.ts";
import { type Column, renderTable } from "../output/table.ts";
import { note, print, printDocument, type Terminal, widthOf } from "../output/terminal.ts";
import { withHost } from "../session.ts";
import { requireProject, requireWorkspace } from "../workspace.ts";

interface StatusOptions extends GlobalOptions {
  readonly project?: string;
}

export function addStatus(program: Command, cli: Cli): void {
  program
    .command("status")
    .summary("show how far each project is")
    .description("Shows the seven stages of each project, what is out of date, and what is not yet committed.")
    .option("--project <name>", "only this project (default: all)")
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<StatusOptions>();
      const workspace = requireWorkspace(cli, options);
      const filter = options.project === undefined ? {} : { project: requireProject(workspace, options.project) };
      const { projects, repository } = await withHost(cli, workspace, async (session) => ({
        projects: await session.ask(PipelineStatus, filter),
        repository: await session.ask0(RepositoryStatus),
      }));
      if (options.json === true) return printDocument(cli.terminal, { projects, repository });
      for (const project of projects) printProject(cli.terminal, project);
      if (projects.length === 0) note(cli.terminal, "No project yet: eda init --project NAME makes one.");
      printRepository(cli.terminal, repository);
    });
}

function printProject(terminal: Terminal, { project, title, problems, stages }: ProjectStatus): void {
  const { colours } = terminal.out;
  print(terminal, `${colours.bold(printable(project))}${title === null ? "" : `  ${colours.dim(printable(title))}`}`);
  if (problems.length > 0) {
    const error = { kind: "precondition", code: "invalid-config", message: "The project file is not valid.", findings: problems } as const;
    print(terminal, renderError(error, colours));
  }
  print(terminal, `${renderTable(columns(terminal), stages, widthOf(terminal.out), colours)}\n`);
}

function columns(terminal: Terminal): Column<StageStatus>[] {
  const { colours } = terminal.out;
  const runOf = ({ activeRun, lastRun }: StageStatus) => activeRun ?? lastRun;
  return [
    { header: "STAGE", value: ({ stage }) => stageLabel(stage) },
    {
      header: "LAST RUN",
      value: (stage) => runOf(stage)?.state ?? "never",
      paint: (cell, stage) => statePaint(runOf(stage)?.state ?? "unchanged", colours)(cell),
    },
    { header: "AT", value: (stage) => formatTime(runOf(stage)?.startedAt ?? null), drop: 1 },
    { header: "COMMITS", value: ({ lastRun }) => formatCommits(lastRun?.commitBefore ?? null, lastRun?.commitAfter ?? null) },
    {
      header: "NOW",
      value: ({ freshness, reason }) => (reason === null ? freshness : `${freshness}: ${reason}`),
      shrink: "end",
      paint: (cell, { freshness }) =>
        freshness === "fresh" ? colours.green(cell) : freshness === "never" ? colours.dim(cell) : colours.yellow(cell),
    },
  ];
}

function printRepository(terminal: Terminal, { branch, commit, governed, ungoverned, unpushed, problem }: GitStatus): void {
  const { colours } = terminal.out;
  const parts = [
    `${printable(branch ?? "no branch")} at ${shortHash(commit)}`,
    `${governed.length} governed change(s)`,
    `${ungoverned.length} other change(s)`,
    ...(unpushed === null ? [] : [`${unpushed} unpushed`]),
  ];
  print(terminal, `${colours.dim("git")}  ${parts.join(" · ")}`);
  if (problem === null) return;
  print(
    terminal,
    renderError(
      { kind: "precondition", ...problem, ...(problem.todo === null ? { todo: "See eda doctor." } : { todo: problem.todo }) },
      colours,
    ),
  );
}
