/** Queries, transactions, streams and batches over one pool, with errors in the domain's words. */
import type { Pool, PoolClient } from "pg";
import { EdaError } from "../../domain/errors.ts";
import type { Items } from "../../ports/inventory.ts";
import { toDatabaseError } from "./errors.ts";

/** Rows fetched at a time by a stream: a few megabytes. */
const STREAM_ROWS = 2_000;
/** Rows written by one statement. */
const BATCH_ROWS = 5_000;

/** A row as the pool's parsers give it, by column. */
export type SqlRow = Readonly<Record<string, unknown>>;

/** Something that runs statements: the pool, or the connection of a transaction. */
export interface Queryable {
  query<R extends SqlRow = SqlRow>(sql: string, values?: readonly unknown[]): Promise<readonly R[]>;
}

export interface Database extends Queryable {
  /** All or nothing, on one connection. */
  transaction<T>(work: (connection: Queryable) => Promise<T>): Promise<T>;
  /** Rows of one SELECT as of one moment, in its order, never held whole. */
  stream<R extends SqlRow = SqlRow>(sql: string, values?: readonly unknown[]): AsyncGenerator<R, void, undefined>;
}

export function openDatabase(pool: Pool): Database {
  return {
    query: queryOn(pool),
    async transaction(work) {
      const client = await connect(pool);
      const query = queryOn(client);
      try {
        await query("BEGIN");
        const result = await work({ query });
        await query("COMMIT");
        client.release();
        return result;
      } catch (error) {
        await abandon(client);
        throw error;
      }
    },
    async *stream<R extends SqlRow>(sql: string, values: readonly unknown[] = []) {
      const client = await connect(pool);
      const query = queryOn(client);
      let open = true;
      const finish = async () => {
        open = false;
        await abandon(client);
      };
      try {
        await query("BEGIN READ ONLY");
        await query(`DECLARE leitura NO SCROLL CURSOR FOR ${sql}`, values);
        while (open) {
          const rows = await query<R>(`FETCH ${STREAM_ROWS} FROM leitura`);
          // Given back before the last rows are used: a short stream holds no connection while its reader asks for another.
          if (rows.length < STREAM_ROWS) await finish();
          yield* rows;
        }
      } finally {
        if (open) await finish();
      }
    },
  };
}

/** A column to write: its name, SQL type, and where its value comes from. */
export type Column<T> = readonly [name: string, type: "text" | "bigint" | "json" | "timestamptz", value: (item: T) => unknown];

export interface OnConflict<T> {
  /** `ON CONFLICT …` */
  readonly clause: string;
  /** What rows of one identity have in common: one statement cannot change a row twice, so the last of them counts. */
  readonly identity?: (item: T) => string;
}

/** Inserts any number of items, some thousands a statement. */
export async function insertAll<T>(
  connection: Queryable,
  table: string,
  columns: readonly Column<T>[],
  items: Items<T>,
  { clause, identity }: OnConflict<T> = { clause: "" },
): Promise<void> {
  const names = columns.map(([name]) => name).join(", ");
  const arrays = columns.map(([, type], index) => `$${index + 1}::${type}[]`).join(", ");
  const sql = `INSERT INTO ${table} (${names}) SELECT * FROM unnest(${arrays}) ${clause}`;
  for await (const batch of batchesOf(items)) {
    const distinct = identity === undefined ? batch : [...new Map(batch.map((item) => [identity(item), item])).values()];
    await connection.query(
      sql,
      columns.map(([, , value]) => distinct.map(value)),
    );
  }
}

export async function* batchesOf<T>(items: Items<T>): AsyncGenerator<readonly T[], void, undefined> {
  let batch: T[] = [];
  for await (const item of items) {
    batch.push(item);
    if (batch.length < BATCH_ROWS) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** The opaque text that stands for a place in an ordered listing. */
export function encodeCursor(place: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(place)).toString("base64url");
}

/** @throws EdaError `usage` `invalid-cursor` when the text was not made by {@link encodeCursor} for such a listing */
export function decodeCursor(text: string, types: readonly ("string" | "number")[]): readonly (string | number)[] {
  try {
    const place: unknown = JSON.parse(Buffer.from(text, "base64url").toString());
    if (Array.isArray(place) && place.length === types.length && types.every((type, index) => typeof place[index] === type)) return place;
  } catch {
    // Said below.
  }
  throw new EdaError("usage", "invalid-cursor", "The cursor is not one that this listing gave.", { todo: "Start at the first page." });
}

async function connect(pool: Pool): Promise<PoolClient> {
  try {
    return await pool.connect();
  } catch (error) {
    throw toDatabaseError(error);
  }
}

/** Ends an open transaction without effect; a connection on which not even that works is thrown away. */
async function abandon(client: PoolClient): Promise<void> {
  try {
    await client.query("ROLLBACK");
    client.release();
  } catch {
    client.release(true);
  }
}

function queryOn(target: Pool | PoolClient): Queryable["query"] {
  return async <R extends SqlRow>(sql: string, values: readonly unknown[] = []) => {
    try {
      return (await target.query<R>(sql, [...values])).rows;
    } catch (error) {
      throw toDatabaseError(error);
    }
  };
}
