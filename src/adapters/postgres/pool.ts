import pg, { type Pool } from "pg";

/** More than this many conversations at once only queue in the server. */
const MAX_CONNECTIONS = 16;
const CONNECT_TIMEOUT_MS = 15_000;

/**
 * A pool of connections whose rows hold what the domain uses: int8 as number (as text beyond 2^53), timestamps as ISO 8601 text with
 * milliseconds, UTC.
 */
export function openPool(url: string): Pool {
  const pool = new pg.Pool({
    connectionString: url,
    application_name: "eda",
    max: MAX_CONNECTIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    types: { getTypeParser: typeParser },
  });
  // A connection that breaks while nobody uses it is replaced by the next query, which reports if that fails. Without listeners the
  // event would end the process; a connection in use has none of the pool's.
  pool.on("error", () => undefined);
  pool.on("connect", (client) => client.on("error", () => undefined));
  return pool;
}

const typeParser = ((oid: number, format?: "text" | "binary") => {
  if (oid === pg.types.builtins.INT8) return parseInt8;
  const standard = pg.types.getTypeParser(oid, format as "text");
  if (oid === pg.types.builtins.TIMESTAMPTZ) return (text: string) => (standard(text) as Date).toISOString();
  return standard;
}) as typeof pg.types.getTypeParser;

function parseInt8(text: string): number | string {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : text;
}
