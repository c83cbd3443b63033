import { describe, expect, it } from "vitest";
import { type InventoryRow, rowDigest, rowsDigest } from "../../../src/domain/inventory.ts";
import { hashJson } from "../../../src/domain/json.ts";
import { inventoryRow } from "../../support/publications.ts";

const row = inventoryRow("20261124-120000-aaaaaa", "pedidos.csv");

describe("row digest", () => {
  it("is the same for the same row, whatever the order of its fields", () => {
    const reordered = Object.fromEntries(Object.entries(row).toReversed()) as unknown as InventoryRow;
    expect(rowDigest(reordered)).toBe(rowDigest(row));
    expect(rowDigest(row)).toMatch(/^[0-9a-f]{64}$/u);
  });

  const changes: { readonly [Field in keyof InventoryRow]: InventoryRow[Field] } = {
    inventory: "staging",
    project: "outro",
    name: "outro.csv",
    role: "quarantine",
    mediaType: "text/plain",
    rows: 0,
    aliasOf: "outro.csv",
    details: {},
    run: "20261124-120000-bbbbbb",
    commitBefore: "f".repeat(40),
    bucket: "outputs",
    key: "k",
    versionId: "v",
    size: row.size + 1,
    md5: "0".repeat(32),
    sha256: "0".repeat(64),
  };

  it.each(Object.entries(changes))("changes with %s", (field, value) => {
    expect(rowDigest({ ...row, [field]: value })).not.toBe(rowDigest(row));
  });

  it.each<Partial<InventoryRow>>([
    {},
    { details: { z: 1, a: { "10": 1, "9": [true, null, { y: 1e21, b: 0.1 }] }, ação: "🛫" } },
    { name: 'aspas " e \\ e \u0001 e \u2028', aliasOf: "outro", rows: 7 },
    { name: "parece \\ud83d", key: "\\\\ud83d" },
  ])("is the SHA-256 of the row's form by RFC 8785: %j", (change) => {
    expect(rowDigest({ ...row, ...change })).toBe(hashJson({ ...row, ...change }));
  });

  it("refuses half a surrogate pair, which has no such form", () => {
    expect(() => rowDigest({ ...row, name: "half \ud83d" })).toThrow(/surrogate/u);
    expect(() => rowDigest({ ...row, details: { a: "\udc00" } })).toThrow(/surrogate/u);
  });

  it("covers every field a row has", () => {
    expect(Object.keys(changes).toSorted()).toEqual(Object.keys(row).toSorted());
  });

  it("leaves out what a stored row has besides: its place in time", () => {
    const stored = { ...row, id: "7", current: false, registeredAt: "2026-11-24T12:00:00.000Z", digest: "x" };
    expect(rowDigest(stored)).toBe(rowDigest(row));
  });
});

describe("digest of a run's rows", () => {
  const digests = ["a", "b", "c"].map((name) => rowDigest(inventoryRow("r", name)));

  it("does not depend on their order, and leaves the list as it was", () => {
    const shuffled = [digests[2], digests[0], digests[1]] as string[];
    const before = [...shuffled];
    expect(rowsDigest(shuffled)).toBe(rowsDigest(digests));
    expect(shuffled).toEqual(before);
  });

  it("changes when a row is missing, added, doubled or another one", () => {
    const [first, second] = digests as [string, string, string];
    const others = [digests.slice(1), [...digests, "0".repeat(64)], [...digests, first], [first, second, "0".repeat(64)], []];
    expect(new Set([digests, ...others].map(rowsDigest)).size).toBe(others.length + 1);
  });
});
