/** The plain SQL files of `sql/`, applied in order, once, by one process at a time. */
import { basename, join } from "node:path";
import type { Pool } from "pg";
import Postgrator from "postgrator";
import { EdaError } from "../../domain/errors.ts";
import { inTransaction, query } from "./pool.ts";

/** Advisory lock of migrations; any constant will do, as long as no other use has it. */
const MIGRATION_LOCK = 3_241_001;

/**
 * All in one transaction, records included: a migration that fails leaves nothing of itself or of the ones before it.
 * @returns file names applied, in order
 * @throws EdaError `precondition` `migration-failed` when a file does not run or an applied one was changed afterwards
 */
export async function applyMigrations(pool: Pool, folder: string): Promise<readonly string[]> {
  return inTransaction(pool, async (client) => {
    await query(client, "SELECT pg_advisory_xact_lock($1)", [MIGRATION_LOCK]);
    const postgrator = new Postgrator({
      driver: "pg",
      migrationPattern: join(folder, "*.sql"),
      schemaTable: "migracoes",
      validateChecksums: true,
      execQuery: (sql) => client.query(sql),
    });
    try {
      const applied = await postgrator.migrate();
      return applied.map(({ filename }) => basename(filename));
    } catch (error) {
      throw new EdaError("precondition", "migration-failed", `The database could not be migrated: ${(error as Error).message}`, {
        todo: `Check the files in ${folder}: an applied migration must never be changed, add a new one instead.`,
        cause: error,
      });
    }
  });
}
