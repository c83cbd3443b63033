import { join } from "node:path";
import type { Pool } from "pg";
import { afterAll, describe, expect, it } from "vitest";
import { openInventory } from "../../src/adapters/postgres/inventory.ts";
import { openPool } from "../../src/adapters/postgres/pool.ts";
import { openRunLog } from "../../src/adapters/postgres/run-log.ts";
import { ROOT } from "../support/host.ts";
import { installedPrograms, startEmbeddedServer, startInstalledServer, type TestServer } from "../support/postgres.ts";
import { runLogContract } from "./run-log.suite.ts";

const programs = installedPrograms();

describe.each([
  ["embedded PostgreSQL", startEmbeddedServer],
  ["installed PostgreSQL", programs === undefined ? undefined : () => startInstalledServer(programs)],
] as const)("%s", (name, start) => {
  describe.skipIf(start === undefined)("server", () => {
    let server: TestServer | undefined;
    let pool: Pool | undefined;

    afterAll(async () => {
      await pool?.end();
      await server?.stop();
    });

    runLogContract(name, async () => {
      server = await (start as () => Promise<TestServer>)();
      pool = openPool(await server.createDatabase());
      await openInventory(pool, join(ROOT, "sql")).migrate();
      return openRunLog(pool);
    });
  });
});

describe("a run log without a server", () => {
  it("is unavailable", async () => {
    const pool = openPool("postgresql://eda@127.0.0.1:1/eda");
    await expect(openRunLog(pool).lastSequence("r")).rejects.toMatchObject({ kind: "unavailable", code: "database-away" });
    await pool.end();
  });
});
