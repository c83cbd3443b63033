import pc from "picocolors";
import { describe, expect, it } from "vitest";
import { renderLineageTree } from "../../../src/cli/output/lineage-tree.ts";
import { driveUri, localUri, objectUri } from "../../../src/domain/asset.ts";
import type { LineageGraph, LineageRun } from "../../../src/domain/lineage.ts";

const colours = pc.createColors(false);
const raw = objectUri({ bucket: "raw-data", key: "p/a.csv", versionId: "v1" });
const local = localUri("p/a.csv", "c".repeat(64));
const drive = driveUri("a.csv", "7");
const run = (id: string, stage: LineageRun["stage"]): LineageRun => ({
  run: id,
  project: "p",
  stage,
  commitBefore: "1".repeat(40),
  commitAfter: "2".repeat(40),
  finishedAt: null,
});

const graph: LineageGraph = {
  root: raw,
  edges: [
    { from: local, to: raw, run: "r2" },
    { from: drive, to: local, run: "r1" },
  ],
  runs: [run("r1", "capture"), run("r2", "ingest")],
};

describe("renderLineageTree", () => {
  it("goes from the asset back to Drive, with stage, run and commits at each step", () => {
    expect(renderLineageTree(graph, { breadth: 10, colours }).split("\n")).toEqual([
      "object raw-data/p/a.csv @v1",
      "└─ by ingest run r2, commits 1111111 → 2222222",
      `   └─ local p/a.csv @${"c".repeat(12)}…`,
      "      └─ by capture run r1, commits 1111111 → 2222222",
      "         └─ drive a.csv @7",
    ]);
  });

  it("shows an asset that two others were made from in full once", () => {
    const both: LineageGraph = {
      root: "object:m@1",
      edges: [
        { from: raw, to: "object:m@1", run: "r4" },
        { from: "object:x@1", to: "object:m@1", run: "r4" },
        { from: raw, to: "object:x@1", run: "r3" },
        ...graph.edges,
      ],
      runs: graph.runs,
    };
    const text = renderLineageTree(both, { breadth: 10, colours });
    expect(text.match(/by ingest/gu)).toHaveLength(1);
    expect(text).toContain("object raw-data/p/a.csv @v1 (shown above)");
    expect(text).toContain("by run r4");
  });

  it("counts the sources beyond the breadth", () => {
    const edges = Array.from({ length: 5 }, (_, index) => ({ from: driveUri(`f${index}`, "1"), to: raw, run: "r2" }));
    const text = renderLineageTree({ root: raw, edges, runs: [] }, { breadth: 2, colours });
    expect(text.split("\n").at(-1)).toBe("   └─ … and 3 more (--all shows them)");
  });

  it("ends although the graph has a cycle", () => {
    const text = renderLineageTree(
      {
        root: "object:a@1",
        edges: [
          { from: "object:b@1", to: "object:a@1", run: "r" },
          { from: "object:a@1", to: "object:b@1", run: "r" },
        ],
        runs: [],
      },
      { breadth: 5, colours },
    );
    expect(text).toContain("object a @1 (shown above)");
  });

  it("shows a lone asset without history by its name", () => {
    expect(renderLineageTree({ root: drive, edges: [], runs: [] }, { breadth: 5, colours })).toBe("drive a.csv @7");
  });
});
