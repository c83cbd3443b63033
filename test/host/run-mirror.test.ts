/** Runs on the real inventory, mirrored to MongoDB's protocol. */
import pino from "pino";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { executionDocument } from "../../src/adapters/mongodb/documents.ts";
import type { RunRecord } from "../../src/domain/run.ts";
import { createRunBoard } from "../../src/host/run-board.ts";
import { mirrorRuns, type RunMirroring } from "../../src/host/run-mirror.ts";
import { captureStage } from "../../src/pipeline/stages/capture.ts";
import type { RunMirror } from "../../src/ports/run-mirror.ts";
import { type LogWorld, logWorld } from "../support/mongo-run-log.ts";
import { runRecord } from "../support/publications.ts";
import { mongoProgram } from "../support/servers/mongo.ts";
import { openTestServices, type TestServices } from "../support/services.ts";
import { createWorkspace, type TestWorkspace } from "../support/workspace.ts";

const logger = pino({ enabled: false });

describe.skipIf(mongoProgram === undefined)("the mirror of runs", () => {
  let workspace: TestWorkspace;
  let test: TestServices;

  beforeAll(async () => {
    workspace = createWorkspace("mirror");
    test = await openTestServices(workspace);
  });
  afterAll(async () => {
    await test.close();
    workspace.remove();
  });

  const mirroring = (mirror: RunMirror): RunMirroring => {
    const opened = mirrorRuns(test.services.inventory, mirror, logger);
    onTestFinished(() => opened.stop());
    return opened;
  };
  const run = ({ inventory }: RunMirroring) => test.run(captureStage, { force: true, services: { ...test.services, inventory } });

  it("ends with the record of the inventory", async () => {
    const world = await logWorld();
    const runs = mirroring(await world.open());
    const record = await run(runs);
    await runs.stop();
    expect(record.state).toBe("succeeded");
    expect(await world.stored("execucoes")).toEqual([executionDocument(record)]);
  });

  it("lets a run succeed while MongoDB is away, and tells of it when it is back", async () => {
    const world = await logWorld();
    const log = await world.open();
    await world.server.kill();
    const runs = mirroring(log);
    const record = await run(runs);
    await runs.stop();
    expect(record.state).toBe("succeeded");
    await world.server.restart();
    await vi.waitFor(() => expect(log.condition().waitingBytes).toBe(0), { timeout: 60_000 });
    expect(await executionOf(world, record)).toEqual(executionDocument(record));
  });

  it("tells the recent runs again at the start: a killed host may not have", async () => {
    const world = await logWorld();
    const record = await test.run(captureStage, { force: true });
    const runs = mirroring(await world.open());
    runs.start(createRunBoard(test.services.runLog, logger));
    await runs.stop();
    expect(await executionOf(world, record)).toEqual(executionDocument(record));
  });

  it("tells where the runs on the board are", async () => {
    const world = await logWorld();
    const log = await world.open();
    const board = createRunBoard(log, logger);
    const { run: id } = runRecord("20261124-120000-abcdef");
    const observer = await board.open(id, "ingest", "planning");
    observer.state("executing");
    observer.progress({ done: 2, total: 5, unit: "files", label: "pedidos.csv" });
    const runs = mirroring(log);
    runs.start(board);
    await vi.waitFor(
      async () => expect(await world.stored("estados")).toEqual([expect.objectContaining({ _id: id, estado: "executing", feitas: 2 })]),
      { timeout: 30_000, interval: 500 },
    );
  });

  it("never fails a run", async () => {
    const refusing = { recordExecutions: () => Promise.reject(new Error("no")), recordPosition: () => Promise.reject(new Error("no")) };
    const record = await run(mirroring(refusing));
    expect(record.state).toBe("succeeded");
  });
});

async function executionOf(world: LogWorld, { run }: RunRecord): Promise<unknown> {
  return (await world.stored("execucoes")).find(({ _id }) => String(_id) === run);
}
