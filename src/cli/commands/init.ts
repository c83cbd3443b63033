/** `eda init`: the governed repository. */
import { mkdirSync } from "node:fs";
import type { Command } from "commander";
import { assertProjectName } from "../../domain/names.ts";
import { printable } from "../../domain/printable.ts";
import { InitWorkspace } from "../../protocol/messages.ts";
import { actorOf, type Cli, type GlobalOptions } from "../context.ts";
import { shortHash } from "../output/format.ts";
import { note, print, printDocument } from "../output/terminal.ts";
import { withHost } from "../session.ts";
import { initFolder } from "../workspace.ts";

interface InitOptions extends GlobalOptions {
  readonly project?: string;
}

const HELP = `
Makes a Git repository when there is none, lays out infra/ notebooks/ scripts/ sql/ eda/ dockerfiles/ configs/ and commits them
as "init: …". Files that exist are kept as they are. Git must know who you are (git config user.name and user.email).

Examples:
  $ eda init --project vendas
  $ eda init --workspace ~/dados`;

export function addInit(program: Command, cli: Cli): void {
  program
    .command("init")
    .summary("make this folder a governed repository")
    .description("Makes the folder a governed repository, with an init: commit.")
    .option("--project <name>", "lay out a project file of this name as well")
    .addHelpText("after", HELP)
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<InitOptions>();
      const { project } = options;
      if (project !== undefined) assertProjectName(project);
      const folder = initFolder(cli, options);
      mkdirSync(folder, { recursive: true });
      const result = await withHost(cli, folder, (session) =>
        session.ask(InitWorkspace, { actor: actorOf(cli.env), ...(project === undefined ? {} : { project }) }),
      );
      if (options.json === true) return printDocument(cli.terminal, { workspace: folder, ...result });
      const { terminal } = cli;
      for (const path of result.created) print(terminal, `${terminal.out.colours.green("+")} ${printable(path)}`);
      const commit = result.commit === null ? "nothing to commit" : `commit ${shortHash(result.commit)}`;
      note(terminal, `${printable(folder)}: ${result.created.length} files made, ${result.kept.length} kept, ${commit}.`);
      note(terminal, nextStep(project));
    });
}

function nextStep(project: string | undefined): string {
  if (project === undefined) return "Next: eda init --project NAME";
  return `Next: describe your data in configs/projects/${project}.yaml, then: eda run all --project ${project}`;
}
