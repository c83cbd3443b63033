/**
 * The disk is full where a run writes next: what is captured, the note of an upload, what is read for a table, a commit, the log; then the
 * object store's own disk, and the database's. Each run fails and says so, or is completed by recovery, and the host lives on.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { StageId } from "../../../src/domain/stage.ts";
import type { Trap } from "../../support/proxy.ts";
import { canMount, openSmallDisk, type SmallDisk } from "../../support/small-disk.ts";
import { type FaultWorld, hasFaultWorld, LARGE_FILE, openFaultWorld } from "./world.ts";

const SETUP_MS = 300_000;
const MEBIBYTE = 1024;
const DISK_FULL = { state: "failed", error: { code: "disk-full" } };

describe.skipIf(!hasFaultWorld || !canMount)("a disk that is full", () => {
  let world: FaultWorld;
  const disks: SmallDisk[] = [];
  let [ofWorkspace, ofObjects, ofDatabase]: SmallDisk[] = [];

  beforeAll(async () => {
    disks.push(openSmallDisk(400 * MEBIBYTE), openSmallDisk(400 * MEBIBYTE), openSmallDisk(64 * MEBIBYTE));
    [ofWorkspace, ofObjects, ofDatabase] = disks;
    world = await openFaultWorld({
      projects: ["capturing", "noting", "reading", "before", "after", "logging", "storing", "registering"],
      folders: { workspace: folderOf(ofWorkspace), objects: folderOf(ofObjects), database: folderOf(ofDatabase) },
    });
    await world.undisturbed("staging");
  }, SETUP_MS);

  afterAll(async () => {
    await world?.close();
    for (const disk of disks) disk.remove();
  }, SETUP_MS);

  /** Runs a stage until the trap, fills the disk there, waits for the end, and frees it. */
  const runOnFullDisk = async (project: string, stage: StageId, disk: SmallDisk | undefined, trap?: Trap) => {
    const run = trap === undefined ? undefined : await world.start(project, stage);
    if (trap !== undefined) await world.caught(trap, run as string);
    disk?.fill();
    try {
      trap?.release();
      return await world.endOf(run ?? (await world.start(project, stage)));
    } finally {
      disk?.free();
    }
  };

  const succeedsNow = async (project: string, stage: StageId) => {
    await world.recover();
    const summary = await world.run(project, stage);
    expect(summary, JSON.stringify(summary.error)).toMatchObject({ state: "succeeded" });
    await world.expectUndisturbed(project, stage);
  };

  it("for what is captured", async () => {
    const trap = world.network.drive.trap("alt=media");
    expect(await runOnFullDisk("capturing", "capture", ofWorkspace, trap)).toMatchObject(DISK_FULL);
    await succeedsNow("capturing", "capture");
  });

  it("for the note of an upload", async () => {
    await world.succeed("noting", "capture");
    const trap = world.network.objects.trap(`HEAD /raw-data/noting/${LARGE_FILE}`);
    expect(await runOnFullDisk("noting", "ingest", ofWorkspace, trap)).toMatchObject(DISK_FULL);
    await succeedsNow("noting", "ingest");
  });

  it("for what a table is read from", async () => {
    await world.succeed("reading", "ingest");
    const trap = world.network.objects.trap("GET /raw-data/reading/");
    expect(await runOnFullDisk("reading", "staging", ofWorkspace, trap)).toMatchObject(DISK_FULL);
    await succeedsNow("reading", "staging");
  });

  it("for the commit before a run", async () => {
    await world.succeed("before", "capture");
    expect(await runOnFullDisk("before", "ingest", ofWorkspace)).toMatchObject({ state: "failed" });
    await succeedsNow("before", "ingest");
  });

  it("for the commit after a publication, which recovery makes", async () => {
    await world.succeed("after", "capture");
    const trap = world.network.database.trap("COMMIT", { after: "INSERT INTO auditoria" });
    expect(await runOnFullDisk("after", "ingest", ofWorkspace, trap)).toMatchObject({
      state: "failed",
      error: { code: "after-commit-pending" },
    });
    expect((await world.recover()).join("\n")).toContain("completed as succeeded");
    await world.expectUndisturbed("after", "ingest");
  });

  it("for the log, while its server is away", async () => {
    await world.succeed("logging", "capture");
    await world.stores.logServer.kill();
    const trap = world.network.objects.trap(`HEAD /raw-data/logging/${LARGE_FILE}`);
    const { pid } = world.host.status;
    const failed = await runOnFullDisk("logging", "ingest", ofWorkspace, trap);
    expect(failed).toMatchObject(DISK_FULL);
    await world.stores.logServer.restart();
    expect(world.host.status.pid).toBe(pid);
    await succeedsNow("logging", "ingest");
    await world.expectLogDelivered([failed.runId]);
  });

  it("for objects", async () => {
    await world.succeed("storing", "capture");
    const trap = world.network.objects.trap("partNumber=2&");
    expect(await runOnFullDisk("storing", "ingest", ofObjects, trap)).toMatchObject(DISK_FULL);
    // The server looks at its disk now and then.
    await expect.poll(async () => (await world.run("storing", "ingest")).state, { timeout: 30_000 }).toBe("succeeded");
    await world.recover();
    await world.expectUndisturbed("storing", "ingest");
  });

  it("for what the database registers", async () => {
    await world.succeed("registering", "capture");
    const trap = world.network.database.trap("INSERT INTO linhagem");
    const run = await world.start("registering", "ingest");
    await world.caught(trap, run);
    ofDatabase?.fill();
    trap.release();
    const end = world.endOf(run);
    let hasEnded = false;
    void end.finally(() => (hasEnded = true)).catch(() => undefined);
    // Where its failure too is more than the disk takes, the run waits for space to record it.
    const hostLog = () => readFileSync(join(world.workspace.folder, ".eda", "logs", "host.log"), "utf8");
    await expect.poll(() => hasEnded || hostLog().includes("could not extend file"), { timeout: 60_000 }).toBe(true);
    ofDatabase?.free();
    expect(await end).toMatchObject(DISK_FULL);
    await succeedsNow("registering", "ingest");
    await world.expectUndisturbed("registering", "ingest");
  });

  it("leaves nothing that disagrees", async () => {
    expect((await world.host.verify()).problems).toEqual([]);
  });
});

function folderOf(disk: SmallDisk | undefined): string {
  if (disk === undefined) throw new Error("the disk is not there yet");
  return disk.folder;
}
