import { cp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../support/folders.ts";
import { failureOf, waitingFor } from "../support/database-waits.ts";
import { ROOT } from "../support/host.ts";
import { auditContent, inventoryRow, publication, runRecord } from "../support/publications.ts";
import type { OpenInventory } from "./inventory.suite.ts";

const TABLES = [
  "auditoria",
  "cache_arquivos",
  "capturas",
  "curated_inventario",
  "datasets_inventario",
  "execucoes",
  "inventario_dados",
  "linhagem",
  "logs",
  "migracoes",
  "models_inventario",
  "projetos",
  "staging_inventario",
  "trabalhos",
  "versoes_migradas",
];

/** The migrations, in a folder whose name means something in patterns. */
async function ownMigrations(): Promise<string> {
  const folder = join(await temporaryFolder(), "sql [a] {b} (c)");
  await cp(join(ROOT, "sql"), folder, { recursive: true });
  return folder;
}

export function inventoryDatabaseContract(open: OpenInventory): void {
  describe("database", () => {
    it("is migrated in order, once", async () => {
      const { inventory, pool } = await (await open()).empty();
      const applied = await inventory.migrate();
      expect(applied.map((name) => name.slice(0, 3))).toEqual(applied.map((_, index) => String(index + 1).padStart(3, "0")));
      expect(await inventory.migrate()).toEqual([]);
      const { rows } = await pool.query(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY relname",
      );
      expect(rows.map(({ relname }) => relname)).toEqual(TABLES);
    });

    it("describes every table", async () => {
      const { pool } = await open();
      const { rows } = await pool.query(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND obj_description(oid) IS NULL",
      );
      expect(rows.map(({ relname }) => relname)).toEqual(["migracoes"]);
    });

    it("is migrated once by several hosts that start at the same moment", async () => {
      const { inventory } = await (await open()).empty();
      const applied = await Promise.all(Array.from({ length: 4 }, () => inventory.migrate()));
      expect(applied.filter((names) => names.length > 0)).toHaveLength(1);
    });

    it("is left as it was by a migration that fails", async () => {
      const folder = await ownMigrations();
      await writeFile(join(folder, "900.do.ruim.sql"), "CREATE TABLE metade (a int); SELECT 1 / 0;");
      const { inventory, pool } = await (await open()).empty(folder);
      await expect(inventory.migrate()).rejects.toMatchObject({ name: "EdaError", message: expect.stringContaining("division by zero") });
      expect((await pool.query("SELECT FROM pg_class WHERE relname IN ('metade', 'projetos', 'migracoes')")).rowCount).toBe(0);
    });

    it("refuses a migration that was changed after it was applied", async () => {
      const folder = await ownMigrations();
      await writeFile(join(folder, "900.do.nova.sql"), "CREATE TABLE nova (a int);");
      const { inventory } = await (await open()).empty(folder);
      await inventory.migrate();
      await writeFile(join(folder, "900.do.nova.sql"), "CREATE TABLE nova (a bigint);");
      await expect(inventory.migrate()).rejects.toMatchObject({ kind: "precondition", code: "migration-changed" });
    });

    it("refuses a database that is newer than the program, and a folder without migrations", async () => {
      const { inventory, pool } = await open();
      await pool.query("INSERT INTO migracoes (version) VALUES (999)");
      await expect(inventory.migrate()).rejects.toMatchObject({ kind: "precondition", code: "database-newer" });
      const { inventory: without } = await (await open()).empty(await temporaryFolder());
      await expect(without.migrate()).rejects.toMatchObject({ kind: "precondition", code: "migrations-missing" });
    });

    it("says that migrations are pending when tables are missing", async () => {
      const { inventory } = await (await open()).empty();
      const pending = { kind: "precondition", code: "migrations-pending" };
      await expect(inventory.auditHead()).rejects.toMatchObject(pending);
      await expect(inventory.appendAudit(auditContent(null))).rejects.toMatchObject(pending);
      await expect(inventory.audit()[Symbol.asyncIterator]().next()).rejects.toMatchObject(pending);
    });

    it("asks to try again when two changes wait for each other", async () => {
      const { inventory, pool } = await open();
      for (const run of ["r1", "r2"]) await inventory.recordRequest(runRecord(run));
      await inventory.publish(publication("r1", { rows: [inventoryRow("r1", "a", "old")] }));
      const holder = await pool.connect();
      // The other side is the one that notices.
      await holder.query("SET deadlock_timeout = '1min'; BEGIN; SELECT FROM inventario_dados WHERE nome = 'a' FOR UPDATE");
      const publishing = failureOf(inventory.publish(publication("r2", { rows: [inventoryRow("r2", "a", "new")] })));
      await waitingFor(pool);
      const crossing = holder.query("SELECT FROM execucoes WHERE execucao = 'r2' FOR UPDATE");
      expect(await publishing).toMatchObject({ kind: "transient", code: "database-conflict" });
      await crossing;
      await holder.query("ROLLBACK");
      holder.release();
      expect((await inventory.publish(publication("r2", { rows: [inventoryRow("r2", "a", "new")] }))).sequence).toBe(2);
    });
  });
}
