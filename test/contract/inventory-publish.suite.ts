import { describe, expect, it } from "vitest";
import { brokenLink, GENESIS_HASH } from "../../src/domain/audit.ts";
import type { InventoryRow } from "../../src/domain/inventory.ts";
import type { Publication } from "../../src/ports/inventory.ts";
import { collect } from "../support/collect.ts";
import { capturedFile, inventoryRow, jobRecord, PROJECT, publication, runRecord, statCacheEntry } from "../support/publications.ts";
import type { InventoryWorld, OpenInventory } from "./inventory.suite.ts";

export function inventoryPublishContract(open: OpenInventory): void {
  describe("publishing", () => {
    const whole = (run: string, rows: readonly InventoryRow[]): Publication =>
      publication(run, {
        rows,
        edges: [{ from: "drive:a@1", to: "local:a@2", run }],
        captured: [capturedFile(run, "a")],
        statCache: [statCacheEntry("a")],
        job: jobRecord(run, "job-1"),
        execution: { state: "publishing", fingerprint: "f1", commitBefore: "c1", details: { rejeitadas: 2 } },
      });

    async function everything({ inventory, pool }: InventoryWorld, run: string): Promise<unknown> {
      return {
        rows: await collect(inventory.allRows(), (row) => row.name),
        edges: (await pool.query("SELECT FROM linhagem")).rowCount,
        captured: (await inventory.captured(PROJECT)).size,
        stats: (await inventory.statCache(PROJECT)).size,
        jobs: (await inventory.jobs()).length,
        fingerprint: (await inventory.getRun(run))?.fingerprint,
        audit: (await inventory.auditHead()).sequence,
      };
    }

    it("makes all of a run visible", async () => {
      const world = await open();
      await world.inventory.recordRequest(runRecord("r1"));
      const head = await world.inventory.publish(whole("r1", [inventoryRow("r1", "a")]));
      expect(await everything(world, "r1")).toEqual({ rows: ["a"], edges: 1, captured: 1, stats: 1, jobs: 1, fingerprint: "f1", audit: 1 });
      expect(head).toEqual(await world.inventory.auditHead());
      expect(await world.inventory.getRun("r1")).toMatchObject({ state: "publishing", commitBefore: "c1", details: { rejeitadas: 2 } });
    });

    it("leaves nothing when it fails in the middle", async () => {
      const world = await open();
      await world.inventory.recordRequest(runRecord("r1"));
      await world.inventory.publish(publication("r1", { rows: [inventoryRow("r1", "a", "old")] }));
      await world.inventory.recordRequest(runRecord("r2"));
      const before = await everything(world, "r2");
      const bad = whole("r2", [inventoryRow("r2", "a", "new"), inventoryRow("r2", "b")]);
      await expect(world.inventory.publish({ ...bad, job: { ...jobRecord("r2", "j"), state: "lost" as "failed" } })).rejects.toMatchObject({
        kind: "terminal",
      });
      expect(await everything(world, "r2")).toEqual(before);
      expect((await world.inventory.rows({ inventory: "raw", project: PROJECT, limit: 10 })).items).toMatchObject([
        { run: "r1", current: true },
      ]);
    });

    it("changes nothing the second time, and answers the head of the first", async () => {
      const world = await open();
      await world.inventory.recordRequest(runRecord("r1"));
      const first = await world.inventory.publish(whole("r1", [inventoryRow("r1", "a")]));
      await world.inventory.recordRequest(runRecord("r2"));
      await world.inventory.publish(publication("r2", { rows: [inventoryRow("r2", "a", "newer")] }));
      const before = await everything(world, "r1");
      expect(await world.inventory.publish(whole("r1", [inventoryRow("r1", "a")]))).toEqual(first);
      expect(await everything(world, "r1")).toEqual(before);
      expect((await world.inventory.rows({ inventory: "raw", project: PROJECT, limit: 10 })).items).toMatchObject([{ run: "r2" }]);
    });

    it("publishes one run once, asked for it several times at the same moment", async () => {
      const { inventory } = await open();
      await inventory.recordRequest(runRecord("r1"));
      const heads = await Promise.all(Array.from({ length: 4 }, () => inventory.publish(whole("r1", [inventoryRow("r1", "a")]))));
      expect(new Set(heads.map(({ hash }) => hash)).size).toBe(1);
      expect((await inventory.auditHead()).sequence).toBe(1);
    });

    it("keeps the chain whole when different runs publish at the same moment", async () => {
      const { inventory } = await open();
      const runs = Array.from({ length: 12 }, (_, index) => `r${index}`);
      for (const run of runs) await inventory.recordRequest(runRecord(run));
      await Promise.all(runs.map((run) => inventory.publish(publication(run, { rows: [inventoryRow(run, run)] }))));
      let previous = { sequence: 0, hash: GENESIS_HASH };
      for await (const entry of inventory.audit()) {
        expect(brokenLink(entry, previous)).toBeUndefined();
        previous = entry;
      }
      expect(previous.sequence).toBe(12);
      expect(await collect(inventory.currentRows("raw", PROJECT), (row) => row.run)).toHaveLength(12);
    });

    it("retires names without a successor, in their own inventory only", async () => {
      const { inventory } = await open();
      await inventory.recordRequest(runRecord("r1"));
      const rows = [inventoryRow("r1", "a"), inventoryRow("r1", "b"), inventoryRow("r1", "a", "a", { inventory: "staging" })];
      await inventory.publish(publication("r1", { rows }));
      await inventory.recordRequest(runRecord("r2"));
      await inventory.publish(publication("r2", { retired: [{ inventory: "raw", name: "a" }] }));
      expect(await collect(inventory.currentRows("raw", PROJECT), (row) => row.name)).toEqual(["b"]);
      expect(await collect(inventory.currentRows("staging", PROJECT), (row) => row.name)).toEqual(["a"]);
    });

    it("moves a shared content from one holder to another in one run", async () => {
      const { inventory } = await open();
      await inventory.recordRequest(runRecord("r1"));
      const alias = (run: string) => inventoryRow(run, "b", "same", { aliasOf: "a", key: `${PROJECT}/a` });
      await inventory.publish(publication("r1", { rows: [inventoryRow("r1", "a", "same"), alias("r1")] }));
      await inventory.recordRequest(runRecord("r2"));
      // The former alias comes first: nothing may depend on the order of rows.
      await inventory.publish(publication("r2", { rows: [{ ...alias("r2"), aliasOf: null }, inventoryRow("r2", "a", "other")] }));
      expect(await collect(inventory.currentRows("raw", PROJECT), ({ name, aliasOf }) => [name, aliasOf])).toEqual([
        ["a", null],
        ["b", null],
      ]);
    });

    it("refuses a second holder of one raw content, and two current rows of one name", async () => {
      const { inventory } = await open();
      await inventory.recordRequest(runRecord("r1"));
      const twice = [inventoryRow("r1", "a", "same"), inventoryRow("r1", "b", "same")];
      await expect(inventory.publish(publication("r1", { rows: twice }))).rejects.toMatchObject({ kind: "terminal" });
      const named = [inventoryRow("r1", "a", "one"), inventoryRow("r1", "a", "two")];
      await expect(inventory.publish(publication("r1", { rows: named }))).rejects.toMatchObject({ kind: "terminal" });
      expect((await inventory.auditHead()).sequence).toBe(0);
    });

    it("lets two tables of another inventory have the same content", async () => {
      const { inventory } = await open();
      await inventory.recordRequest(runRecord("r1"));
      const rows = ["a", "b"].map((name) => inventoryRow("r1", name, "empty", { inventory: "staging", bucket: "staging-data" }));
      await inventory.publish(publication("r1", { rows }));
      expect(await collect(inventory.currentRows("staging", PROJECT), (row) => row.name)).toEqual(["a", "b"]);
    });

    it("reads what it publishes a part at a time, and moves a content between names that are far apart", { timeout: 60_000 }, async () => {
      const { inventory } = await open();
      const names = Array.from({ length: 12_000 }, (_, index) => `${index}`.padStart(5, "0"));
      const of = <T>(item: (name: string) => T): AsyncIterable<T> => ({
        async *[Symbol.asyncIterator]() {
          for (const name of names) yield item(name);
        },
      });
      await inventory.recordRequest(runRecord("r1"));
      await inventory.publish(
        publication("r1", {
          rows: of((name) => inventoryRow("r1", name)),
          edges: of((name) => ({ from: `local:${name}@1`, to: `object:raw-data/${name}@2`, run: "r1" })),
          captured: of((name) => capturedFile("r1", name)),
          // The same path again in another part: the later one counts.
          statCache: {
            [Symbol.iterator]: () => [...names, "00000"].map((path, index) => statCacheEntry(path, { size: index }))[Symbol.iterator](),
          },
        }),
      );
      expect(await collect(inventory.currentRows("raw", PROJECT), (row) => row.name)).toEqual(names);
      expect((await inventory.lineage("object:raw-data/11999@2")).edges).toHaveLength(1);
      expect((await inventory.captured(PROJECT)).size).toBe(12_000);
      expect((await inventory.statCache(PROJECT)).get("00000")?.size).toBe(12_000);

      await inventory.recordRequest(runRecord("r2"));
      const swapped = names.toReversed();
      await inventory.publish(publication("r2", { rows: of((name) => inventoryRow("r2", name, swapped[Number(name)])) }));
      expect(await collect(inventory.currentRows("raw", PROJECT), ({ name, run }) => `${name} ${run}`)).toEqual(
        names.map((name) => `${name} r2`),
      );
    });

    it("refuses what could be read only once", async () => {
      const { inventory } = await open();
      await inventory.recordRequest(runRecord("r1"));
      function* rows() {
        yield inventoryRow("r1", "a");
      }
      await expect(inventory.publish(publication("r1", { rows: rows() }))).rejects.toMatchObject({ code: "items-read-once" });
      expect((await inventory.auditHead()).sequence).toBe(0);
    });

    it("publishes 20,000 rows with edges and stat cache together", { timeout: 60_000 }, async () => {
      const { inventory } = await open();
      const names = Array.from({ length: 20_000 }, (_, index) => `pasta/${index}.csv`);
      await inventory.recordRequest(runRecord("r1"));
      await inventory.publish(
        publication("r1", {
          rows: names.map((name) => inventoryRow("r1", name)),
          edges: names.map((name) => ({ from: `local:${name}@1`, to: `object:raw-data/${name}@2`, run: "r1" })),
          statCache: names.map((name) => statCacheEntry(name)),
        }),
      );
      expect((await inventory.statCache(PROJECT)).size).toBe(20_000);
      expect(await collect(inventory.currentRows("raw", PROJECT), (row) => row.name)).toHaveLength(20_000);
    });
  });
}
