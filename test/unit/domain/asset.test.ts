import { describe, expect, it } from "vitest";
import { type AssetUri, codeUri, driveUri, formatAssetUri, localUri, objectUri, parseAssetUri } from "../../../src/domain/asset.ts";

describe("an asset URI", () => {
  it.each<[AssetUri, string]>([
    [{ kind: "drive", name: "1AbC", version: "7" }, "drive:1AbC@7"],
    [{ kind: "object", name: "raw-data/voos/ação 1.csv", version: "v1" }, "object:raw-data/voos/ação 1.csv@v1"],
    [{ kind: "local", name: "a@b/50%.csv", version: "ff" }, "local:a%40b/50%25.csv@ff"],
    [{ kind: "code", name: "sql/a:b.sql", version: "00" }, "code:sql/a:b.sql@00"],
    [{ kind: "job", name: "a\nb", version: "1" }, "job:a\nb@1"],
  ])("of %j is %j, and back", (uri, text) => {
    expect(formatAssetUri(uri)).toBe(text);
    expect(parseAssetUri(text)).toEqual(uri);
  });

  it.each(["", "raw-data/x", "object:x", "object:@1", "object:x@", "bucket:x@1", "object:50%zz@1"])("is not %j", (text) => {
    expect(parseAssetUri(text)).toBeUndefined();
  });

  it("is made from each kind's own facts", () => {
    expect(objectUri({ bucket: "raw-data", key: "voos/a.csv", versionId: "v1" })).toBe("object:raw-data/voos/a.csv@v1");
    expect(localUri("eda/raw-data/voos/a.csv", "ab")).toBe("local:eda/raw-data/voos/a.csv@ab");
    expect(driveUri("id", "3")).toBe("drive:id@3");
    expect(codeUri("sql/a.sql", "cd")).toBe("code:sql/a.sql@cd");
  });
});
