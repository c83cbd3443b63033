/** Writing any number of items, some thousands a statement. */
import { setImmediate } from "node:timers/promises";
import { inGroups } from "../../domain/groups.ts";
import type { Items } from "../../ports/inventory.ts";
import type { Queryable } from "./database.ts";

/** Rows written by one statement: a few megabytes. */
const BATCH_ROWS = 5_000;

/** A column to write: its name, SQL type, and where its value comes from. */
export type Column<T> = readonly [name: string, type: "text" | "bigint" | "json" | "timestamptz", value: (item: T) => unknown];

export interface OnConflict<T> {
  /** `ON CONFLICT …` */
  readonly clause: string;
  /** What rows of one identity have in common: one statement cannot change a row twice, so the last of them counts. */
  readonly identity?: (item: T) => string;
}

/** Inserts all items in their order. */
export async function insertAll<T>(
  connection: Queryable,
  table: string,
  columns: readonly Column<T>[],
  items: Items<T>,
  onConflict?: OnConflict<T>,
): Promise<void> {
  await forEachBatch(items, inserting(connection, table, columns, onConflict));
}

/** Makes the values of one statement; the function it answers sends them. */
export function inserting<T>(
  connection: Queryable,
  table: string,
  columns: readonly Column<T>[],
  { clause, identity }: OnConflict<T> = { clause: "" },
): (batch: readonly T[]) => () => Promise<unknown> {
  const names = columns.map(([name]) => name).join(", ");
  const arrays = columns.map(([, type], index) => `$${index + 1}::${type}[]`).join(", ");
  const sql = `INSERT INTO ${table} (${names}) SELECT * FROM unnest(${arrays}) ${clause}`;
  return (batch) => {
    const distinct = identity === undefined ? batch : [...new Map(batch.map((item) => [identity(item), item])).values()];
    const values = columns.map(([, , value]) => distinct.map(value));
    return () => connection.query(sql, values);
  };
}

/**
 * Goes through items batch by batch: while the server works on one statement, the values of the next are made.
 * @param prepare makes the values, and answers what sends them
 */
export async function forEachBatch<T>(items: Items<T>, prepare: (batch: readonly T[]) => () => Promise<unknown>): Promise<void> {
  let sent: Promise<unknown> = Promise.resolve();
  try {
    for await (const batch of batchesOf(items)) {
      const send = prepare(batch);
      await sent;
      sent = send();
      // Its failure is told by the next wait for it; until then somebody has to have heard of it.
      sent.catch(() => undefined);
      // A source that never waits would keep what was just sent from leaving.
      await setImmediate();
    }
  } finally {
    // Also when the source fails: nothing of it may still be under way when the transaction ends.
    await Promise.allSettled([sent]);
  }
  await sent;
}

export function batchesOf<T>(items: Items<T>): AsyncGenerator<readonly T[], void, undefined> {
  return inGroups(items, BATCH_ROWS);
}
