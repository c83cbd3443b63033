/** Lists: a table for people, one document for programs. */
import type { Cli, GlobalOptions } from "../context.ts";
import type { Listing } from "../paging.ts";
import { type Column, renderTable } from "./table.ts";
import { note, print, printDocument, widthOf } from "./terminal.ts";

/** @param empty what is said, as a message, when there is nothing to list */
export function printListing<T>(
  { terminal }: Cli,
  options: GlobalOptions,
  listing: Listing<T>,
  columns: readonly Column<T>[],
  empty: string,
): void {
  if (options.json === true) printDocument(terminal, listing);
  else if (listing.items.length === 0) note(terminal, empty);
  else print(terminal, renderTable(columns, listing.items, widthOf(terminal.out), terminal.out.colours));
  if (options.json !== true && listing.cursor !== null) {
    note(terminal, terminal.err.colours.dim(`There is more: --all shows everything, --cursor '${listing.cursor}' goes on from here.`));
  }
}
