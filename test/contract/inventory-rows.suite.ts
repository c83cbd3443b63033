import { describe, expect, it } from "vitest";
import { objectUri } from "../../src/domain/asset.ts";
import { type InventoryRow, rowDigest, type StoredInventoryRow } from "../../src/domain/inventory.ts";
import { INVENTORIES } from "../../src/domain/stage.ts";
import type { Inventory, RowFilter } from "../../src/ports/inventory.ts";
import { collect } from "../support/collect.ts";
import { inventoryRow, PROJECT, publication, runRecord, sha256Of } from "../support/publications.ts";
import type { OpenInventory } from "./inventory.suite.ts";

export function inventoryRowsContract(open: OpenInventory): void {
  describe("rows", () => {
    it("gives a row back as it was registered, in each of the five inventories", async () => {
      const { inventory } = await open();
      const rows = INVENTORIES.map((id) =>
        inventoryRow("r1", `${id} ção/日本.csv`, id, { inventory: id, rows: 3_000_000_000, role: "model" }),
      );
      await inventory.recordRequest(runRecord("r1"));
      await inventory.publish(publication("r1", { rows }));
      for (const row of rows) {
        const { items } = await inventory.rows({ inventory: row.inventory, project: PROJECT, limit: 10 });
        expect(items).toEqual([
          {
            ...row,
            id: expect.any(String),
            current: true,
            registeredAt: expect.stringMatching(/^\d{4}-.*\.\d{3}Z$/u),
            digest: rowDigest(row),
          },
        ]);
      }
    });

    it("keeps any text in details, U+0000 too, under the same digest", async () => {
      const { inventory } = await open();
      const details = { zero: "a\u0000b", quote: "'\"\\", emoji: "🛫", number: 0.1, tiny: 5e-324, nested: { list: [1, null, "x"] } };
      const [stored] = await publishRows(inventory, [inventoryRow("r1", "a.csv", "a", { details })]);
      expect(stored?.details).toEqual(details);
      expect(rowDigest(stored as StoredInventoryRow)).toBe(stored?.digest);
    });

    it("pages through 3,000 rows in the order of their bytes, each once", async () => {
      const { inventory } = await open();
      const names = Array.from({ length: 3_000 }, (_, index) => `${["a", "B", "é", "_", "z"][index % 5]}${index}.csv`);
      await publishRows(
        inventory,
        names.map((name) => inventoryRow("r1", name)),
      );
      const paged = await allPages(inventory, { inventory: "raw", project: PROJECT, limit: 700 });
      expect(paged.sizes).toEqual([700, 700, 700, 700, 200]);
      expect(paged.names).toEqual(names.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
      const streamed = await collect(inventory.currentRows("raw", PROJECT), (row) => row.name);
      expect(streamed).toEqual(paged.names);
    });

    it("has no further page when the last one is exactly full", async () => {
      const { inventory } = await open();
      await publishRows(inventory, [inventoryRow("r1", "a"), inventoryRow("r1", "b")]);
      const page = await inventory.rows({ inventory: "raw", project: PROJECT, limit: 2 });
      expect(page.items).toHaveLength(2);
      expect(page).not.toHaveProperty("cursor");
    });

    it.each(["x", "", Buffer.from("[1]").toString("base64url"), Buffer.from('["a","b"]').toString("base64url")])(
      "refuses a cursor it did not give: %j",
      async (cursor) => {
        const { inventory } = await open();
        await expect(inventory.rows({ inventory: "raw", project: PROJECT, limit: 2, cursor })).rejects.toMatchObject({
          kind: "usage",
          code: "invalid-cursor",
        });
      },
    );

    it("finds text in names whatever its letter case, and takes no character for a wildcard", async () => {
      const { inventory } = await open();
      await publishRows(
        inventory,
        ["Previsão 100%.csv", "previsao_1.csv", "outros/AÇÃO.csv", "100 por cento.csv", "back\\slash.csv"].map((name) =>
          inventoryRow("r1", name),
        ),
      );
      const found = async (search: string) =>
        (await inventory.rows({ inventory: "raw", project: PROJECT, limit: 10, search })).items.map(({ name }) => name);
      expect(await found("PREVIS")).toEqual(["Previsão 100%.csv", "previsao_1.csv"]);
      expect(await found("ação")).toEqual(["outros/AÇÃO.csv"]);
      expect(await found("ação".normalize("NFD"))).toEqual(["outros/AÇÃO.csv"]);
      expect(await found("0%")).toEqual(["Previsão 100%.csv"]);
      expect(await found("o_")).toEqual(["previsao_1.csv"]);
      expect(await found("\\")).toEqual(["back\\slash.csv"]);
      expect(await found("nada")).toEqual([]);
    });

    it("keeps projects and inventories apart", async () => {
      const { inventory } = await open();
      await publishRows(inventory, [inventoryRow("r1", "a"), inventoryRow("r1", "a", "a", { project: "outro" })]);
      expect((await inventory.rows({ inventory: "raw", project: PROJECT, limit: 10 })).items).toHaveLength(1);
      expect((await inventory.rows({ inventory: "staging", project: PROJECT, limit: 10 })).items).toHaveLength(0);
      expect(await collect(inventory.allRows("outro"), (row) => row.project)).toEqual(["outro"]);
      expect(await collect(inventory.allRows(), (row) => row.project)).toHaveLength(2);
    });

    it("shows superseded rows only when asked, oldest first", async () => {
      const { inventory } = await open();
      await publishRows(inventory, [inventoryRow("r1", "a", "old")]);
      await publishRows(inventory, [inventoryRow("r2", "a", "new")], "r2");
      const rowsOf = async (filter: Partial<RowFilter>) =>
        (await inventory.rows({ inventory: "raw", project: PROJECT, name: "a", limit: 10, ...filter })).items.map(({ run, current }) => [
          run,
          current,
        ]);
      expect(await rowsOf({})).toEqual([["r2", true]]);
      expect(await rowsOf({ currentOnly: false })).toEqual([
        ["r1", false],
        ["r2", true],
      ]);
      expect(await collect(inventory.allRows(PROJECT), (row) => row.run)).toEqual(["r1", "r2"]);
    });

    it("finds current contents by hash, and the row that holds them rather than its aliases", async () => {
      const { inventory } = await open();
      await publishRows(inventory, [
        inventoryRow("r1", "holder", "same"),
        inventoryRow("r1", "alias", "same", { aliasOf: "holder", key: `${PROJECT}/holder` }),
        inventoryRow("r1", "gone", "old"),
      ]);
      await publishRows(inventory, [inventoryRow("r2", "gone", "new")], "r2");
      const wanted = ["same", "old", "new", "never"].map(sha256Of);
      const found = await inventory.findByContent("raw", PROJECT, wanted);
      expect([...found].map(([sha256, { name }]) => [wanted.indexOf(sha256), name]).toSorted()).toEqual([
        [0, "holder"],
        [2, "gone"],
      ]);
      expect(await inventory.findByContent("raw", PROJECT, [])).toEqual(new Map());
      expect(await inventory.findByContent("raw", "outro", wanted)).toEqual(new Map());
    });

    it("finds an asset by its name, its place in a bucket and its URI", async () => {
      const { inventory } = await open();
      const old = inventoryRow("r1", "modelo/a@b.onnx", "old", { inventory: "models", bucket: "models" });
      const current = { ...inventoryRow("r2", "modelo/a@b.onnx", "new"), inventory: "models", bucket: "models" } as const;
      await publishRows(inventory, [old]);
      await publishRows(inventory, [current], "r2");
      const found = async (text: string) => (await inventory.findAssets(text)).map(({ run }) => run).toSorted();
      expect(await found("modelo/a@b.onnx")).toEqual(["r1", "r2"]);
      expect(await found(`models/${PROJECT}/modelo/a@b.onnx`)).toEqual(["r1", "r2"]);
      expect(await found(objectUri(old))).toEqual(["r1"]);
      expect(await found(`outputs/${PROJECT}/modelo/a@b.onnx`)).toEqual([]);
      expect(await found("local:modelo/a@b.onnx")).toEqual([]);
    });

    it("streams the rows of one moment, whatever is published meanwhile", async () => {
      const { inventory } = await open();
      const names = Array.from({ length: 2_500 }, (_, index) => `${index}`.padStart(4, "0"));
      await publishRows(
        inventory,
        names.map((name) => inventoryRow("r1", name, `old ${name}`)),
      );
      const runs = new Set<string>();
      for await (const row of inventory.currentRows("raw", PROJECT)) {
        if (row.name === "0000") {
          await publishRows(
            inventory,
            names.map((name) => inventoryRow("r2", name, `new ${name}`)),
            "r2",
          );
        }
        runs.add(row.run);
      }
      expect([...runs]).toEqual(["r1"]);
    });

    it("can be left in the middle of a stream many times over", async () => {
      const { inventory } = await open();
      await publishRows(
        inventory,
        Array.from({ length: 2_500 }, (_, index) => inventoryRow("r1", `${index}`)),
      );
      for (let time = 0; time < 20; time += 1) {
        for await (const row of inventory.currentRows("raw", PROJECT)) {
          expect(row.run).toBe("r1");
          break;
        }
      }
      expect((await inventory.auditHead()).sequence).toBe(1);
    });
  });
}

/** Publishes under a run recorded for it and answers what is current then. */
async function publishRows(inventory: Inventory, rows: readonly InventoryRow[], run = "r1"): Promise<readonly StoredInventoryRow[]> {
  await inventory.recordRequest(runRecord(run));
  await inventory.publish(publication(run, { rows }));
  return (await inventory.rows({ inventory: "raw", project: PROJECT, limit: 10 })).items;
}

async function allPages(inventory: Inventory, filter: RowFilter): Promise<{ readonly names: string[]; readonly sizes: number[] }> {
  const names: string[] = [];
  const sizes: number[] = [];
  let cursor: string | undefined;
  do {
    const page = await inventory.rows({ ...filter, ...(cursor === undefined ? {} : { cursor }) });
    names.push(...page.items.map(({ name }) => name));
    sizes.push(page.items.length);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return { names, sizes };
}
