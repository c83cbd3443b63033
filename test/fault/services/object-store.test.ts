/** MinIO dies, the network to it fails, its user is revoked, in the middle of an upload: nothing is lost, doubled or left behind. */
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FaultWorld, hasFaultWorld, LARGE_FILE, openFaultWorld } from "./world.ts";

const SETUP_MS = 300_000;
const SECOND_PART = "partNumber=2&";

describe.skipIf(!hasFaultWorld)("a run whose object store", () => {
  let world: FaultWorld;

  beforeAll(async () => {
    world = await openFaultWorld({ projects: ["killed", "cut", "unheard", "host_killed", "revoked"] });
    await world.undisturbed("ingest");
  }, SETUP_MS);

  afterAll(() => world?.close(), SETUP_MS);

  /** Ingests a project until the network stands still at a request about its large file. */
  const ingestUntil = async (project: string, text: string, holds: "request" | "answer" = "request") => {
    await world.succeed(project, "capture");
    const trap = world.network.objects.trap(text, { after: `/raw-data/${project}/${LARGE_FILE}`, holds });
    const run = await world.start(project, "ingest");
    await world.caught(trap, run);
    return { trap, run };
  };

  it("is killed in mid-upload and started again succeeds", async () => {
    const { trap, run } = await ingestUntil("killed", SECOND_PART);
    await world.stores.objectServer.kill();
    trap.cut();
    await world.stores.objectServer.restart();
    expect(await world.endOf(run)).toMatchObject({ state: "succeeded" });
    await world.expectUndisturbed("killed", "ingest");
  });

  it("cannot be reached for a while in mid-upload succeeds", async () => {
    const { network } = world;
    const { run } = await ingestUntil("cut", SECOND_PART);
    network.objects.close();
    network.objects.cut();
    await delay(1_500);
    network.objects.open();
    expect(await world.endOf(run)).toMatchObject({ state: "succeeded" });
    expect(network.objects.cuts).toBeGreaterThan(1);
    await world.expectUndisturbed("cut", "ingest");
  });

  it("completes an upload without being heard knows its own version again", async () => {
    const { trap, run } = await ingestUntil("unheard", `/raw-data/unheard/${LARGE_FILE}?uploadId=`, "answer");
    const objects = world.stores.openObjects();
    await expect.poll(() => objects.head("raw-data", `unheard/${LARGE_FILE}`), { timeout: 30_000 }).toBeDefined();
    trap.cut();
    expect(await world.endOf(run)).toMatchObject({ state: "succeeded" });
    await world.expectUndisturbed("unheard", "ingest");
  });

  it("is left by a killed host in mid-upload succeeds after the next start", async () => {
    const { trap, run } = await ingestUntil("host_killed", SECOND_PART);
    await world.host.kill();
    trap.cut();
    await world.openHost();
    expect(await world.endOf(run)).toMatchObject({ state: "succeeded" });
    await world.expectUndisturbed("host_killed", "ingest");
  });

  it("revokes its user in mid-upload fails clearly, and leaves nothing once that is undone", async () => {
    const { trap, run } = await ingestUntil("revoked", SECOND_PART);
    await world.objectUser.disable();
    trap.release();
    expect(await world.endOf(run)).toMatchObject({
      state: "failed",
      error: { kind: "precondition", code: "store-refused", todo: expect.stringContaining("EDA_S3_SECRET_KEY") },
    });
    await world.objectUser.enable();
    await world.recover();
    await world.expectNoIncompleteUploads("revoked");
    expect(await world.run("revoked", "ingest")).toMatchObject({ state: "succeeded" });
    await world.expectUndisturbed("revoked", "ingest");
  });

  it("leaves nothing that disagrees", async () => {
    expect((await world.host.verify()).problems).toEqual([]);
  });
});
