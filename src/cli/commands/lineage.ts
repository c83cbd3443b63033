/** `eda lineage`: from an asset back to the Drive files it was made from. */
import type { Command } from "commander";
import { Lineage } from "../../protocol/messages.ts";
import type { Cli, GlobalOptions } from "../context.ts";
import { renderLineageTree } from "../output/lineage-tree.ts";
import { print, printDocument } from "../output/terminal.ts";
import { withHost } from "../session.ts";
import { requireWorkspace } from "../workspace.ts";

interface LineageOptions extends GlobalOptions {
  readonly all?: true;
}

/** Sources shown of one asset before the rest is counted. */
const BREADTH = 12;

const HELP = `
An asset is a name from an inventory, BUCKET/KEY, or an asset URI (kind:name@version).

Examples:
  $ eda lineage atraso_chegada/modelo.onnx
  $ eda lineage curated-data/vendas/pedidos.parquet --all`;

export function addLineage(program: Command, cli: Cli): void {
  program
    .command("lineage")
    .summary("show what an asset was made from")
    .description("Shows what an asset was made from, step by step back to Drive, with the run and the commits of each step.")
    .argument("<asset>", "name, BUCKET/KEY or asset URI")
    .option("--all", `show every source, not the first ${BREADTH} of each step`)
    .addHelpText("after", HELP)
    .action(async (asset: string, _options, command: Command) => {
      const options = command.optsWithGlobals<LineageOptions>();
      const graph = await withHost(cli, requireWorkspace(cli, options), (session) => session.ask(Lineage, { asset }));
      if (options.json === true) return printDocument(cli.terminal, graph);
      const breadth = options.all === true ? Number.POSITIVE_INFINITY : BREADTH;
      print(cli.terminal, renderLineageTree(graph, { breadth, colours: cli.terminal.out.colours }));
    });
}
