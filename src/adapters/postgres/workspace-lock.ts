/**
 * A database serves one workspace at a time: whoever opens it holds an advisory lock on a session of its own. The session ends with the
 * process, however that ends, and the lock with it. https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
 */
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { EdaError } from "../../domain/errors.ts";
import { toDatabaseError } from "./errors.ts";
import { WORKSPACE_LOCK } from "./locks.ts";

/** A killed host's session takes a moment to end, and one on a dead machine until the server has missed its answers. */
const PATIENCE_MS = 10_000;
const ASK_AGAIN_MS = 500;
const CONNECT_TIMEOUT_MS = 15_000;
/** The server asks a silent machine after 15 s, and gives it up after 15 more. */
const KEEPALIVES = "SET tcp_keepalives_idle = 15; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3";
/** NAMEDATALEN less its zero: the server cuts longer names. */
const MAX_NAME_BYTES = 63;

export interface WorkspaceLock {
  release(): Promise<void>;
}

export interface WorkspaceLockOptions {
  /** Holds the password: never log it. */
  readonly url: string;
  /** Who holds it, for another who wants it: machine and folder. */
  readonly holder: string;
  /** Another took it while the database was away. */
  readonly onLost: (error: EdaError) => void;
}

/** @throws EdaError `precondition` `database-in-use` when another workspace's host holds it, and what keeps from connecting */
export async function lockForWorkspace({ url, holder, onLost }: WorkspaceLockOptions): Promise<WorkspaceLock> {
  let released = false;
  let session: pg.Client;
  const hold = async () => {
    session = await acquire(url, holder);
    session.once("end", () => {
      if (!released) void holdAgain();
    });
  };
  const holdAgain = async () => {
    while (!released) {
      try {
        return await hold();
      } catch (error) {
        // One that is merely away is looked for until it is back: what cannot go on without it sees to that itself.
        if (error instanceof EdaError && error.code === "database-in-use") return onLost(error);
      }
      await delay(ASK_AGAIN_MS, undefined, { ref: false });
    }
  };
  await hold();
  return {
    async release() {
      released = true;
      await session.end().catch(() => undefined);
    },
  };
}

async function acquire(url: string, holder: string): Promise<pg.Client> {
  const session = new pg.Client({
    connectionString: url,
    application_name: cut(`eda ${holder}`),
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
  });
  session.on("error", () => undefined);
  try {
    await session.connect();
    await session.query(KEEPALIVES);
    for (const deadline = Date.now() + PATIENCE_MS; !(await tryLock(session)); await delay(ASK_AGAIN_MS)) {
      if (Date.now() > deadline) throw inUse(await currentHolder(session));
    }
    return session;
  } catch (error) {
    await session.end().catch(() => undefined);
    throw toDatabaseError(error);
  }
}

async function tryLock(session: pg.Client): Promise<boolean> {
  const { rows } = await session.query<{ held: boolean }>("SELECT pg_try_advisory_lock($1, $2) AS held", [...WORKSPACE_LOCK]);
  return rows[0]?.held === true;
}

/** Undefined when it is another user's session, whose name is not told. */
async function currentHolder(session: pg.Client): Promise<string | undefined> {
  const { rows } = await session.query<{ name: string | null }>(
    `SELECT application_name AS name FROM pg_stat_activity JOIN pg_locks USING (pid)
     WHERE locktype = 'advisory' AND granted AND classid = $1 AND objid = $2 AND objsubid = 2
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    [...WORKSPACE_LOCK],
  );
  return rows[0]?.name?.replace(/^eda /u, "") || undefined;
}

function inUse(holder: string | undefined): EdaError {
  const who = holder === undefined ? "another workspace" : `the workspace ${holder}`;
  return new EdaError("precondition", "database-in-use", `The database serves ${who}, whose host is running.`, {
    todo: "Give each workspace a database of its own (stores.database.database), or stop that host: eda host stop",
  });
}

function cut(name: string): string {
  return Buffer.from(name)
    .subarray(0, MAX_NAME_BYTES)
    .toString()
    .replace(/\uFFFD+$/u, "");
}
