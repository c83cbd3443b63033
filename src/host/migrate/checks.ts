/** What must be true before a workspace may be moved. */
import { brokenLink, formatAuditHead, GENESIS_HASH, type AuditHead } from "../../domain/audit.ts";
import { EdaError } from "../../domain/errors.ts";
import { SETTINGS_FILE } from "../../domain/governed.ts";
import { isTerminal } from "../../domain/run.ts";
import type { Inventory } from "../../ports/inventory.ts";
import { incompleteRuns } from "../recover.ts";
import type { StoresConfiguration } from "../stores/configuration.ts";
import { allRuns } from "./copy-logs.ts";

/** @throws EdaError `precondition` `no-servers` */
export function refuseEmbedded({ objects, database, runLog }: StoresConfiguration): void {
  if (objects.kind !== "folder" || database.kind !== "embedded" || runLog.kind !== "database") return;
  throw new EdaError("precondition", "no-servers", "No other stores are configured: there is nowhere to move to.", {
    todo: `Name them under stores in ${SETTINGS_FILE}, or in EDA_ variables, and see that they answer: eda doctor`,
  });
}

/** What a run has not finished lies in places that are not moved. @throws EdaError `precondition` `runs-active` or `runs-incomplete` */
export async function refuseUnsettledRuns(inventory: Inventory): Promise<void> {
  const todo = "Take the stores out of the configuration, let it end (eda recover), put them back, then run eda migrate-stores.";
  for await (const { run, state } of allRuns(inventory)) {
    if (!isTerminal(state)) throw new EdaError("precondition", "runs-active", `Run ${run} is ${state}: it has to end first.`, { todo });
  }
  const [incomplete] = await incompleteRuns(inventory);
  if (incomplete === undefined) return;
  throw new EdaError("precondition", "runs-incomplete", `Run ${incomplete.run} has no commit after it.`, { todo });
}

/** @returns its head @throws EdaError `terminal` `audit-broken` */
export async function verifiedHead(inventory: Inventory): Promise<AuditHead> {
  let previous: AuditHead = { sequence: 0, hash: GENESIS_HASH };
  for await (const entry of inventory.audit()) {
    const broken = brokenLink(entry, previous);
    if (broken !== undefined) {
      throw new EdaError("terminal", "audit-broken", `The audit chain does not hold: ${broken}.`, {
        todo: "Nothing was moved. Find out what was changed with the stores of before: eda verify",
      });
    }
    previous = { sequence: entry.sequence, hash: entry.hash };
  }
  return previous;
}

/** @throws EdaError `precondition` `target-not-empty` */
export function refuseFilled(tables: Readonly<Record<string, number>>, address: string): void {
  const names = Object.entries(tables).map(([table, rows]) => `${table} (${rows})`);
  if (names.length > 0) throw notEmpty(address, names.join(", "));
}

/**
 * The embedded database was moved before, and is to be as it was then.
 * @param movedAt head of the chain that was moved to the target
 * @throws EdaError `precondition` `both-changed` when it went on since, `target-not-empty` when it was another workspace's
 */
export async function refuseLaterChanges(source: Inventory, movedAt: string, address: string): Promise<void> {
  const head = formatAuditHead(await source.auditHead());
  if (head === movedAt) return;
  for await (const entry of source.audit()) {
    if (formatAuditHead(entry) !== movedAt) continue;
    throw new EdaError("precondition", "both-changed", "The embedded stores were moved before, and runs have changed them since.", {
      todo: "Two histories cannot be joined: go on with one of them. What was moved is whole; see both with eda verify.",
    });
  }
  throw notEmpty(address, "another workspace was moved there");
}

function notEmpty(address: string, what: string): EdaError {
  return new EdaError("precondition", "target-not-empty", `${address} holds other data: ${what}.`, {
    todo: "Name an empty database of this workspace alone (stores.database.database). Nothing was changed.",
  });
}
