/** `eda demo`: real flights through all seven stages. */
import { mkdirSync } from "node:fs";
import type { Command } from "commander";
import { printable } from "../../domain/printable.ts";
import { CreateDemo } from "../../protocol/messages.ts";
import { actorOf, type Cli, type GlobalOptions } from "../context.ts";
import { executeRuns } from "../execute-runs.ts";
import { formatCount, shortHash } from "../output/format.ts";
import { note } from "../output/terminal.ts";
import { withHost } from "../session.ts";
import { demoFolder } from "../workspace.ts";

interface DemoOptions extends GlobalOptions {
  readonly force?: true;
}

const HELP = `
Lays out the project projeto_voos (3,000,000 real flights of 2001, airports, bird strikes), with a folder that stands in for
Drive, in the current folder when it is empty, else in ./eda-demo. Run again, it goes on where there is something to do.

Examples:
  $ eda demo
  $ eda demo --workspace /tmp/voos --json`;

export function addDemo(program: Command, cli: Cli): void {
  program
    .command("demo")
    .summary("lay out the demonstration and run its seven stages")
    .description("Lays out the demonstration workspace and runs its seven stages.")
    .option("--force", "run every stage although nothing changed")
    .addHelpText("after", HELP)
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<DemoOptions>();
      const folder = demoFolder(cli, options);
      mkdirSync(folder, { recursive: true });
      cli.outcome.exitCode = await withHost(cli, folder, async (session) => {
        const { project, created, commit } = await session.ask(CreateDemo, { actor: actorOf(cli.env) });
        const layout =
          created.length === 0 ? "is here already" : `${formatCount(created.length)} files laid out, commit ${shortHash(commit)}`;
        note(cli.terminal, `Demonstration in ${printable(folder)}: ${layout}.`);
        return executeRuns(cli, session, { project, stage: "all", force: options.force === true, json: options.json === true });
      });
      if (cli.outcome.exitCode === 0) {
        note(cli.terminal, `Look around: cd ${printable(folder)}, then eda status, eda inventory models, eda verify, git log`);
      }
    });
}
