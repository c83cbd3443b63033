/** Lists: a table for people, one document for programs. */
import type { Cli, GlobalOptions } from "../context.ts";
import type { Listing } from "../paging.ts";
import { type Column, renderTable } from "./table.ts";
import { note, print, printDocument, widthOf } from "./terminal.ts";

/** @param empty what is said, as a message, when there is nothing to list */
export function printListing<T>(cli: Cli, options: GlobalOptions, listing: Listing<T>, columns: readonly Column<T>[], empty: string): void {
  const { terminal } = cli;
  if (options.json === true) return printDocument(terminal, listing);
  if (listing.items.length === 0) return note(terminal, empty);
  print(terminal, renderTable(columns, listing.items, widthOf(terminal.out), terminal.out.colours));
  if (listing.cursor !== null) {
    note(terminal, terminal.err.colours.dim(`There is more: --all shows everything, --cursor '${listing.cursor}' goes on from here.`));
  }
}
