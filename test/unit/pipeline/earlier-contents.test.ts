import { describe, expect, it } from "vitest";
import { rowsByContent } from "../../../src/pipeline/earlier-contents.ts";
import { rawRow } from "../../../src/pipeline/raw-rows.ts";
import type { UnitResult } from "../../../src/pipeline/stage-definition.ts";

/** A result of one row; it counts how often its rows are asked for. */
function resultOf(name: string, sha256: string): UnitResult & { readonly timesRead: () => number } {
  let times = 0;
  const file = { path: name, diskPath: name, size: 1, mtimeNs: "0", ctimeNs: "0", inode: "1" };
  const object = { bucket: "raw-data", key: name, versionId: "v1", size: 1, md5: "", sha256, role: "data", mediaType: "text/csv" } as const;
  return {
    written: [],
    edges: [],
    get rows() {
      times += 1;
      return [rawRow(file, object)];
    },
    timesRead: () => times,
  };
}

describe("contents of earlier units", () => {
  it("are found by their hash, also those of units that came since, each unit read once", () => {
    const first = resultOf("a", "aa");
    const second = resultOf("b", "bb");
    const results: Record<string, UnitResult> = { "files-0": first };
    expect([...rowsByContent(results).keys()]).toEqual(["aa"]);
    results["files-1"] = second;
    expect(rowsByContent(results).get("bb")).toMatchObject({ name: "b", key: "b" });
    expect(rowsByContent(results).get("aa")).toMatchObject({ name: "a" });
    expect([first.timesRead(), second.timesRead()]).toEqual([1, 1]);
  });

  it("are those of one run: another one's results have their own", () => {
    rowsByContent({ "files-0": resultOf("a", "aa") });
    expect([...rowsByContent({ "files-0": resultOf("b", "bb") }).keys()]).toEqual(["bb"]);
  });
});
