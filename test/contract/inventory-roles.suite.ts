import { describe, expect, it, onTestFinished } from "vitest";
import { openInventory } from "../../src/adapters/postgres/inventory.ts";
import { openPool } from "../../src/adapters/postgres/pool.ts";
import { APP_ROLE, AUDITOR_ROLE, describeAccess, READER_ROLE } from "../../src/adapters/postgres/roles.ts";
import { INVENTORY_TABLES } from "../../src/domain/stage.ts";
import { MIGRATIONS, temporaryLogin } from "../support/postgres.ts";
import { auditContent, inventoryRow, publication, runRecord } from "../support/publications.ts";
import type { InventoryWorld, OpenInventory } from "./inventory.suite.ts";

const INVENTORIES = Object.values(INVENTORY_TABLES).toSorted();
const READ = [...INVENTORIES, "execucoes", "linhagem", "migracoes", "projetos"];

/** Whatever is not here is refused. */
const ALLOWED: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  [READER_ROLE]: { SELECT: READ },
  [AUDITOR_ROLE]: { SELECT: [...READ, "auditoria", "versoes_migradas"] },
  [APP_ROLE]: {
    SELECT: [...READ, "auditoria", "cache_arquivos", "capturas", "logs", "trabalhos", "versoes_migradas"],
    INSERT: [...INVENTORIES, "auditoria", "cache_arquivos", "capturas", "execucoes", "linhagem", "logs", "projetos", "trabalhos"],
    UPDATE: ["cache_arquivos", "capturas", "execucoes", "trabalhos"],
  },
};
const CHANGES = [
  "UPDATE auditoria SET ator = 'outra'",
  "DELETE FROM auditoria",
  "TRUNCATE auditoria",
  "ALTER TABLE auditoria DISABLE TRIGGER ALL",
  "DROP TABLE auditoria",
];

