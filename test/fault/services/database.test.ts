/** PostgreSQL is restarted, crashes, is cut off, changes its password, while it takes in the results of a run. */
import { writeFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FaultWorld, hasFaultWorld, openFaultWorld } from "./world.ts";

const SETUP_MS = 300_000;
const OTHER_PASSWORD = "outra-senha-do-banco";

describe.skipIf(!hasFaultWorld)("a run whose database", () => {
  let world: FaultWorld;

  beforeAll(async () => {
    world = await openFaultWorld({ projects: ["restarted", "crashed", "cut", "revoked"] });
    await world.undisturbed("ingest");
  }, SETUP_MS);

  afterAll(() => world?.close(), SETUP_MS);

  /** Ingests a project until the network stands still at the COMMIT of its publication. */
  const ingestUntilCommit = async (project: string, holds: "request" | "answer") => {
    await world.succeed(project, "capture");
    const trap = world.network.database.trap("COMMIT", { after: "INSERT INTO auditoria", holds });
    const run = await world.start(project, "ingest");
    await world.caught(trap, run);
    return { trap, run };
  };

  const isPublished = async (run: string) =>
    (await world.sql(`SELECT 1 FROM auditoria WHERE evento = 'run.published' AND execucao = '${run}'`)).length > 0;

  it("is restarted before it has committed a publication succeeds", async () => {
    const { trap, run } = await ingestUntilCommit("restarted", "request");
    expect(await isPublished(run)).toBe(false);
    await world.stores.databaseServer.restart("fast");
    trap.cut();
    expect(await world.endOf(run)).toMatchObject({ state: "succeeded" });
    await world.expectUndisturbed("restarted", "ingest");
  });

  it("crashes after it has committed a publication, unheard, publishes it once", async () => {
    const { trap, run } = await ingestUntilCommit("crashed", "answer");
    await expect.poll(() => isPublished(run)).toBe(true);
    await world.stores.databaseServer.restart("immediate");
    trap.cut();
    expect(await world.endOf(run)).toMatchObject({ state: "succeeded" });
    await world.expectUndisturbed("crashed", "ingest");
  });

  it("cannot be reached for a while in mid-publication succeeds", async () => {
    const { network } = world;
    const { run } = await ingestUntilCommit("cut", "request");
    network.database.close();
    network.database.cut();
    await delay(2_000);
    network.database.open();
    expect(await world.endOf(run)).toMatchObject({ state: "succeeded" });
    await world.expectUndisturbed("cut", "ingest");
  });

  it("changes its password in mid-publication ends the host, which says so and goes on with the new one", async () => {
    const { trap, run } = await ingestUntilCommit("revoked", "request");
    await world.sql(`ALTER ROLE servico PASSWORD '${OTHER_PASSWORD}'`);
    await world.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'servico'");
    trap.cut();
    await world.host.gone;
    expect(await isPublished(run)).toBe(false);
    const failure = await world.openHost().then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({ kind: "precondition", code: "database-refused" });

    writeFileSync(world.secrets.database, OTHER_PASSWORD);
    await world.openHost();
    expect(await world.endOf(run)).toMatchObject({ state: "succeeded" });
    await world.expectUndisturbed("revoked", "ingest");
  });

  it("leaves nothing that disagrees", async () => {
    expect((await world.host.verify()).problems).toEqual([]);
  });
});
