/** Advisory locks of the database: by name, held to the end of the transaction, and the one that a workspace's host holds for good. */
import type { Queryable } from "./database.ts";

/** "eda" in ASCII: apart from the locks of others in the same database. */
const SPACE = 0x65_64_61;
const KEYS = { migrations: 1, audit: 2 } as const;

/** Both keys of the lock that a host holds as long as it has the database open. */
export const WORKSPACE_LOCK = [SPACE, 3] as const;

export async function lock(connection: Queryable, name: keyof typeof KEYS): Promise<void> {
  await connection.query("SELECT pg_advisory_xact_lock($1, $2)", [SPACE, KEYS[name]]);
}