export function inventoryRolesContract(open: OpenInventory): void {
  describe("roles", () => {
    it.each(Object.entries(ALLOWED))("%s may do this and nothing else", async (role, allowed) => {
      const { pool } = await open();
      const { rows } = await pool.query<{ readonly privilege: string; readonly table: string }>(
        `SELECT privilege, relname AS "table" FROM pg_class, unnest('{SELECT,INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER}'::text[]) AS privilege
         WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND has_table_privilege($1, oid, privilege)`,
        [role],
      );
      const found = Map.groupBy(rows, ({ privilege }) => privilege);
      const expected = Object.entries(allowed).map(([privilege, tables]) => [privilege, tables.toSorted()]);
      expect([...found].map(([privilege, members]) => [privilege, members.map(({ table }) => table).toSorted()]).toSorted()).toEqual(
        expected.toSorted(),
      );
      const { rows: columns } = await pool.query<{ readonly place: string }>(
        `SELECT DISTINCT attrelid::regclass || '.' || attname AS place FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
         WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attnum > 0
           AND has_column_privilege($1, attrelid, attnum, 'UPDATE') AND NOT has_table_privilege($1, attrelid, 'UPDATE')`,
        [role],
      );
      expect(columns.map(({ place }) => place).toSorted()).toEqual(role === APP_ROLE ? INVENTORIES.map((table) => `${table}.vigente`) : []);
    });

    it.each(Object.keys(ALLOWED))("%s cannot change the audit chain, nor make a table, nor another role", async (role) => {
      const { inventory, pool } = await open();
      await inventory.appendAudit(auditContent("r1"));
      for (const statement of [...CHANGES, "CREATE TABLE minha (a int)", "CREATE ROLE outra", "SELECT conceder_papeis()"]) {
        await expect(as(pool, role, statement), statement).rejects.toMatchObject({ code: "42501" });
      }
      expect((await inventory.auditHead()).sequence).toBe(1);
    });

    it("a row that was registered cannot be rewritten by the application", async () => {
      const { inventory, pool } = await open();
      await inventory.recordRequest(runRecord("r1"));
      await inventory.publish(publication("r1", { rows: [inventoryRow("r1", "a")] }));
      await expect(as(pool, APP_ROLE, "UPDATE inventario_dados SET tamanho = 0")).rejects.toMatchObject({ code: "42501" });
      await expect(as(pool, APP_ROLE, "DELETE FROM inventario_dados")).rejects.toMatchObject({ code: "42501" });
    });

    it("a table made later is for the application and the auditor, until somebody says otherwise", async () => {
      const { pool } = await open();
      await pool.query("CREATE TABLE nova (a int)");
      const { rows } = await pool.query<{ readonly can: boolean }>(
        "SELECT has_table_privilege(papel, 'nova', 'SELECT') AS can FROM unnest($1::text[]) AS papel",
        [[APP_ROLE, AUDITOR_ROLE, READER_ROLE]],
      );
      expect(rows.map(({ can }) => can)).toEqual([true, true, false]);
    });

    it("the inventory works as the application, whoever logs in", async () => {
      const { pool, url } = await open();
      const working = openPool(url, { role: APP_ROLE });
      onTestFinished(() => working.end());
      expect(await describeAccess(working)).toEqual({ login: "eda", worksAs: APP_ROLE, missingRoles: [] });
      expect((await describeAccess(pool)).worksAs).toBe("eda");
    });

    it("a login that is only a member of the application works in a migrated database, and cannot migrate one", async () => {
      const world = await open();
      const login = await temporaryLogin(world.url, { memberOf: APP_ROLE });
      const inventory = inventoryAt(login.on(world.url));
      expect(await inventory.migrate()).toEqual([]);
      await inventory.recordRequest(runRecord("r1"));
      expect((await inventory.publish(publication("r1", { rows: [inventoryRow("r1", "a")] }))).sequence).toBe(1);
      const { url } = await world.empty();
      await expect(inventoryAt(login.on(url)).migrate()).rejects.toMatchObject({ kind: "precondition", code: "database-permission" });
    });

    it("an owner without the right to make roles migrates and works; missing roles are told and can be added later", async () => {
      const world = await (await open()).empty();
      const login = await temporaryLogin(world.url, { owns: true });
      await hideRoles(world, async () => {
        const working = openPool(login.on(world.url), { role: APP_ROLE });
        onTestFinished(() => working.end());
        const inventory = openInventory(working, MIGRATIONS);
        expect(await inventory.migrate()).not.toEqual([]);
        await inventory.recordRequest(runRecord("r1"));
        expect((await inventory.publish(publication("r1", { rows: [inventoryRow("r1", "a")] }))).sequence).toBe(1);
        expect(await describeAccess(working)).toEqual({
          login: login.name,
          worksAs: login.name,
          missingRoles: [APP_ROLE, AUDITOR_ROLE, READER_ROLE],
        });
        await expect(working.query("UPDATE auditoria SET ator = 'outra'")).rejects.toThrow(/só aceita inclusão/u);
      });
    });

    it("an owner with the right to make roles works as the application from the first start on", async () => {
      const world = await (await open()).empty();
      const login = await temporaryLogin(world.url, { owns: true, createsRoles: true });
      await hideRoles(world, async () => {
        const working = openPool(login.on(world.url), { role: APP_ROLE });
        onTestFinished(() => working.end());
        const inventory = openInventory(working, MIGRATIONS);
        await inventory.migrate();
        await inventory.appendAudit(auditContent("r1"));
        expect(await describeAccess(working)).toEqual({ login: login.name, worksAs: APP_ROLE, missingRoles: [] });
        await expect(working.query("UPDATE auditoria SET ator = 'outra'")).rejects.toMatchObject({ code: "42501" });
      });
    });
  });
}

function inventoryAt(url: string) {
  const pool = openPool(url, { role: APP_ROLE });
  onTestFinished(() => pool.end());
  return openInventory(pool, MIGRATIONS);
}

async function as(pool: InventoryWorld["pool"], role: string, statement: string): Promise<unknown> {
  const client = await pool.connect();
  try {
    await client.query(`SET ROLE ${role}`);
    return await client.query(statement);
  } finally {
    client.release(true);
  }
}

/** The server as it is before anybody made the roles. They belong to the whole server: the tests of one are not run side by side. */
async function hideRoles({ pool }: Pick<InventoryWorld, "pool">, work: () => Promise<void>): Promise<void> {
  const roles = [APP_ROLE, READER_ROLE, AUDITOR_ROLE];
  for (const role of roles) await pool.query(`ALTER ROLE ${role} RENAME TO ${role}_oculto`);
  try {
    await work();
  } finally {
    for (const role of roles) {
      if ((await pool.query("SELECT FROM pg_roles WHERE rolname = $1", [role])).rowCount === 1) {
        await pool.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
      }
      await pool.query(`ALTER ROLE ${role}_oculto RENAME TO ${role}`);
    }
  }
}
