import { describe, expect, it } from "vitest";
import type { StoredInventoryRow } from "../../../src/domain/inventory.ts";
import { assignHolders, mediaTypeOf, type RawRow } from "../../../src/pipeline/raw-rows.ts";

function row(name: string, content: string, aliasOf: string | null = null): RawRow {
  return {
    inventory: "raw",
    name,
    role: "data",
    bucket: "raw-data",
    key: `p/${content}`,
    versionId: content,
    size: 1,
    md5: content,
    sha256: content,
    mediaType: "text/csv",
    rows: null,
    aliasOf,
    details: {},
  };
}

function stored(name: string, content: string, aliasOf: string | null = null): StoredInventoryRow {
  return {
    ...row(name, content, aliasOf),
    project: "p",
    run: "r",
    commitBefore: "c",
    id: "1",
    current: true,
    registeredAt: "2026-01-01T00:00:00Z",
    digest: "d",
  };
}

const aliases = (rows: readonly RawRow[]) => Object.fromEntries(rows.map(({ name, aliasOf }) => [name, aliasOf]));

describe("which of equal files holds the content", () => {
  it("is the first by name, whatever their order", () => {
    expect(aliases(assignHolders([row("c", "x"), row("a", "x"), row("b", "x"), row("d", "y")], []))).toEqual({
      a: null,
      b: "a",
      c: "a",
      d: null,
    });
  });

  it("is the one that holds it already, though another comes first by name", () => {
    expect(aliases(assignHolders([row("a", "x")], [stored("z", "x")]))).toEqual({ a: "z" });
  });

  it("is the first of the aliases once the holder has other content, and they are registered again", () => {
    const rows = assignHolders([row("a", "new")], [stored("b", "old", "a"), stored("c", "old", "a"), stored("d", "other")]);
    expect(aliases(rows)).toEqual({ a: null, b: null, c: "b" });
  });

  it("leaves aliases alone whose holder is untouched", () => {
    expect(assignHolders([row("n", "new")], [stored("a", "x"), stored("b", "x", "a")])).toHaveLength(1);
  });
});

describe("the media type of a raw file", () => {
  it.each([
    ["dados/voos.csv", "text/csv"],
    ["voos.parquet", "application/vnd.apache.parquet"],
    ["VOOS.CSV", "text/csv"],
    ["c", "application/octet-stream"],
    [".json", "application/octet-stream"],
    ["x.unknown-ending", "application/octet-stream"],
  ])("of %s is %s", (path, type) => {
    expect(mediaTypeOf(path)).toBe(type);
  });
});
