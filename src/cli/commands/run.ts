/** `eda run`: one stage, or all seven, watched to the end. */
import type { Command } from "commander";
import { isStageId, type StageId, STAGES } from "../../domain/stage.ts";
import type { Cli, GlobalOptions } from "../context.ts";
import { executeRuns } from "../execute-runs.ts";
import { withHost } from "../session.ts";
import { unknownName } from "../suggest.ts";
import { requireProject, requireWorkspace } from "../workspace.ts";

interface RunOptions extends GlobalOptions {
  readonly project?: string;
  readonly force?: true;
}

const STAGE_LIST = STAGES.map(({ number, id, subject }) => `  ${number}  ${id.padEnd(10)} ${subject}`).join("\n");

const HELP = `
Stages:
${STAGE_LIST}

A run is work of the host and survives a closed terminal. Ctrl-C cancels it; a second Ctrl-C leaves without
waiting.

Examples:
  $ eda run all                            of the only project here
  $ eda run staging --project vendas
  $ eda run staging --force                although nothing changed
  $ eda run all --json | jq -c 'select(.type == "summary")'`;

export function addRun(program: Command, cli: Cli): void {
  program
    .command("run")
    .summary("run one stage, or all seven")
    .description("Runs one stage, or all seven in order, and stays with it to the end. Unchanged inputs and code: nothing to do.")
    .argument("<stage>", "a stage, or all", parseStage)
    .option("--project <name>", "project; may be left out when there is only one")
    .option("--force", "run although inputs and code are unchanged")
    .addHelpText("after", HELP)
    .action(async (stage: StageId | "all", _options, command: Command) => {
      const options = command.optsWithGlobals<RunOptions>();
      const workspace = requireWorkspace(cli, options);
      const project = requireProject(workspace, options.project);
      cli.outcome.exitCode = await withHost(cli, workspace, (session) =>
        executeRuns(cli, session, { project, stage, force: options.force === true, json: options.json === true }),
      );
    });
}

/** @throws EdaError `usage` `unknown-stage` */
export function parseStage(text: string): StageId | "all" {
  if (text === "all" || isStageId(text)) return text;
  throw unknownName("stage", text, [...STAGES.map((stage) => stage.id), "all"]);
}
