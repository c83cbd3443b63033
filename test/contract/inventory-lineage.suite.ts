import { describe, expect, it } from "vitest";
import { type LineageEdge, upstreamOf } from "../../src/domain/lineage.ts";
import type { StageId } from "../../src/domain/stage.ts";
import type { Inventory } from "../../src/ports/inventory.ts";
import { publication, runRecord } from "../support/publications.ts";
import type { OpenInventory } from "./inventory.suite.ts";

export function inventoryLineageContract(open: OpenInventory): void {
  describe("lineage", () => {
    it("goes back from a model to each Drive file, with the runs and commits on the way", async () => {
      const { inventory } = await open();
      await publishEdges(inventory, "r1", "capture", [
        ["drive:a@1", "local:a@h1"],
        ["drive:b@1", "local:b@h2"],
      ]);
      await publishEdges(inventory, "r2", "ingest", [
        ["local:a@h1", "object:raw/a@1"],
        ["local:b@h2", "object:raw/b@1"],
      ]);
      await publishEdges(inventory, "r3", "staging", [
        ["object:raw/a@1", "object:st/t@1"],
        ["code:p.yaml@1", "object:st/t@1"],
      ]);
      await publishEdges(inventory, "r4", "curation", [
        ["object:st/t@1", "object:cu/t@1"],
        ["object:raw/b@1", "object:cu/t@1"],
      ]);
      await publishEdges(inventory, "r5", "deploy", [["object:cu/t@1", "object:models/m@1"]]);
      await publishEdges(inventory, "r6", "deploy", [["object:cu/t@1", "object:models/other@1"]]);
      await inventory.updateRun("r5", { commitBefore: "c1", commitAfter: "c2", finishedAt: "2026-11-24T12:00:00.000Z" });
      const graph = await inventory.lineage("object:models/m@1");
      expect(upstreamOf(graph).toSorted()).toEqual(
        [
          "object:cu/t@1",
          "object:st/t@1",
          "object:raw/a@1",
          "object:raw/b@1",
          "local:a@h1",
          "local:b@h2",
          "drive:a@1",
          "drive:b@1",
          "code:p.yaml@1",
        ].toSorted(),
      );
      expect(graph.edges).toHaveLength(9);
      expect(graph.runs.map(({ run }) => run).toSorted()).toEqual(["r1", "r2", "r3", "r4", "r5"]);
      expect(graph.runs.find(({ run }) => run === "r5")).toEqual({
        run: "r5",
        project: "projeto_teste",
        stage: "deploy",
        commitBefore: "c1",
        commitAfter: "c2",
        finishedAt: "2026-11-24T12:00:00.000Z",
      });
    });

    it("gives every file that an object of shared content came from, and visits each asset once", async () => {
      const { inventory } = await open();
      const copies = Array.from({ length: 300 }, (_, index) => `local:copia-${index}@h`);
      await publishEdges(
        inventory,
        "r1",
        "ingest",
        copies.map((copy) => [copy, "object:raw/um@1"] as const),
      );
      const layers = Array.from({ length: 20 }, (_, layer) => [`object:x/${layer}a@1`, `object:x/${layer}b@1`] as const);
      // Two ways at each of twenty layers: a million paths, sixty edges.
      const edges = layers.flatMap(([a, b], layer) => {
        const [nextA, nextB] = layers[layer + 1] ?? ["object:raw/um@1", "object:raw/um@1"];
        return [
          [nextA, a],
          [nextB, a],
          [nextA, b],
          [nextB, b],
        ] as const;
      });
      await publishEdges(inventory, "r2", "curation", edges);
      const graph = await inventory.lineage("object:x/0a@1");
      expect(upstreamOf(graph)).toHaveLength(300 + 1 + 2 * 19);
    });

    it("ends on a circle", async () => {
      const { inventory } = await open();
      await publishEdges(inventory, "r1", "curation", [
        ["object:a@1", "object:b@1"],
        ["object:b@1", "object:a@1"],
      ]);
      expect((await inventory.lineage("object:a@1")).edges).toHaveLength(2);
    });

    it("keeps an edge once a run, and one of each run that made the same again", async () => {
      const { inventory } = await open();
      await publishEdges(inventory, "r1", "staging", [
        ["object:a@1", "object:b@1"],
        ["object:a@1", "object:b@1"],
      ]);
      await publishEdges(inventory, "r2", "staging", [["object:a@1", "object:b@1"]]);
      expect((await inventory.lineage("object:b@1")).edges.map(({ run }) => run).toSorted()).toEqual(["r1", "r2"]);
    });

    it("knows nothing of an asset that nobody made", async () => {
      const { inventory } = await open();
      expect(await inventory.lineage("drive:x@1")).toEqual({ root: "drive:x@1", edges: [], runs: [] });
    });
  });
}

async function publishEdges(
  inventory: Inventory,
  run: string,
  stage: StageId,
  pairs: readonly (readonly [string, string])[],
): Promise<void> {
  await inventory.recordRequest(runRecord(run, { stage }));
  const edges = pairs.map(([from, to]): LineageEdge => ({ from, to, run }));
  await inventory.publish(publication(run, { stage, edges }));
}
