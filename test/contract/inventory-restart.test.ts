/** The server restarted under the inventory at work, in order and as in a crash. */
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { openInventory } from "../../src/adapters/postgres/inventory.ts";
import { openPool } from "../../src/adapters/postgres/pool.ts";
import { APP_ROLE } from "../../src/adapters/postgres/roles.ts";
import { openRunLog } from "../../src/adapters/postgres/run-log.ts";
import { brokenLink, GENESIS_HASH } from "../../src/domain/audit.ts";
import { collect } from "../support/collect.ts";
import { failureOf } from "../support/database-waits.ts";
import { embeddedPrograms, installedPrograms, type InstalledServer, MIGRATIONS, startInstalledServer } from "../support/postgres.ts";
import { AT, auditContent, inventoryRow, PROJECT, publication, runRecord } from "../support/publications.ts";

const ROWS = 20_000;
const installed = installedPrograms();

describe.each([
  ["the embedded PostgreSQL's programs", embeddedPrograms],
  ["installed PostgreSQL", installed === undefined ? undefined : async () => installed],
] as const)("%s", (_, programs) => {
  describe.skipIf(programs === undefined)("restarted", () => {
    let server: InstalledServer;
    beforeAll(async () => {
      server = await startInstalledServer(await (programs as () => Promise<string>)());
    });
    afterAll(() => server?.stop());

    const open = async (patienceMs?: number) => {
      const pool = openPool(await server.createDatabase(), { role: APP_ROLE });
      onTestFinished(() => pool.end());
      const options = patienceMs === undefined ? {} : { patienceMs };
      const inventory = openInventory(pool, MIGRATIONS, options);
      await inventory.migrate();
      return { inventory, runLog: openRunLog(pool, options) };
    };

    it.each(["fast", "immediate"] as const)("in the middle of a publication (%s), it has every row once", async (how) => {
      const { inventory } = await open();
      await inventory.recordRequest(runRecord("r1"));
      let begun: () => void = () => undefined;
      const isBegun = new Promise<void>((resolve) => {
        begun = resolve;
      });
      let readings = 0;
      const rows = {
        async *[Symbol.asyncIterator]() {
          readings += 1;
          for (let index = 0; index < ROWS; index += 1) {
            // A project without rows is written in the first pass.
            if (readings === 1 && index === ROWS / 2) {
              begun();
              await delay(500);
            }
            yield inventoryRow("r1", `${index}`.padStart(6, "0"));
          }
        },
      };
      const publishing = inventory.publish(publication("r1", { rows }));
      await isBegun;
      await server.restart(how);
      const head = await publishing;
      expect(readings).toBeGreaterThan(1);
      expect(await inventory.auditHead()).toEqual(head);
      expect(head.sequence).toBe(1);
      expect(await collect(inventory.allRows(), ({ name, current }) => (current ? name : ""))).toHaveLength(ROWS);
      expect(new Set(await collect(inventory.currentRows("raw", PROJECT), ({ name }) => name)).size).toBe(ROWS);
    });

    it.each(["fast", "immediate"] as const)(
      "again and again (%s) under everything that a run does, nothing is lost or doubled",
      async (how) => {
        const { inventory, runLog } = await open();
        let restarting = true;
        const restarts = (async () => {
          for (let times = 0; times < 3; times += 1) {
            await delay(300);
            await server.restart(how);
          }
          restarting = false;
        })();
        const runs: string[] = [];
        let lines = 0;
        for (let index = 0; restarting || index < 20; index += 1) {
          const run = `r${index}`;
          runs.push(run);
          await inventory.ensureProject(PROJECT);
          await inventory.recordRequest(runRecord(run));
          await runLog.append([{ run, sequence: 1, at: AT, level: "info", message: "linha" }]);
          await inventory.publish(publication(run, { rows: [inventoryRow(run, run), inventoryRow(run, "comum", `comum de ${run}`)] }));
          await inventory.appendAudit(auditContent(run, { event: "run.failed" }));
          await inventory.updateRun(run, { state: "succeeded", details: { index } });
          lines += (await runLog.read(run, 0, 10)).length;
        }
        await restarts;
        expect(lines).toBe(runs.length);
        expect(await collect(inventory.currentRows("raw", PROJECT), ({ name }) => name)).toEqual(["comum", ...runs].toSorted());
        expect((await collect(inventory.allRows(), ({ name }) => name)).filter((name) => name === "comum")).toHaveLength(runs.length);
        let previous = { sequence: 0, hash: GENESIS_HASH };
        const events: (string | null)[] = [];
        for await (const entry of inventory.audit()) {
          expect(brokenLink(entry, previous)).toBeUndefined();
          previous = entry;
          events.push(`${entry.run} ${entry.event}`);
        }
        expect(events).toEqual(runs.flatMap((run) => [`${run} run.published`, `${run} run.failed`]));
      },
    );

    it("is unavailable to whoever does not wait, and there again without anything being opened anew", async () => {
      const { inventory } = await open(0);
      const restarted = server.restart("fast");
      await expect
        .poll(() => failureOf(inventory.auditHead()), { interval: 1, timeout: 30_000 })
        .toMatchObject({ kind: "unavailable", code: "database-away" });
      await restarted;
      expect((await inventory.auditHead()).sequence).toBe(0);
    });
  });
});
