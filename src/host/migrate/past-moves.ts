/** What was moved before, as the audit chain has it. */
import { z } from "zod";
import type { Inventory } from "../../ports/inventory.ts";
import type { MovedStore } from "../../protocol/migrate-stores.ts";

export const MOVED = "stores.migrated";

const moved = z.object({}).nullable().catch(null);
const payloadSchema = z.object({ objects: moved, inventory: moved, runLog: moved, head: z.string().catch("") });

/** The audit entry's payload; `head` is the chain's head before it. */
export interface MovePayload {
  readonly objects: MovedStore | null;
  readonly inventory: MovedStore | null;
  readonly runLog: MovedStore | null;
  readonly head: string;
}

export interface PastMoves {
  readonly objects: boolean;
  readonly runLog: boolean;
  /** Head of the chain when it came here from another database; undefined when it began here. */
  readonly inventoryAt: string | undefined;
}

export async function pastMoves(inventory: Inventory): Promise<PastMoves> {
  let past: PastMoves = { objects: false, runLog: false, inventoryAt: undefined };
  for await (const { event, payload } of inventory.audit()) {
    if (event !== MOVED) continue;
    const { objects, runLog, inventory: database, head } = payloadSchema.parse(payload);
    past = {
      objects: past.objects || objects !== null,
      runLog: past.runLog || runLog !== null,
      inventoryAt: database === null ? past.inventoryAt : head,
    };
  }
  return past;
}
