/** The command line as a whole: its commands, its options, and how a command's end becomes an exit code. */
import { Command, CommanderError } from "commander";
import { EdaError, EXIT_CODES, toEdaError } from "../domain/errors.ts";
import type { Cli } from "./context.ts";
import { renderError } from "./output/errors.ts";
import { note, printEvent, widthOf } from "./output/terminal.ts";
import { usageError } from "./usage.ts";

/** In the order of the help. Loaded when they are called: what draws tables and progress takes longer to load than Node itself. */
const COMMANDS: Readonly<Record<string, () => Promise<(program: Command, cli: Cli) => void>>> = {
  demo: async () => (await import("./commands/demo.ts")).addDemo,
  init: async () => (await import("./commands/init.ts")).addInit,
  run: async () => (await import("./commands/run.ts")).addRun,
  status: async () => (await import("./commands/status.ts")).addStatus,
  runs: async () => (await import("./commands/runs.ts")).addRuns,
  logs: async () => (await import("./commands/logs.ts")).addLogs,
  inventory: async () => (await import("./commands/inventory.ts")).addInventory,
  objects: async () => (await import("./commands/objects.ts")).addObjects,
  lineage: async () => (await import("./commands/lineage.ts")).addLineage,
  verify: async () => (await import("./commands/verify.ts")).addVerify,
  jobs: async () => (await import("./commands/jobs.ts")).addJobs,
  doctor: async () => (await import("./commands/doctor.ts")).addDoctor,
  host: async () => (await import("./commands/host.ts")).addHost,
  google: async () => (await import("./commands/google.ts")).addGoogle,
  recover: async () => (await import("./commands/recover.ts")).addRecover,
  "migrate-stores": async () => (await import("./commands/migrate-stores.ts")).addMigrateStores,
};

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
    const program = await buildProgram(cli, argv);
    await program.parseAsync([...argv], { from: "user" });
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

async function buildProgram(cli: Cli, argv: readonly string[]): Promise<Command> {
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
  for (const add of await commandsFor(argv)) add(program, cli);
  explainMistakes(program);
  return program;
}

/** The one that comes first; all of them for help, for a mistake, and behind options, whose values may be called like commands. */
function commandsFor([first = ""]: readonly string[]): Promise<((program: Command, cli: Cli) => void)[]> {
  const loads = Object.hasOwn(COMMANDS, first) ? [COMMANDS[first]] : Object.values(COMMANDS);
  return Promise.all(loads.flatMap((load) => load?.() ?? []));
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
