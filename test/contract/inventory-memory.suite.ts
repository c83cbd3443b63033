import { describe, expect, it } from "vitest";
import type { Inventory, Publication } from "../../src/ports/inventory.ts";
import { capturedFile, jobRecord, PROJECT, publication, runRecord, sha256Of, statCacheEntry } from "../support/publications.ts";
import type { OpenInventory } from "./inventory.suite.ts";

/** NFC, NFD, spaces, quotes and what has a meaning in array literals. */
const NAMES = ["ação.csv", "ação.csv".normalize("NFD"), "a, b.csv", '"aspas" {x}\\.csv', "NULL", "日本/✈ .parquet"];

export function inventoryMemoryContract(open: OpenInventory): void {
  describe("what stages remember", () => {
    it("keeps captured files under their Drive ids, whatever the names are", async () => {
      const { inventory } = await open();
      const captured = NAMES.map((name, index) =>
        capturedFile("r1", name, { owner: index === 0 ? "ana@example.com" : null, path: `p/${name}` }),
      );
      await publish(inventory, "r1", { captured });
      expect(await inventory.captured(PROJECT)).toEqual(new Map(captured.map((file) => [file.driveId, file])));
      expect(await inventory.captured("outro")).toEqual(new Map());
    });

    it("replaces what it knew of a Drive file, and keeps the others", async () => {
      const { inventory } = await open();
      await publish(inventory, "r1", { captured: [capturedFile("r1", "a"), capturedFile("r1", "b")] });
      const newer = capturedFile("r2", "a", { driveVersion: "2", path: "novo/a", sha256: sha256Of("2"), driveName: "novo" });
      await publish(inventory, "r2", { captured: [newer] });
      const captured = await inventory.captured(PROJECT);
      expect(captured.get("a")).toEqual(newer);
      expect(captured.get("b")?.run).toBe("r1");
    });

    it("takes a Drive id and an asset longer than an index entry can be", async () => {
      const { inventory } = await open();
      const long = Array.from({ length: 4_000 }, (_, index) => sha256Of(String(index)).charAt(0)).join("");
      await publish(inventory, "r1", {
        captured: [capturedFile("r1", long)],
        edges: [{ from: `drive:${long}@1`, to: `local:${long}@2`, run: "r1" }],
      });
      expect((await inventory.captured(PROJECT)).has(long)).toBe(true);
      expect((await inventory.lineage(`local:${long}@2`)).edges).toHaveLength(1);
    });

    it("keeps the stat cache exactly: nanoseconds, 64-bit inodes, any name", async () => {
      const { inventory } = await open();
      const entries = NAMES.map((name, index) =>
        statCacheEntry(name, { size: index === 0 ? 0 : 2 ** 52, mtimeNs: `${index}999999999999999999` }),
      );
      await publish(inventory, "r1", { statCache: entries });
      expect(await inventory.statCache(PROJECT)).toEqual(new Map(entries.map((entry) => [entry.path, entry])));
    });

    it("replaces a file's entry in the stat cache, of this project only", async () => {
      const { inventory } = await open();
      await publish(inventory, "r1", { statCache: [statCacheEntry("a"), statCacheEntry("b")] });
      await publish(inventory, "r2", { project: "outro", statCache: [statCacheEntry("a", { inode: "7" })] });
      await publish(inventory, "r3", { statCache: [statCacheEntry("a", { inode: "8" })] });
      const inodes = async (project: string) =>
        [...(await inventory.statCache(project)).values()].map(({ path, inode }) => `${path} ${inode}`).toSorted();
      expect(await inodes(PROJECT)).toEqual(["a 8", "b 18446744073709551615"]);
      expect(await inodes("outro")).toEqual(["a 7"]);
    });

    it("gives a job back as it was, and lists the newest first", async () => {
      const { inventory } = await open();
      const old = jobRecord("r1", "job-1", { parameters: { texto: "a\u0000b" } });
      const recent = jobRecord("r2", "job-2", {
        project: "outro",
        startedAt: "2026-11-25T00:00:00.000Z",
        finishedAt: null,
        state: "running",
      });
      await publish(inventory, "r1", { job: old });
      await publish(inventory, "r2", { job: recent, project: "outro" });
      expect(await inventory.job("job-1")).toEqual(old);
      expect(await inventory.job("job-3")).toBeUndefined();
      expect((await inventory.jobs()).map(({ job }) => job)).toEqual(["job-2", "job-1"]);
      expect(await inventory.jobs(PROJECT)).toEqual([old]);
      await publish(inventory, "r3", { job: { ...recent, run: "r3", state: "succeeded" } });
      expect(await inventory.job("job-2")).toMatchObject({ state: "succeeded", run: "r3" });
    });
  });
}

async function publish(inventory: Inventory, run: string, more: Partial<Publication>): Promise<void> {
  await inventory.recordRequest(runRecord(run));
  await inventory.publish(publication(run, more));
}
