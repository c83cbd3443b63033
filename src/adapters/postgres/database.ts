/** Queries, transactions and streams over one pool, with errors in the domain's words, through restarts of the server. */
import { setTimeout as delay } from "node:timers/promises";
import type { Pool, PoolClient } from "pg";
import { EdaError } from "../../domain/errors.ts";
import { toDatabaseError } from "./errors.ts";
import { createPatience, isConnectionLoss, type Patience, type PatienceOptions } from "./patience.ts";

/** Rows fetched at a time by a stream: a few megabytes. */
const STREAM_ROWS = 2_000;
const FETCH = `FETCH ${STREAM_ROWS} FROM leitura`;
const OUTCOME_POLL_MS = 100;

/** A row as the pool's parsers give it, by column. */
export type SqlRow = Readonly<Record<string, unknown>>;

/** Something that runs statements: the pool, or the connection of a transaction. */
export interface Queryable {
  query<R extends SqlRow = SqlRow>(sql: string, values?: readonly unknown[]): Promise<readonly R[]>;
}

/**
 * Whose connection breaks is served on another one, for as long as {@link PatienceOptions} say. A statement that is asked for alone may so be
 * done twice, and every one of ours leaves the same behind then.
 */
export interface Database extends Queryable {
  /** All or nothing, on one connection, and once: the work may be done again, but only when it left nothing the time before. */
  transaction<T>(work: (connection: Queryable) => Promise<T>): Promise<T>;
  /** A transaction with the rights that the login itself has. */
  asOwner<T>(work: (connection: Queryable) => Promise<T>): Promise<T>;
  /** Rows of one SELECT as of one moment, in its order, never held whole. One that breaks in the middle fails: the moment is gone. */
  stream<R extends SqlRow = SqlRow>(sql: string, values?: readonly unknown[]): AsyncGenerator<R, void, undefined>;
}

export function openDatabase(pool: Pool, options: PatienceOptions = {}): Database {
  const patience = createPatience(pool, options);
  const query = queryOn(pool);
  const outcome = outcomeOn(pool, patience);
  return {
    query: (sql, values) => patience(() => query(sql, values)),
    transaction: (work) => patience(async () => transact(await connect(pool), work, outcome)),
    asOwner: (work) => patience(async () => transact(await connectAsOwner(pool), work, outcome)),
    async *stream<R extends SqlRow>(sql: string, values: readonly unknown[] = []) {
      const { client, rows: first } = await patience(() => openCursor<R>(pool, sql, values));
      const fetch = queryOn(client);
      let open = true;
      const finish = async () => {
        open = false;
        await abandon(client);
      };
      try {
        for (let rows = first; ; rows = await fetch<R>(FETCH)) {
          // Given back before the last rows are used: a short stream holds no connection while its reader asks for another.
          if (rows.length < STREAM_ROWS) await finish();
          yield* rows;
          if (!open) return;
        }
      } finally {
        if (open) await finish();
      }
    },
  };
}

/** Whether a transaction was committed, by its number: for one whose answer to COMMIT got lost. */
type Outcome = (transaction: string) => Promise<boolean>;

async function transact<T>(client: PoolClient, work: (connection: Queryable) => Promise<T>, outcome: Outcome): Promise<T> {
  const query = queryOn(client);
  let result: T;
  let number: string | null | undefined;
  try {
    await query("BEGIN");
    result = await work({ query });
    [{ number }] = (await query("SELECT pg_current_xact_id_if_assigned()::text AS number")) as [{ number: string | null }];
  } catch (error) {
    await abandon(client, error);
    throw error;
  }
  try {
    await query("COMMIT");
  } catch (error) {
    await abandon(client, error);
    if (number !== null && isConnectionLoss(error) && (await outcome(number))) return result;
    throw error;
  }
  client.release();
  return result;
}

/** https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-SNAPSHOT */
function outcomeOn(pool: Pool, patience: Patience): Outcome {
  const query = queryOn(pool);
  return async (number) => {
    for (;;) {
      const status = await patience(() => statusOf(query, number));
      // The server may not have noticed yet that nobody listens any more.
      if (status !== "in progress") return status === "committed";
      await delay(OUTCOME_POLL_MS);
    }
  };
}

/** SQLSTATE of a number that was not given to any transaction yet. */
const NUMBER_TO_COME = "22023";

/** @returns null for a transaction that a crashed server has no trace of */
async function statusOf(query: Queryable["query"], number: string): Promise<string | null> {
  try {
    const [found] = await query<{ status: string | null }>("SELECT pg_xact_status($1::xid8) AS status", [number]);
    return found?.status ?? null;
  } catch (error) {
    const cause = error instanceof EdaError ? error.cause : undefined;
    if (cause instanceof Error && "code" in cause && cause.code === NUMBER_TO_COME) return null;
    throw error;
  }
}

async function openCursor<R extends SqlRow>(pool: Pool, sql: string, values: readonly unknown[]) {
  const client = await connect(pool);
  const query = queryOn(client);
  try {
    await query("BEGIN READ ONLY");
    await query(`DECLARE leitura NO SCROLL CURSOR FOR ${sql}`, values);
    return { client, rows: await query<R>(FETCH) };
  } catch (error) {
    await abandon(client, error);
    throw error;
  }
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

/** Not used again after its transaction: others have the rights that the pool gives. */
async function connectAsOwner(pool: Pool): Promise<PoolClient> {
  const client = await connect(pool);
  const release = client.release.bind(client);
  client.release = () => release(true);
  try {
    await queryOn(client)("SET ROLE NONE");
    return client;
  } catch (error) {
    client.release();
    throw error;
  }
}

/** Ends an open transaction without effect; a connection that is broken, or on which not even that works, is thrown away. */
async function abandon(client: PoolClient, reason?: unknown): Promise<void> {
  if (isConnectionLoss(reason)) return client.release(true);
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
