import { describe, expect, it } from "vitest";
import type { StoredInventoryRow } from "../../../src/domain/inventory.ts";
import { flatten, inventoryRow, objectRow, registeredRow, rowDetails } from "../../../src/extension/text/storage.ts";
import type { ObjectEntry } from "../../../src/protocol/messages.ts";

const OBJECT: ObjectEntry = {
  type: "object",
  key: "lojas/pedidos.parquet",
  size: 1_234_567,
  versionId: "v1",
  sha256: "a".repeat(64),
  mediaType: "application/vnd.apache.parquet",
  storedAt: "2026-11-24T12:00:00.000Z",
};

const ROW: StoredInventoryRow = {
  id: "7",
  current: true,
  registeredAt: "2026-11-24T12:00:00.000Z",
  digest: "d".repeat(64),
  inventory: "staging",
  project: "lojas",
  name: "pedidos",
  role: "data",
  mediaType: "application/vnd.apache.parquet",
  rows: 3_000_000,
  aliasOf: null,
  details: {},
  run: "20261124-120000-abc123",
  commitBefore: "1".repeat(40),
  bucket: "staging-data",
  key: "lojas/pedidos.parquet",
  versionId: "v1",
  size: 1_234_567,
  md5: "b".repeat(32),
  sha256: "a".repeat(64),
};

describe("the row of an object", () => {
  it("is named by what follows the prefix", () => {
    expect(objectRow(OBJECT, "lojas/")).toMatchObject({
      label: "pedidos.parquet",
      description: "1.23 MB",
      context: "object.hashed",
      icon: { id: "table" },
    });
    expect(objectRow({ ...OBJECT, type: "prefix", key: "lojas/2026/" }, "lojas/")).toMatchObject({ label: "2026", context: "prefix" });
  });

  it("offers no hash where there is none", () => {
    expect(objectRow({ ...OBJECT, sha256: null }, "").context).toBe("object");
  });

  it("shows exact size, version and hash when the pointer rests on it", () => {
    expect(objectRow(OBJECT, "").tooltip).toContain(`1.23 MB (1,234,567 B)`);
    expect(objectRow(OBJECT, "").tooltip).toContain(`sha256: ${"a".repeat(64)}`);
  });

  it("defuses a hostile name", () => {
    expect(objectRow({ ...OBJECT, key: "a\u202etxt.exe\n" }, "").label).toBe("a\\u{202e}txt.exe\\u{a}");
  });
});

describe("the row of an inventory", () => {
  it("names the table, or what is searched for", () => {
    expect(inventoryRow("raw", undefined)).toMatchObject({ label: "Raw data", description: "inventario_dados", context: "inventory" });
    expect(inventoryRow("raw", "csv")).toMatchObject({ description: "containing “csv”", context: "inventory.filtered" });
  });
});

describe("a registered row", () => {
  it("says how much it is", () => {
    expect(registeredRow(ROW)).toMatchObject({ label: "pedidos", description: "3,000,000 rows · 1.23 MB", icon: { id: "table" } });
  });

  it("names what it is an alias of, and marks quarantine", () => {
    expect(registeredRow({ ...ROW, rows: null, aliasOf: "copy.csv" })).toMatchObject({
      description: "1.23 MB · same as copy.csv",
      icon: { id: "link" },
    });
    expect(registeredRow({ ...ROW, role: "quarantine" }).icon?.id).toBe("warning");
  });

  it("lists everything registered, copying what is exact", () => {
    const details = rowDetails({ ...ROW, details: { rejected: 12, schema: { fields: ["a", "b"] } } });
    expect(details.find(({ name }) => name === "rows")).toEqual({ name: "rows", value: "3,000,000", copy: "3000000" });
    expect(details.find(({ name }) => name === "object")?.value).toBe("staging-data/lojas/pedidos.parquet");
    expect(details).toContainEqual({ name: "schema.fields", value: "a, b" });
    expect(details.some(({ name }) => name === "same content as")).toBe(false);
  });
});

describe("nested details", () => {
  it("are flattened to paths, long lists to their length", () => {
    expect(flatten({ metrics: { auc: 0.123456789 }, names: Array.from({ length: 9 }, () => "x"), none: null })).toEqual([
      { name: "metrics.auc", value: "0.123457", copy: "0.123456789" },
      { name: "names", value: "9 entries" },
    ]);
  });

  it("are cut where nobody reads on", () => {
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`k${index}`, index]));
    expect(flatten(many)).toHaveLength(60);
  });
});
