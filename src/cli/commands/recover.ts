/** `eda recover`: finishing what was left undone. */
import type { Command } from "commander";
import { printable } from "../../domain/printable.ts";
import { Recover } from "../../protocol/messages.ts";
import type { Cli, GlobalOptions } from "../context.ts";
import { note, print, printDocument } from "../output/terminal.ts";
import { withHost } from "../session.ts";
import { requireWorkspace } from "../workspace.ts";

const HELP = `
Interrupted runs go on by themselves when the host starts. This is for what then still stands open: a commit after a run that a
hook or a merge in progress had refused, an object that no row knows.`;

export function addRecover(program: Command, cli: Cli): void {
  program
    .command("recover")
    .summary("finish what a crash or a refused commit left undone")
    .description("Finishes what a crash or a refused commit left undone, and says what was done.")
    .addHelpText("after", HELP)
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions>();
      const done = await withHost(cli, requireWorkspace(cli, options), (session) => session.ask0(Recover));
      if (options.json === true) return printDocument(cli.terminal, { done });
      if (done.length === 0) note(cli.terminal, "Nothing to recover.");
      for (const line of done) print(cli.terminal, printable(line));
    });
}
