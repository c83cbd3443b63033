/** What the database holds, read past the program: to show that a failure left it as it was. */
import { join } from "node:path";
import pg from "pg";
import { startEmbeddedPostgres } from "../../src/adapters/postgres/embedded.ts";
import { INVENTORY_TABLES } from "../../src/domain/stage.ts";

const TABLES = [...Object.values(INVENTORY_TABLES), "linhagem", "capturas", "trabalhos"];

/** Every row of the inventories, and of lineage, captures and jobs, as text, ordered. The workspace's database must be running. */
export async function dumpInventories(workspace: string): Promise<Readonly<Record<string, readonly string[]>>> {
  const { url } = await startEmbeddedPostgres({ stateFolder: join(workspace, ".eda"), log: () => undefined });
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const dump: Record<string, string[]> = {};
    for (const table of TABLES) {
      const { rows } = await client.query<{ row: string }>(`SELECT row_to_json(t)::text AS row FROM ${table} AS t ORDER BY 1`);
      dump[table] = rows.map(({ row }) => row);
    }
    return dump;
  } finally {
    await client.end();
  }
}
