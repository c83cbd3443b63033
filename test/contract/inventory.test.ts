import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { openInventory } from "../../src/adapters/postgres/inventory.ts";
import { openPool } from "../../src/adapters/postgres/pool.ts";
import { APP_ROLE } from "../../src/adapters/postgres/roles.ts";
import { installedPrograms, MIGRATIONS, startEmbeddedServer, startInstalledServer, type TestServer } from "../support/postgres.ts";
import { inventoryContract } from "./inventory.suite.ts";

const programs = installedPrograms();

describe.each([
  ["embedded PostgreSQL", startEmbeddedServer],
  ["installed PostgreSQL", programs === undefined ? undefined : () => startInstalledServer(programs)],
] as const)("%s", (name, start) => {
  describe.skipIf(start === undefined)("server", () => {
    let server: TestServer;
    let migrated: string;

    beforeAll(async () => {
      server = await (start as () => Promise<TestServer>)();
      migrated = await server.createDatabase();
      const pool = openPool(migrated);
      await openInventory(pool, MIGRATIONS).migrate();
      await pool.end();
    });
    afterAll(() => server?.stop());

    const onDatabase = (url: string, migrationsFolder = MIGRATIONS) => {
      const pool = openPool(url);
      const working = openPool(url, { role: APP_ROLE });
      onTestFinished(async () => void (await Promise.all([pool.end(), working.end()])));
      return { inventory: openInventory(working, migrationsFolder), pool, url };
    };
    inventoryContract(name, async () => ({
      ...onDatabase(await server.createDatabase(migrated)),
      empty: async (migrationsFolder) => onDatabase(await server.createDatabase(), migrationsFolder),
    }));
  });
});

describe("an inventory without a server", () => {
  it("is unavailable", async () => {
    const pool = openPool("postgresql://eda@127.0.0.1:1/eda");
    onTestFinished(() => pool.end());
    const inventory = openInventory(pool, MIGRATIONS);
    const away = { kind: "unavailable", code: "database-away" };
    await expect(inventory.auditHead()).rejects.toMatchObject(away);
    await expect(inventory.migrate()).rejects.toMatchObject(away);
  });
});
