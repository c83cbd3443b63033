/** `eda migrate-stores`: from the embedded stores to the configured ones. */
import { type Command, Option } from "commander";
import type { Colors } from "picocolors/types";
import { EdaError, EXIT_CODES } from "../../domain/errors.ts";
import { printable } from "../../domain/printable.ts";
import { type HostProgram, stopHost } from "../../protocol/client.ts";
import { installationAt } from "../../protocol/installation.ts";
import { migrateStores, type MigrationReport, type MovedStore } from "../../protocol/migrate-stores.ts";
import { actorOf, type Cli, type GlobalOptions } from "../context.ts";
import { interruptible } from "../interrupt.ts";
import { formatBytes, formatCount } from "../output/format.ts";
import { note, print, printDocument } from "../output/terminal.ts";
import { openWorkView } from "../output/work-view.ts";
import { requireWorkspace } from "../workspace.ts";

interface MigrateStoresOptions extends GlobalOptions {
  readonly dryRun?: true;
}

const HELP = `
Name the new stores first (stores in configs/eda.yaml, or EDA_ variables) and see that they answer: eda doctor. Then every object
version, the database with its audit chain, and the logs are copied and verified. Interrupted, run it again: it goes on where it was.
The stores of before stay as they are in .eda; delete them when you no longer need them.
Exit code 3 when runs are active or the new stores hold other data, 4 when one is away, 1 when something does not agree afterwards.

Examples:
  $ eda migrate-stores --dry-run
  $ eda migrate-stores --json | jq .verification.ok`;

export function addMigrateStores(program: Command, cli: Cli): void {
  program
    .command("migrate-stores")
    .summary("move to the configured object store, database and run log")
    .description("Moves the workspace from the embedded stores to the configured ones, and verifies all of it.")
    .addOption(new Option("--from <stores>", "what to move from").choices(["embedded"]).default("embedded"))
    .option("--dry-run", "say what would be moved, and whether it can be")
    .addHelpText("after", HELP)
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<MigrateStoresOptions>();
      const workspace = requireWorkspace(cli, options);
      const report = await migrate(cli, workspace, options.dryRun === true);
      if (report.verification?.ok === false) cli.outcome.exitCode = EXIT_CODES.terminal;
      if (options.json === true) printDocument(cli.terminal, report);
      else printReport(cli, report);
    });
}

/** @throws EdaError `cancelled` when the person has enough */
async function migrate(cli: Cli, workspace: string, dryRun: boolean): Promise<MigrationReport> {
  const program = requireProgram(cli);
  await stopHost(workspace);
  const cancellation = new AbortController();
  const view = openWorkView(cli.terminal);
  try {
    const work = migrateStores({
      workspace,
      program,
      actor: actorOf(cli.env),
      dryRun,
      signal: cancellation.signal,
      onEvent: (event) => {
        if (event.type === "progress") view.progress(event.progress);
        if (event.type === "step") note(cli.terminal, cli.terminal.err.colours.dim(`${event.message} …`));
      },
    });
    const result = await interruptible(work, () => cancellation.abort());
    if (result.left) throw new EdaError("cancelled", "cancelled", "The move was left; it stops by itself.");
    return result.value;
  } finally {
    view.close();
  }
}

function requireProgram(cli: Cli): HostProgram {
  const program = installationAt(cli.home, cli.env)?.program;
  if (program !== undefined) return program;
  throw new EdaError("unavailable", "host-not-installed", `There is no eda host in ${cli.home}.`, { todo: "Build it with: npm run build" });
}

function printReport({ terminal }: Cli, report: MigrationReport): void {
  const { colours } = terminal.out;
  const { state, objects, inventory, runLog, verification, commit, notes } = report;
  if (state === "nothing-to-do") note(terminal, "Nothing to move: everything is in the configured stores.");
  const verb = state === "planned" ? "would move" : "moved";
  if (objects !== null) print(terminal, renderStore(`${verb} ${formatCount(objects.count)} object versions`, objects, colours));
  if (inventory !== null) print(terminal, renderStore(`${verb} ${formatCount(inventory.count)} rows`, inventory, colours));
  if (runLog !== null) print(terminal, renderStore(`${verb} ${formatCount(runLog.count)} log lines`, runLog, colours));
  if (commit !== null) print(terminal, `${colours.green("✔")} settings committed: ${commit.slice(0, 12)}`);
  for (const each of notes) note(terminal, `${terminal.err.colours.yellow("!")} ${printable(each)}`);
  if (verification === null) return;
  if (verification.ok) {
    print(
      terminal,
      `${colours.green("✔")} all agree: ${formatCount(verification.objects)} objects, ${formatCount(verification.rows)} rows`,
    );
    return;
  }
  for (const { name, message } of verification.problems) print(terminal, `${colours.red("✖")} ${printable(name)}: ${printable(message)}`);
  note(terminal, "The stores of before are unchanged: see whether they say the same with eda verify, without the new ones configured.");
}

function renderStore(what: string, { from, to, bytes }: MovedStore, colours: Colors): string {
  const size = bytes === undefined ? "" : ` (${formatBytes(bytes)})`;
  return `${colours.green("✔")} ${what}${size}\n  ${colours.dim(printable(`${from} → ${to}`))}`;
}
