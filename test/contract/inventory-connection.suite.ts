import { describe, expect, it, onTestFinished } from "vitest";
import { openInventory } from "../../src/adapters/postgres/inventory.ts";
import { openPool } from "../../src/adapters/postgres/pool.ts";
import { APP_ROLE } from "../../src/adapters/postgres/roles.ts";
import type { Inventory } from "../../src/ports/inventory.ts";
import { collect } from "../support/collect.ts";
import { cuttingProxy } from "../support/cutting-proxy.ts";
import { failureOf, waitingFor } from "../support/database-waits.ts";
import { MIGRATIONS } from "../support/postgres.ts";
import { auditContent, inventoryRow, PROJECT, publication, runRecord } from "../support/publications.ts";
import type { OpenInventory } from "./inventory.suite.ts";

export function inventoryConnectionContract(open: OpenInventory): void {
  describe("connections", () => {
    const impatient = (url: string): Inventory => at(url, 0);

    it("that end at work are replaced, and the publication is made once", async () => {
      const { inventory, pool } = await open();
      await inventory.recordRequest(runRecord("r1"));
      const holder = await pool.connect();
      await holder.query("BEGIN; SELECT FROM execucoes WHERE execucao = 'r1' FOR UPDATE");
      const publishing = inventory.publish(publication("r1", { rows: [inventoryRow("r1", "a")] }));
      await pool.query("SELECT pg_terminate_backend($1)", [await waitingFor(pool)]);
      await holder.query("ROLLBACK");
      holder.release();
      expect((await publishing).sequence).toBe(1);
      expect(await collect(inventory.allRows(), ({ name }) => name)).toEqual(["a"]);
    });

    it("that end at work are told as the database being away by whoever does not wait", async () => {
      const { inventory, pool, url } = await open();
      await inventory.recordRequest(runRecord("r1"));
      const holder = await pool.connect();
      await holder.query("BEGIN; SELECT FROM execucoes WHERE execucao = 'r1' FOR UPDATE");
      const publishing = failureOf(impatient(url).publish(publication("r1", { rows: [inventoryRow("r1", "a")] })));
      await pool.query("SELECT pg_terminate_backend($1)", [await waitingFor(pool)]);
      expect(await publishing).toMatchObject({ kind: "unavailable", code: "database-away" });
      await holder.query("ROLLBACK");
      holder.release();
      expect((await inventory.publish(publication("r1", { rows: [inventoryRow("r1", "a")] }))).sequence).toBe(1);
    });

    it("that end while nobody uses them are not noticed", async () => {
      const { inventory, pool } = await open();
      await Promise.all(Array.from({ length: 5 }, () => inventory.auditHead()));
      const other = await pool.connect();
      await other.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
      );
      other.release();
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect((await inventory.auditHead()).sequence).toBe(0);
    });

    it.each(["before", "after"] as const)(
      "that are cut just %s COMMIT leave one entry of the audit chain, not two or none",
      async (when) => {
        const { inventory, url } = await open();
        const proxy = await cuttingProxy(url, "COMMIT", when);
        const head = await at(proxy.url).appendAudit(auditContent("r1"));
        expect(proxy.cuts()).toBe(1);
        expect(head).toEqual(await inventory.auditHead());
        expect(await collect(inventory.audit(), ({ sequence }) => sequence)).toEqual([1]);
      },
    );

    it.each([
      ["INSERT INTO inventario_dados", "before"],
      ["INSERT INTO inventario_dados", "after"],
      ["COMMIT", "before"],
      ["COMMIT", "after"],
    ] as const)("that are cut at %s, %s the server heard it, publish all rows once", async (statement, when) => {
      const { inventory, url } = await open();
      await inventory.recordRequest(runRecord("r1"));
      await inventory.publish(publication("r1", { rows: [inventoryRow("r1", "a", "old")] }));
      await inventory.recordRequest(runRecord("r2"));
      const rows = Array.from({ length: 7_000 }, (_, index) => inventoryRow("r2", `${index}`));
      const proxy = await cuttingProxy(url, statement, when);
      const head = await at(proxy.url).publish(publication("r2", { rows }));
      expect(proxy.cuts()).toBe(1);
      expect(head.sequence).toBe(2);
      expect(await inventory.auditHead()).toEqual(head);
      expect(await collect(inventory.allRows(), ({ name }) => name)).toHaveLength(7_001);
      expect(await collect(inventory.currentRows("raw", PROJECT), ({ name }) => name)).toHaveLength(7_001);
    });

    it("that break in the middle of a stream end it with an error, not with fewer rows", async () => {
      const { inventory, pool, url } = await open();
      await inventory.recordRequest(runRecord("r1"));
      await inventory.publish(publication("r1", { rows: Array.from({ length: 5_000 }, (_, index) => inventoryRow("r1", `${index}`)) }));
      const reader = openPool(url, { maxConnections: 1 });
      onTestFinished(() => reader.end());
      const stream = openInventory(reader, MIGRATIONS).currentRows("raw", PROJECT)[Symbol.asyncIterator]();
      await stream.next();
      await pool.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'",
      );
      const rest = async () => {
        for (let next = await stream.next(); next.done !== true; ) next = await stream.next();
      };
      expect(await failureOf(rest())).toMatchObject({ code: "database-away" });
    });

    it("are given up when a statement takes longer than allowed, and served again after", async () => {
      const { inventory, pool, url } = await open();
      await inventory.recordRequest(runRecord("r1"));
      const working = openPool(url, { lockTimeoutMs: 200, statementTimeoutMs: 400 });
      onTestFinished(() => working.end());
      await expect(working.query("SELECT pg_sleep(5)")).rejects.toMatchObject({ code: "57014" });
      const holder = await pool.connect();
      await holder.query("BEGIN; SELECT FROM execucoes WHERE execucao = 'r1' FOR UPDATE");
      const own = openInventory(working, MIGRATIONS);
      expect(await failureOf(own.publish(publication("r1")))).toMatchObject({ kind: "transient", code: "database-conflict" });
      await holder.query("ROLLBACK");
      holder.release();
      expect((await own.publish(publication("r1"))).sequence).toBe(1);
    });
  });
}

function at(url: string, patienceMs?: number): Inventory {
  const pool = openPool(url, { role: APP_ROLE });
  onTestFinished(() => pool.end());
  return openInventory(pool, MIGRATIONS, patienceMs === undefined ? {} : { patienceMs });
}
