/** The migrations in `sql/`, applied by postgrator: in order, all or none, one host at a time, checked against what was applied before. */
import Postgrator from "postgrator";
import { EdaError } from "../../domain/errors.ts";
import { toDatabaseError } from "./errors.ts";
import type { Database, Queryable } from "./database.ts";
import { lock } from "./locks.ts";

/** @returns names of the migrations applied now, in order */
export async function applyMigrations(database: Database, folder: string): Promise<readonly string[]> {
  return database.asOwner(async (connection) => {
    await lock(connection, "migrations");
    const postgrator = await migrator(connection, folder);
    try {
      await refuseNewerDatabase(postgrator, folder);
      const applied = await postgrator.migrate();
      return applied.map(({ version, name }) => `${String(version).padStart(3, "0")} ${name}`);
    } catch (error) {
      if (error instanceof Error && error.message.startsWith("MD5 checksum failed")) {
        throw new EdaError("precondition", "migration-changed", `A migration that was applied has changed since: ${error.message}`, {
          todo: "Put the file in sql/ back as it was, and write a new migration for the change.",
          cause: error,
        });
      }
      throw toDatabaseError(error);
    }
  });
}

/** How many of the folder's migrations the database does not have; negative when it has more than the folder. */
export async function countPending(connection: Queryable, folder: string): Promise<number> {
  const postgrator = await migrator(connection, folder);
  try {
    return (await postgrator.getMaxVersion()) - (await postgrator.getDatabaseVersion());
  } catch (error) {
    throw toDatabaseError(error);
  }
}

/** @throws EdaError `precondition` `no-schema` */
async function migrator(connection: Queryable, folder: string): Promise<Postgrator> {
  const [place] = await connection.query<{ schema: string }>("SELECT current_schema() AS schema");
  if (place === undefined || place.schema === null) {
    throw new EdaError("precondition", "no-schema", "The database user's search_path names no schema that exists.");
  }
  return new Postgrator({
    driver: "pg",
    migrationPattern: `${escapeGlob(folder)}/*.sql`,
    schemaTable: "migracoes",
    currentSchema: place.schema,
    newline: "LF",
    // A script of several statements answers no rows.
    execQuery: async (sql) => ({ rows: [...((await connection.query(sql)) ?? [])] }),
  });
}

async function refuseNewerDatabase(postgrator: Postgrator, folder: string): Promise<void> {
  const migrations = await postgrator.getMigrations();
  if (migrations.length === 0) throw new EdaError("precondition", "migrations-missing", `There is no migration in ${folder}.`);
  const [known, found] = [await postgrator.getMaxVersion(), await postgrator.getDatabaseVersion()];
  if (found <= known) return;
  throw new EdaError("precondition", "database-newer", `The database is at version ${found}, this program knows ${known}.`, {
    todo: "Use the version of eda that made it, or a newer one.",
  });
}

/** The folder's own name may hold characters that mean something in a pattern. */
function escapeGlob(folder: string): string {
  return folder.replace(/[*?[\](){}!+@\\]/gu, "\\$&");
}
