/** Google Drive fails at every fifth request, MongoDB is away for a whole pipeline, both are cut off and revoked in the middle of a run. */
import { writeFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ServiceKey } from "../../support/drive-server/credentials.ts";
import { describeWithPython } from "../../support/python.ts";
import { SERVICE_ACCOUNT } from "../../support/real-stores.ts";
import type { Trap } from "../../support/proxy.ts";
import { type FaultWorld, hasFaultWorld, openFaultWorld } from "./world.ts";

const SETUP_MS = 300_000;
const OTHER_PASSWORD = "outra-senha-do-diario";
const SECOND_PART = "partNumber=2&";
const DOWNLOAD = "alt=media";
const SEED = 7;

describeWithPython("servers that a run can wait for", () => {
  describe.skipIf(!hasFaultWorld)("a run whose", () => {
    let world: FaultWorld;

    beforeAll(async () => {
      world = await openFaultWorld({ projects: ["log_away", "log_cut", "log_revoked", "drive_shaky", "drive_cut", "drive_revoked"] });
      await world.undisturbed("deploy");
    }, SETUP_MS);

    afterAll(() => world?.close(), SETUP_MS);

    const caughtIn = async (project: string, stage: "capture" | "ingest", trap: Trap) => {
      const run = await world.start(project, stage);
      await world.caught(trap, run);
      return run;
    };

    /** A run that finds nothing to do says so in its log, which one that succeeds need not. */
    const talkativeRun = async (project: string) => {
      const run = await world.start(project, "ingest");
      expect(await world.endOf(run)).toMatchObject({ state: "unchanged" });
      return run;
    };

    it("log is away from capture to deployment succeeds, and is delivered later", async () => {
      await world.stores.logServer.kill();
      const runs = await world.host.startRun("all", { project: "log_away" });
      for (const run of runs) expect(await world.endOf(run)).toMatchObject({ state: "succeeded" });
      await world.stores.logServer.restart();
      await world.expectUndisturbed("log_away", "deploy");
      await world.expectLogDelivered(runs);
    });

    it("log is cut off for a while succeeds meanwhile, and is delivered later", async () => {
      const { objects, runLog } = world.network;
      await world.succeed("log_cut", "capture");
      const trap = objects.trap(SECOND_PART);
      const run = await caughtIn("log_cut", "ingest", trap);
      runLog.close();
      runLog.cut();
      trap.release();
      expect(await world.endOf(run)).toMatchObject({ state: "succeeded" });
      const again = await talkativeRun("log_cut");
      runLog.open();
      await world.expectUndisturbed("log_cut", "ingest");
      await world.expectLogDelivered([run, again]);
    });

    it("log changes its password succeeds, and is delivered once the host has the new one", async () => {
      const { objects } = world.network;
      await world.succeed("log_revoked", "capture");
      const trap = objects.trap(SECOND_PART);
      const run = await caughtIn("log_revoked", "ingest", trap);
      world.stores.logServer.setPassword(OTHER_PASSWORD);
      trap.release();
      expect(await world.endOf(run)).toMatchObject({ state: "succeeded" });
      const again = await talkativeRun("log_revoked");
      writeFileSync(world.secrets.runLog, OTHER_PASSWORD);
      await world.host.stop();
      await world.openHost();
      await world.expectUndisturbed("log_revoked", "ingest");
      await world.expectLogDelivered([run, again]);
    });

    it("Drive fails at a fifth of the requests succeeds", async () => {
      const shaky = world.stores.driveServer.faults.failRandomly(0.2, SEED);
      try {
        await world.succeed("drive_shaky", "capture");
      } finally {
        shaky.remove();
      }
      expect(shaky.hits).toBeGreaterThan(4);
      await world.expectUndisturbed("drive_shaky", "capture");
    });

    it("Drive cannot be reached for a while in mid-download succeeds", async () => {
      const { drive } = world.network;
      const run = await caughtIn("drive_cut", "capture", drive.trap(DOWNLOAD, { skip: 1 }));
      drive.close();
      drive.cut();
      await delay(1_500);
      drive.open();
      expect(await world.endOf(run)).toMatchObject({ state: "succeeded" });
      await world.expectUndisturbed("drive_cut", "capture");
    });

    it("Drive takes its key back in mid-download fails clearly, and the next one succeeds with the key given again", async () => {
      const { credentials } = world.stores.driveServer;
      const { serviceKeys } = credentials;
      const key = serviceKeys.get(SERVICE_ACCOUNT) as ServiceKey;
      const trap = world.network.drive.trap(DOWNLOAD, { skip: 1 });
      const run = await caughtIn("drive_revoked", "capture", trap);
      serviceKeys.delete(SERVICE_ACCOUNT);
      credentials.expireAccessTokens();
      trap.release();
      expect(await world.endOf(run)).toMatchObject({
        state: "failed",
        error: { kind: "precondition", code: "drive-signed-out", message: expect.stringContaining(SERVICE_ACCOUNT) },
      });
      serviceKeys.set(SERVICE_ACCOUNT, key);
      expect(await world.run("drive_revoked", "capture")).toMatchObject({ state: "succeeded" });
      await world.expectUndisturbed("drive_revoked", "capture");
    });

    it("servers failed leaves nothing that disagrees", async () => {
      expect((await world.host.verify()).problems).toEqual([]);
    });
  });
});
