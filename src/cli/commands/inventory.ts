/** `eda inventory`: the rows of one of the five inventories. */
import type { Command } from "commander";
import type { StoredInventoryRow } from "../../domain/inventory.ts";
import { INVENTORIES, INVENTORY_TABLES, type InventoryId, isInventoryId } from "../../domain/stage.ts";
import { ListRows } from "../../protocol/messages.ts";
import type { Cli, GlobalOptions } from "../context.ts";
import { formatBytes, formatCount, formatTime } from "../output/format.ts";
import { printListing } from "../output/listing.ts";
import type { Column } from "../output/table.ts";
import { addPaging, collectPages, type PageChoice } from "../paging.ts";
import { withHost } from "../session.ts";
import { unknownName } from "../suggest.ts";
import { requireProject, requireWorkspace } from "../workspace.ts";

interface InventoryOptions extends GlobalOptions, PageChoice {
  readonly project?: string;
  readonly search?: string;
}

const HELP = `
Inventories:
${INVENTORIES.map((id) => `  ${id.padEnd(10)} table ${INVENTORY_TABLES[id]}`).join("\n")}

Examples:
  $ eda inventory raw --project vendas --search .csv
  $ eda inventory models --json | jq '.items[].sha256'`;

export function addInventory(program: Command, cli: Cli): void {
  const command = program
    .command("inventory")
    .summary("list what an inventory holds")
    .description("Lists the current rows of an inventory: what is stored, where, in which version, with which content.")
    .argument("<inventory>", INVENTORIES.join(", "), parseInventory)
    .option("--project <name>", "project; may be left out when there is only one")
    .option("--search <text>", "only names that contain this text");
  addPaging(command, 100)
    .addHelpText("after", HELP)
    .action(async (inventory: InventoryId, _options, self: Command) => {
      const options = self.optsWithGlobals<InventoryOptions>();
      const workspace = requireWorkspace(cli, options);
      const project = requireProject(workspace, options.project);
      const filter = { inventory, project, ...(options.search === undefined ? {} : { search: options.search }) };
      const listing = await withHost(cli, workspace, (session) =>
        collectPages(options, (page) => session.ask(ListRows, { ...filter, ...page })),
      );
      const empty = options.search === undefined ? "is empty" : "has no name with that text";
      printListing(cli, options, listing, COLUMNS, `The inventory ${inventory} of ${project} ${empty}.`);
    });
}

const COLUMNS: readonly Column<StoredInventoryRow>[] = [
  { header: "NAME", value: ({ name }) => name, shrink: "middle" },
  { header: "ROLE", value: ({ role, aliasOf }) => (aliasOf === null ? role : "alias") },
  { header: "SIZE", value: ({ size }) => formatBytes(size), align: "right" },
  { header: "ROWS", value: ({ rows }) => (rows === null ? "–" : formatCount(rows)), align: "right" },
  { header: "SHA256", value: ({ sha256 }) => sha256.slice(0, 12), drop: 4 },
  { header: "OBJECT", value: ({ bucket, key, versionId }) => `${bucket}/${key}@${versionId}`, shrink: "middle", drop: 3 },
  { header: "REGISTERED", value: ({ registeredAt }) => formatTime(registeredAt), drop: 2 },
  { header: "RUN", value: ({ run }) => run, drop: 1 },
];

function parseInventory(text: string): InventoryId {
  if (isInventoryId(text)) return text;
  throw unknownName("inventory", text, INVENTORIES);
}
