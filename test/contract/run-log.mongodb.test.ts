import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { type MongoRunLog, openMongoRunLog } from "../../src/adapters/mongodb/run-log.ts";
import { makeCertificates } from "../support/certificates.ts";
import { temporaryFolder } from "../support/folders.ts";
import { linesOf } from "../support/log-lines.ts";
import { logWorld } from "../support/mongo-run-log.ts";
import { runRecord } from "../support/publications.ts";
import { type MongoAccess, type MongoServer, mongoProgram, newDatabaseName, startMongo } from "../support/servers/mongo.ts";
import { runLogContract } from "./run-log.suite.ts";

const RUN = "20261124-120000-abcdef";
const configured = process.env["EDA_TEST_MONGODB_URI"];

describe.skipIf(mongoProgram === undefined)("MongoDB's protocol", () => {
  let server: MongoServer | undefined;
  afterAll(() => server?.stop());
  contract("MongoDB's protocol", async () => {
    server = await startMongo({ authentication: true });
    return server.access;
  });

  it("keeps the states of runs for an hour only, and finds lines by run and number", async () => {
    const world = await logWorld();
    await world.open();
    expect(await world.indexes("estados")).toContainEqual(expect.objectContaining({ key: { em: 1 }, expireAfterSeconds: 3_600 }));
    expect(await world.indexes("logs")).toContainEqual(expect.objectContaining({ key: { execucao: 1, sequencia: 1 }, unique: true }));
  });

  it("mirrors executions: the last one told counts, whatever names a person gave to details", async () => {
    const world = await logWorld();
    const log = await world.open();
    const details = { "f1.macro": 0.5, $ref: { "a.b": [{ "c.d": "\0" }] } };
    await log.recordExecutions([runRecord(RUN), runRecord(RUN, { state: "executing" })]);
    await log.recordExecutions([runRecord(RUN, { state: "succeeded", details, finishedAt: "2026-11-24T12:01:00.500Z" })]);
    expect(await world.stored("execucoes")).toEqual([
      expect.objectContaining({
        _id: RUN,
        etapa: "ingest",
        estado: "succeeded",
        pedido_em: new Date("2026-11-24T12:00:00.000Z"),
        terminado_em: new Date("2026-11-24T12:01:00.500Z"),
        detalhes: { "f1．macro": 0.5, "＄ref": { "a．b": [{ "c．d": "\0" }] } },
      }),
    ]);
  });

  it("tells where a run is", async () => {
    const world = await logWorld();
    const log = await world.open();
    await log.recordPosition({ run: RUN, state: "planning", progress: undefined });
    await log.recordPosition({ run: RUN, state: "executing", progress: { done: 3, total: 9, unit: "files", label: "pedidos.csv" } });
    const position = { _id: RUN, estado: "executing", feitas: 3, total: 9, unidade: "files", descricao: "pedidos.csv" };
    expect(await world.stored("estados")).toEqual([{ ...position, em: expect.any(Date) }]);
  });

  it("cuts a message that no document can hold", async () => {
    const world = await logWorld();
    const log = await world.open();
    await log.append(linesOf(RUN, 1, 1, "日".repeat(6_000_000)));
    const [line] = await log.read(RUN, 0, 1);
    expect(line?.message).toMatch(/^日{4000000} … \(2000002 more characters were cut\)$/u);
  });

  it("speaks TLS with a server that a private authority vouches for, and with no other", async () => {
    const { ca, folder } = await makeCertificates();
    const secured = await startMongo({ certificates: folder });
    const spoolFolder = await temporaryFolder();
    const options = { ...secured.access, database: newDatabaseName(), spoolFolder, onNotice: () => undefined };
    await expect(openMongoRunLog(options)).rejects.toMatchObject({ kind: "precondition", code: "log-untrusted" });
    const log = await openMongoRunLog({ ...options, ca });
    await log.append(linesOf(RUN, 1, 2));
    expect(await log.read(RUN, 0, 10)).toHaveLength(2);
    await log.close();
    await secured.stop();
  });
});

describe.skipIf(configured === undefined)("the server that EDA_TEST_MONGODB_URI names", () => {
  contract("configured MongoDB", async () => ({ uri: configured as string }));
});

function contract(name: string, open: () => Promise<MongoAccess>): void {
  let log: MongoRunLog | undefined;
  let spoolFolder: string | undefined;
  afterAll(async () => {
    await log?.close();
    if (spoolFolder !== undefined) await rm(spoolFolder, { recursive: true });
  });
  runLogContract(name, async () => {
    spoolFolder = await mkdtemp(join(tmpdir(), "eda-spool-"));
    log = await openMongoRunLog({ ...(await open()), database: newDatabaseName(), spoolFolder, onNotice: () => undefined });
    return log;
  });
}
