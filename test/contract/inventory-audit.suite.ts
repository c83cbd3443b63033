import { describe, expect, it } from "vitest";
import { brokenLink, GENESIS_HASH } from "../../src/domain/audit.ts";
import { rowDigest, rowsDigest } from "../../src/domain/inventory.ts";
import type { Inventory } from "../../src/ports/inventory.ts";
import { collect } from "../support/collect.ts";
import { AT, auditContent, inventoryRow, publication, runRecord } from "../support/publications.ts";
import type { InventoryWorld, OpenInventory } from "./inventory.suite.ts";

export function inventoryAuditContract(open: OpenInventory): void {
  describe("audit", () => {
    it("starts at nothing and links each entry to the one before", async () => {
      const { inventory } = await open();
      expect(await inventory.auditHead()).toEqual({ sequence: 0, hash: GENESIS_HASH });
      const first = await inventory.appendAudit(auditContent("r1"));
      const second = await inventory.appendAudit(auditContent(null, { project: null, stage: null, event: "recovery" }));
      expect([first.sequence, second.sequence]).toEqual([1, 2]);
      expect(await inventory.auditHead()).toEqual(second);
      expect(await problems(inventory)).toEqual([]);
    });

    it("gives an entry back as it was hashed: any text, times to the millisecond", async () => {
      const { inventory } = await open();
      const payload = { message: "zero \u0000, ação 🛫", number: 1e21, list: [0.1, null, { a: true }] };
      await inventory.appendAudit(auditContent("r1", { payload, actor: "josé", at: "2026-11-24T09:00:00-03:00" }));
      await inventory.appendAudit(auditContent("r1", { payload: { message: "half \ud83d" } }));
      expect(await collect(inventory.audit(), (entry) => entry)).toMatchObject([
        { payload, actor: "josé", at: AT, run: "r1" },
        { payload: { message: "half \ufffd" } },
      ]);
      expect(await problems(inventory)).toEqual([]);
    });

    it("stays one chain under many writers", async () => {
      const { inventory } = await open();
      const heads = await Promise.all(Array.from({ length: 40 }, (_, index) => inventory.appendAudit(auditContent(`r${index}`))));
      expect(heads.map(({ sequence }) => sequence).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
      expect(await problems(inventory)).toEqual([]);
    });

    it.each(["UPDATE auditoria SET ator = 'outra'", "DELETE FROM auditoria", "DELETE FROM auditoria WHERE false", "TRUNCATE auditoria"])(
      "refuses: %s",
      async (statement) => {
        const { inventory, pool } = await open();
        await inventory.appendAudit(auditContent("r1"));
        await expect(pool.query(statement)).rejects.toThrow(/só aceita inclusão/u);
        expect(await collect(inventory.audit(), ({ actor }) => actor)).toEqual(["ana"]);
      },
    );

    it.each([
      ["UPDATE auditoria SET ator = 'outra' WHERE sequencia = 2", "audit entry 2 was changed after it was written"],
      ["UPDATE auditoria SET dados = '{}' WHERE sequencia = 2", "audit entry 2 was changed after it was written"],
      ["UPDATE auditoria SET em = em + interval '1 ms' WHERE sequencia = 2", "audit entry 2 was changed after it was written"],
      ["DELETE FROM auditoria WHERE sequencia = 2", "audit entry 2 is missing (found 3 next)"],
      ["UPDATE auditoria SET anterior = repeat('0', 64) WHERE sequencia = 2", "audit entry 2 does not continue the chain"],
    ])("shows what a superuser did behind the trigger: %s", async (statement, problem) => {
      const world = await open();
      for (const run of ["r1", "r2", "r3"]) await world.inventory.appendAudit(auditContent(run));
      await behindTheTrigger(world, statement);
      expect((await problems(world.inventory))[0]).toBe(problem);
    });

    it("shows a row that a superuser changed, by its own digest and by the digest in the audit entry", async () => {
      const { inventory, pool } = await open();
      const rows = [inventoryRow("r1", "a"), inventoryRow("r1", "b")];
      await inventory.recordRequest(runRecord("r1"));
      const payload = { rowsDigest: rowsDigest(rows.map(rowDigest)) };
      await inventory.publish(publication("r1", { rows, audit: auditContent("r1", { payload }) }));
      const changed = async () => collect(inventory.allRows(), (row) => (rowDigest(row) === row.digest ? [] : [row.name]));
      const digest = async () => rowsDigest(await collect(inventory.allRows(), rowDigest));
      expect((await changed()).flat()).toEqual([]);
      expect(await digest()).toBe(payload.rowsDigest);
      await pool.query("UPDATE inventario_dados SET tamanho = tamanho + 1 WHERE nome = 'b'");
      expect((await changed()).flat()).toEqual(["b"]);
      expect(await digest()).not.toBe(payload.rowsDigest);
    });
  });
}

async function problems(inventory: Inventory): Promise<string[]> {
  const found: string[] = [];
  let previous = { sequence: 0, hash: GENESIS_HASH };
  for await (const entry of inventory.audit()) {
    const problem = brokenLink(entry, previous);
    if (problem !== undefined) found.push(problem);
    previous = entry;
  }
  return found;
}

async function behindTheTrigger({ pool }: InventoryWorld, statement: string): Promise<void> {
  await pool.query(`BEGIN; SET LOCAL session_replication_role = replica; ${statement}; COMMIT`);
}
