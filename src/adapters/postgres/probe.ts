/** Is the database there, does it let us in, is it what this program expects? */
import { openDatabase } from "./database.ts";
import { countPending } from "./migrations.ts";
import { openPool } from "./pool.ts";

export interface DatabaseFacts {
  /** Of the server: `18.4`. */
  readonly version: string;
  /** How far its clock is ahead of ours, in milliseconds. */
  readonly skewMs: number;
  /** Negative: the database was made by a newer program. */
  readonly pendingMigrations: number;
}

/** @throws EdaError `unavailable` `database-away`, `precondition` `database-refused` */
export async function probeDatabase(url: string, migrationsFolder: string): Promise<DatabaseFacts> {
  const pool = openPool(url);
  try {
    // Who asks wants to know now.
    const database = openDatabase(pool, { patienceMs: 0 });
    // The first query also connects: the clock is read by the second.
    const [server] = await database.query<{ version: string }>("SELECT current_setting('server_version') AS version");
    const sent = Date.now();
    const [clock] = await database.query<{ now: string }>("SELECT clock_timestamp() AS now");
    const received = Date.now();
    return {
      version: server?.version.split(" ")[0] ?? "",
      skewMs: Date.parse(clock?.now ?? "") - (sent + received) / 2,
      pendingMigrations: await countPending(database, migrationsFolder),
    };
  } finally {
    await pool.end();
  }
}
