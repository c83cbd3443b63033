import { describe, expect, it } from "vitest";
import type { RunRecord } from "../../src/domain/run.ts";
import type { Inventory } from "../../src/ports/inventory.ts";
import { PROJECT, runRecord } from "../support/publications.ts";
import type { OpenInventory } from "./inventory.suite.ts";

export function inventoryRunsContract(open: OpenInventory): void {
  describe("executions", () => {
    it("gives a record back as it was", async () => {
      const { inventory } = await open();
      const record = runRecord("r1", {
        force: true,
        state: "failed",
        commitBefore: "a",
        commitAfter: "b",
        totals: { inputs: 1, inputBytes: 5_000_000_000, outputs: 2, outputBytes: 3 },
        fingerprint: "f",
        error: {
          kind: "terminal",
          code: "x",
          message: "zero \u0000 and half \ud83d",
          findings: [{ message: "m", at: { file: "f", line: 1 } }],
        },
        details: { motivos: { "delay: minimum -120": 3 } },
        startedAt: "2026-11-24T12:00:01.001Z",
        finishedAt: "2026-11-24T12:00:02.999Z",
      });
      await inventory.recordRequest(record);
      expect(await inventory.getRun("r1")).toEqual(record);
      expect(await inventory.getRun("r2")).toBeUndefined();
    });

    it("leaves an execution that is recorded already as it is", async () => {
      const { inventory } = await open();
      await inventory.recordRequest(runRecord("r1", { state: "executing" }));
      await inventory.recordRequest(runRecord("r1", { state: "waiting", actor: "bia" }));
      expect(await inventory.getRun("r1")).toMatchObject({ state: "executing", actor: "ana" });
    });

    it("changes the given fields and no other, also back to null", async () => {
      const { inventory } = await open();
      const record = runRecord("r1", { error: { kind: "terminal", code: "x", message: "m" }, details: { a: 1 } });
      await inventory.recordRequest(record);
      await inventory.updateRun("r1", { state: "executing", error: null });
      await inventory.updateRun("r1", {});
      await inventory.updateRun("unknown", { state: "failed" });
      expect(await inventory.getRun("r1")).toEqual({ ...record, state: "executing", error: null });
    });

    it("changes every field but the id", async () => {
      const { inventory } = await open();
      await inventory.recordRequest(runRecord("r1"));
      const changed: RunRecord = {
        run: "r1",
        project: "outro",
        stage: "deploy",
        force: true,
        actor: "bia",
        state: "succeeded",
        commitBefore: "a",
        commitAfter: "b",
        totals: { inputs: 1, inputBytes: 2, outputs: 3, outputBytes: 4 },
        fingerprint: "f",
        error: { kind: "transient", code: "x", message: "m", todo: "t" },
        details: { metricas: { auc: 0.5 } },
        requestedAt: "2026-11-25T00:00:00.001Z",
        startedAt: "2026-11-25T00:00:00.002Z",
        finishedAt: "2026-11-25T00:00:00.003Z",
      };
      await inventory.updateRun("r1", { ...changed, run: "r2" });
      expect(await inventory.getRun("r1")).toEqual(changed);
      expect(await inventory.getRun("r2")).toBeUndefined();
    });

    it("keeps one moment of many changes at once", async () => {
      const { inventory } = await open();
      await inventory.recordRequest(runRecord("r1"));
      await Promise.all(
        Array.from({ length: 50 }, (_, index) => inventory.updateRun("r1", { details: { index }, fingerprint: `${index}` })),
      );
      const record = (await inventory.getRun("r1")) as RunRecord;
      expect(record.fingerprint).toBe(String(record.details.index));
    });

    it("lists newest first, a page at a time, runs of one millisecond too", async () => {
      const { inventory } = await open();
      const runs = Array.from({ length: 25 }, (_, index) => `r${String(index).padStart(2, "0")}`);
      for (const [index, run] of runs.entries()) {
        await inventory.recordRequest(
          runRecord(run, { requestedAt: `2026-11-24T12:00:00.${String(Math.floor(index / 5)).padStart(3, "0")}Z` }),
        );
      }
      const pages = await pagesOf(inventory, { limit: 10 });
      expect(pages.map((page) => page.length)).toEqual([10, 10, 5]);
      expect(pages.flat()).toEqual(runs.toReversed());
      await expect(inventory.listRuns({ limit: 1, cursor: "x" })).rejects.toMatchObject({ code: "invalid-cursor" });
    });

    it("filters by project, stage and states together", async () => {
      const { inventory } = await open();
      await inventory.recordRequest(runRecord("a", { stage: "ingest", state: "succeeded" }));
      await inventory.recordRequest(runRecord("b", { stage: "staging", state: "failed" }));
      await inventory.recordRequest(runRecord("c", { stage: "staging", state: "executing" }));
      await inventory.recordRequest(runRecord("d", { stage: "staging", state: "failed", project: "outro" }));
      const listed = async (filter: Partial<Parameters<Inventory["listRuns"]>[0]>) =>
        (await inventory.listRuns({ limit: 10, ...filter })).items.map(({ run }) => run);
      expect(await listed({ project: PROJECT, stage: "staging" })).toEqual(["c", "b"]);
      expect(await listed({ states: ["failed", "succeeded"] })).toEqual(["d", "b", "a"]);
      expect(await listed({ project: PROJECT, stage: "staging", states: ["failed"] })).toEqual(["b"]);
      expect(await listed({ states: [] })).toEqual([]);
    });

    it("knows the newest success of a stage, and counts nothing else as one", async () => {
      const { inventory } = await open();
      expect(await inventory.lastSuccess(PROJECT, "ingest")).toBeUndefined();
      const at = (second: number) => `2026-11-24T12:00:0${second}.000Z`;
      await inventory.recordRequest(runRecord("a", { state: "succeeded", requestedAt: at(1) }));
      await inventory.recordRequest(runRecord("b", { state: "succeeded", requestedAt: at(2) }));
      await inventory.recordRequest(runRecord("c", { state: "unchanged", requestedAt: at(3) }));
      await inventory.recordRequest(runRecord("d", { state: "succeeded", requestedAt: at(4), stage: "staging" }));
      await inventory.recordRequest(runRecord("e", { state: "succeeded", requestedAt: at(5), project: "outro" }));
      expect((await inventory.lastSuccess(PROJECT, "ingest"))?.run).toBe("b");
    });

    it("lists each project once, ordered, and none that was only asked for", async () => {
      const { inventory } = await open();
      for (const project of ["voos", "aves", "voos"]) await inventory.ensureProject(project);
      await inventory.recordRequest(runRecord("r1", { project: "engano" }));
      expect(await inventory.projects()).toEqual(["aves", "voos"]);
    });
  });
}

async function pagesOf(inventory: Inventory, filter: { readonly limit: number }): Promise<string[][]> {
  const pages: string[][] = [];
  let cursor: string | undefined;
  do {
    const page = await inventory.listRuns({ ...filter, ...(cursor === undefined ? {} : { cursor }) });
    pages.push(page.items.map(({ run }) => run));
    cursor = page.cursor;
  } while (cursor !== undefined);
  return pages;
}
