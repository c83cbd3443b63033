/** Advisory locks of the database, held to the end of the transaction. */
import type { Queryable } from "./database.ts";

/** "eda" in ASCII: apart from the locks of others in the same database. */
const SPACE = 0x65_64_61;
const KEYS = { migrations: 1, audit: 2 } as const;

export async function lock(connection: Queryable, name: keyof typeof KEYS): Promise<void> {
  await connection.query("SELECT pg_advisory_xact_lock($1, $2)", [SPACE, KEYS[name]]);
}
