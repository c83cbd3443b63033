/** Connections to the database of a workspace. */
import pg, { type Pool, type PoolClient } from "pg";
import { EdaError } from "../../domain/errors.ts";
import { translated } from "./failures.ts";

const MAX_CONNECTIONS = 10;
const CONNECT_TIMEOUT_MS = 10_000;
/** Type of `bigint` (pg_type.dat). */
const INT8_OID = 20;

/**
 * @param url `postgresql://…`; never logged
 */
export function openPool(url: string): Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max: MAX_CONNECTIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    application_name: "eda",
    types: { getTypeParser },
  });
  // An idle connection that breaks is replaced at the next query; without a listener it would end the process.
  pool.on("error", () => undefined);
  return pool;
}

/** Sizes, counts and sequences are `bigint` in the database and numbers here: 2^53 bytes are 9 petabytes. */
const getTypeParser: typeof pg.types.getTypeParser = (oid: number, format?: "text" | "binary") =>
  oid === INT8_OID && format !== "binary" ? toSafeInteger : pg.types.getTypeParser(oid, format as "text");

function toSafeInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new EdaError("terminal", "number-too-large", `${text} from the database is too large to be exact.`);
  return value;
}

/** One query on any connection. @throws EdaError, see {@link translated} */
export async function query<Row>(pool: Pool | PoolClient, sql: string, values: readonly unknown[] = []): Promise<Row[]> {
  try {
    return (await pool.query(sql, [...values])).rows as Row[];
  } catch (error) {
    throw translated(error);
  }
}

/** Work in one transaction: committed when it ends, rolled back when it throws. */
export async function inTransaction<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect().catch((error: unknown) => {
    throw translated(error);
  });
  let broken = false;
  try {
    await query(client, "BEGIN");
    const result = await work(client);
    await query(client, "COMMIT");
    return result;
  } catch (error) {
    await client.query("ROLLBACK").catch(() => {
      broken = true;
    });
    throw error;
  } finally {
    client.release(broken);
  }
}
