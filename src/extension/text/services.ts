/** What was moved, or would be. */
import * as l10n from "@vscode/l10n";
import { printable } from "../../domain/printable.ts";
import type { MigrationReport, MovedStore } from "../../protocol/migrate-stores.ts";
import { bytes, count } from "./locale.ts";

export function migrationSummary({ objects, inventory, runLog, verification, notes }: MigrationReport): string {
  const line = (what: string, store: MovedStore | null) =>
    store === null ? [] : [`${what}\n    ${printable(store.from)} → ${printable(store.to)}`];
  const lines = [
    ...line(l10n.t("{0} object versions ({1})", count(objects?.count ?? 0), bytes(objects?.bytes ?? 0)), objects),
    ...line(l10n.t("{0} rows of the database", count(inventory?.count ?? 0)), inventory),
    ...line(l10n.t("{0} log lines", count(runLog?.count ?? 0)), runLog),
    ...(verification?.problems ?? []).map(({ name, message }) => `✖ ${printable(name)}: ${printable(message)}`),
    ...notes.map((note) => `! ${printable(note)}`),
  ];
  return lines.join("\n");
}
