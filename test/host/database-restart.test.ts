/** The database restarted under a host at work: the run goes on in the same process, and nothing of it is lost or written twice. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { openPool } from "../../src/adapters/postgres/pool.ts";
import { waitingFor } from "../support/database-waits.ts";
import { openTestHost, type TestHost } from "../support/host.ts";
import { embeddedPrograms, type InstalledServer, installedPrograms, startInstalledServer } from "../support/postgres.ts";
import { createWorkspace, type TestWorkspace } from "../support/workspace.ts";

const FILES = 600;

describe("a host whose database is restarted", () => {
  let server: InstalledServer;
  beforeAll(async () => {
    server = await startInstalledServer(installedPrograms() ?? (await embeddedPrograms()));
  });
  afterAll(() => server?.stop());

  const open = async (): Promise<{ readonly workspace: TestWorkspace; readonly host: TestHost; readonly url: string }> => {
    const url = await server.createDatabase();
    const workspace = createWorkspace("restart");
    const folder = join(workspace.folder, "eda", "raw-data", "lojas");
    mkdirSync(folder, { recursive: true });
    for (let index = 0; index < FILES; index += 1) writeFileSync(join(folder, `${index}.csv`), `linha;${index}\n`);
    const host = await openTestHost(workspace.folder, { env: { EDA_DATABASE_URL: url } });
    onTestFinished(async () => {
      await host.stop();
      workspace.remove();
    });
    return { workspace, host, url };
  };

  const outcome = async (url: string, run: string) => {
    const pool = openPool(url);
    const one = async (sql: string) => (await pool.query<{ readonly n: number }>(sql, [run])).rows[0]?.n;
    try {
      return {
        rows: await one("SELECT count(*) AS n FROM inventario_dados WHERE execucao = $1"),
        names: await one("SELECT count(DISTINCT nome) AS n FROM inventario_dados WHERE execucao = $1 AND vigente"),
        edges: await one("SELECT count(*) AS n FROM linhagem WHERE execucao = $1"),
        published: await one("SELECT count(*) AS n FROM auditoria WHERE execucao = $1 AND evento = 'run.published'"),
        entries: await one("SELECT count(*) AS n FROM auditoria WHERE execucao = $1"),
      };
    } finally {
      await pool.end();
    }
  };
  const ONCE = { rows: FILES, names: FILES, edges: FILES, published: 1, entries: 1 };

  it.each([
    ["fast", 0],
    // Longer than a step is tried again: it is the statement that waits.
    ["immediate", 20_000],
  ] as const)("in the middle of a publication (%s, away for %i ms) publishes once", async (how, downMs) => {
    const { workspace, host, url } = await open();
    const pool = openPool(url);
    const holder = await pool.connect();
    // All of the publication is written but its entry in the audit chain.
    await holder.query("BEGIN; LOCK TABLE auditoria IN EXCLUSIVE MODE");
    const [run] = (await host.startRun("ingest")) as [string];
    const ended = host.endOf(run);
    await waitingFor(pool);
    holder.on("error", () => undefined);
    await server.restart(how, downMs);
    holder.release(true);
    await pool.end();
    expect(await ended).toMatchObject({ state: "succeeded" });
    expect(await outcome(url, run)).toEqual(ONCE);
    expect((await host.verify()).problems).toEqual([]);
    expect(workspace.status()).toEqual([]);
  });

  it("at each state of a run, ends that run as if nothing had been", async () => {
    const { workspace, host, url } = await open();
    const [run] = (await host.startRun("ingest")) as [string];
    const states: string[] = [];
    let restarts = Promise.resolve();
    const summary = await host.endOf(run, (event) => {
      if (event.type !== "state" || states.includes(event.state)) return;
      states.push(event.state);
      restarts = restarts.then(() => server.restart(states.length % 2 === 0 ? "fast" : "immediate"));
    });
    await restarts;
    expect(states.length).toBeGreaterThan(2);
    expect(summary).toMatchObject({ state: "succeeded" });
    expect(await outcome(url, run)).toEqual(ONCE);
    expect((await host.verify()).problems).toEqual([]);
    expect(await host.run("ingest")).toMatchObject({ state: "unchanged" });
    expect(workspace.status()).toEqual([]);
  });
});
