import pg, { type Pool } from "pg";
import { clientConfig, type Connection } from "./connection.ts";
import { takeRole } from "./roles.ts";

/** More than this many conversations at once only queue in the server. */
const MAX_CONNECTIONS = 16;
const CONNECT_TIMEOUT_MS = 15_000;
/** Any one statement of ours takes seconds, however many rows there are. */
const STATEMENT_TIMEOUT_MS = 5 * 60_000;
const LOCK_TIMEOUT_MS = 2 * 60_000;
/** A stream waits between two fetches for whoever reads it, who may be hashing large objects. */
const IDLE_TRANSACTION_TIMEOUT_MS = 60 * 60_000;
/** Beyond the server's own limit: when it runs out, nobody is there to keep to that. */
const ANSWER_GRACE_MS = 30_000;
const KEEPALIVE_MS = 10_000;

export interface PoolOptions {
  /** Default 16. */
  readonly maxConnections?: number;
  readonly connectTimeoutMs?: number;
  /** The server gives up a statement after this long, 0 never. Default: 5 minutes. */
  readonly statementTimeoutMs?: number;
  /** …waiting for somebody's lock. Default: 2 minutes. */
  readonly lockTimeoutMs?: number;
  /** …a transaction of which nothing is heard. Default: an hour. */
  readonly idleTransactionTimeoutMs?: number;
  /** Role to work as, where the database has it and the login may take it: {@link takeRole}. */
  readonly role?: string;
}

/**
 * A pool of connections whose rows hold what the domain uses: int8 as number (as text beyond 2^53), timestamps as ISO 8601 text with
 * milliseconds, UTC.
 * @param connection a `postgresql://` URL, or its parts
 * @throws EdaError `precondition` `invalid-database-url`
 */
export function openPool(connection: string | Connection, options: PoolOptions = {}): Pool {
  const { role, statementTimeoutMs = STATEMENT_TIMEOUT_MS } = options;
  const pool = new pg.Pool({
    ...clientConfig(connection),
    application_name: "eda",
    max: options.maxConnections ?? MAX_CONNECTIONS,
    connectionTimeoutMillis: options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEPALIVE_MS,
    types: { getTypeParser: typeParser },
    statement_timeout: statementTimeoutMs,
    lock_timeout: options.lockTimeoutMs ?? LOCK_TIMEOUT_MS,
    idle_in_transaction_session_timeout: options.idleTransactionTimeoutMs ?? IDLE_TRANSACTION_TIMEOUT_MS,
    ...(statementTimeoutMs === 0 ? {} : { query_timeout: statementTimeoutMs + ANSWER_GRACE_MS }),
    ...(role === undefined ? {} : { onConnect: (client) => takeRole(client, role) }),
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
