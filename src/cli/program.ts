/** The command line as a whole: its commands, its options, and how a command's end becomes an exit code. */
import { Command, CommanderError } from "commander";
import { EdaError, EXIT_CODES, toEdaError } from "../domain/errors.ts";
import { addDemo } from "./commands/demo.ts";
import { addDoctor } from "./commands/doctor.ts";
import { addGoogle } from "./commands/google.ts";
import { addHost } from "./commands/host.ts";
import { addInit } from "./commands/init.ts";
import { addInventory } from "./commands/inventory.ts";
import { addJobs } from "./commands/jobs.ts";
import { addLineage } from "./commands/lineage.ts";
import { addLogs } from "./commands/logs.ts";
import { addObjects } from "./commands/objects.ts";
import { addMigrateStores } from "./commands/migrate-stores.ts";
import { addRecover } from "./commands/recover.ts";
import { addRun } from "./commands/run.ts";
import { addRuns } from "./commands/runs.ts";
import { addStatus } from "./commands/status.ts";
import { addVerify } from "./commands/verify.ts";
import type { Cli } from "./context.ts";
import { renderError } from "./output/errors.ts";
import { note, printEvent, widthOf } from "./output/terminal.ts";
import { usageError } from "./usage.ts";

const HELP = `
Examples:
  $ eda demo                               real data through all seven stages, in ./eda-demo
  $ eda init --project vendas              a governed repository with a project of your own
  $ eda run all                            the seven stages of the only project here
  $ eda lineage modelo/modelo.onnx         from a model back to its Drive files
  $ eda verify                             every object, row, manifest and audit entry

Exit codes:
  0 done, or nothing to do · 1 it failed · 2 wrong usage · 3 the workspace is not ready · 4 a service is away · 130 cancelled`;

/** Runs one command line. @param argv without program and script. @returns the exit code; never throws */
export async function runCli(cli: Cli, argv: readonly string[]): Promise<number> {
  try {
    await buildProgram(cli).parseAsync([...argv], { from: "user" });
    return cli.outcome.exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return 0;
    const failure = toEdaError(error);
    if (wantsJson(argv)) printEvent(cli.terminal, { type: "error", error: failure.toDocument() });
    note(cli.terminal, renderError(failure.toDocument(), cli.terminal.err.colours));
    if (!(error instanceof EdaError) && error instanceof Error && cli.env.EDA_DEBUG === "1") note(cli.terminal, error.stack ?? "");
    return EXIT_CODES[failure.kind];
  }
}

function buildProgram(cli: Cli): Command {
  const { out, err } = cli.terminal;
  const program = new Command("eda")
    .description("Governed data from Google Drive to a deployed model: seven stages, each committed to Git before and after.")
    .version(cli.version, "-V, --version", "print the version")
    .option("--workspace <dir>", "folder of the workspace; a folder inside it will do (default: the current one)")
    .option("--json", "print JSON: one document, or one event a line where a run is shown")
    .helpOption("-h, --help", "explain the command")
    .helpCommand("help [command]", "explain a command")
    .configureHelp({ showGlobalOptions: true, styleTitle: (title) => out.colours.bold(title) })
    .configureOutput({
      writeOut: (text) => void out.stream.write(text),
      writeErr: (text) => void err.stream.write(text),
      // The error itself is rendered once, at the end, as every other error is.
      outputError: () => undefined,
      getOutHelpWidth: () => Math.min(widthOf(out), 100),
      getErrHelpWidth: () => Math.min(widthOf(err), 100),
      getOutHasColors: () => out.colours.isColorSupported,
      getErrHasColors: () => err.colours.isColorSupported,
    })
    .addHelpText("after", HELP);
  for (const add of [
    addDemo,
    addInit,
    addRun,
    addStatus,
    addRuns,
    addLogs,
    addInventory,
    addObjects,
    addLineage,
    addVerify,
    addJobs,
    addDoctor,
    addHost,
    addGoogle,
    addRecover,
    addMigrateStores,
  ]) {
    add(program, cli);
  }
  explainMistakes(program);
  return program;
}

/** Every command turns the parser's complaints into errors that name that very command. */
function explainMistakes(command: Command): void {
  command.exitOverride((error) => {
    throw usageError(error, command) ?? error;
  });
  for (const each of command.commands) explainMistakes(each);
}

/** Known without parsing: a mistake on the command line is told as JSON as well. */
function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf("--");
  return argv.slice(0, end === -1 ? argv.length : end).includes("--json");
}
