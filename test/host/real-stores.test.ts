/** The same host on servers: it works there as on the embedded stores, and says what is wrong when one of them is away. */
import { spawnSync } from "node:child_process";
import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { EdaError } from "../../src/domain/errors.ts";
import { Doctor, type DoctorCheck, ReadLog, Status } from "../../src/protocol/messages.ts";
import { documentOf, eda } from "../support/cli.ts";
import { openTestHost, type TestHost } from "../support/host.ts";
import { freePort } from "../support/ports.ts";
import { hasRealStores, type RealStores, startRealStores } from "../support/real-stores.ts";
import { SMALL_DRIVE } from "../support/small-project.ts";
import { createWorkspace, type TestWorkspace } from "../support/workspace.ts";

/** A store that is away is given some 10 s, in which it restarts, and the run a few to clear up; the rest is for a slow machine. */
const STORE_PATIENCE_MS = 35_000;

describe.skipIf(!hasRealStores)("a host on servers", () => {
  let stores: RealStores;
  let env: NodeJS.ProcessEnv;
  let workspace: TestWorkspace;
  let host: TestHost;

  beforeAll(async () => {
    stores = await startRealStores();
    ({ env } = await stores.environment());
    workspace = createWorkspace("real");
    stores.fillDrive(workspace.folder, SMALL_DRIVE);
    rmSync(join(workspace.folder, SMALL_DRIVE), { recursive: true });
    host = await openTestHost(workspace.folder, { env });
  });

  afterAll(async () => {
    await host?.stop();
    await stores?.stop();
    workspace?.remove();
  });

  const newWorkspace = () => {
    const made = createWorkspace("real");
    onTestFinished(() => made.remove());
    return made;
  };
  const failureOf = (opening: Promise<TestHost>) =>
    opening.then(
      async (opened) => {
        await opened.stop();
        throw new Error("the host started");
      },
      (error: EdaError) => error,
    );
  const checksOf = async (asked: Promise<readonly DoctorCheck[]>) => Object.fromEntries((await asked).map((check) => [check.name, check]));

  it("says what stands behind its stores", async () => {
    const { endpoint } = stores.objectServer.access;
    const { host: address, pathname } = new URL(env["EDA_DATABASE_URL"] as string);
    expect(host.status.stores).toEqual({
      objects: `S3 ${endpoint}`,
      inventory: `PostgreSQL ${address}${pathname}`,
      runLog: `MongoDB 127.0.0.1:${stores.logServer.port}`,
      drive: expect.stringMatching(/^Google Drive \(.*ana@example\.com/u),
    });
  });

  it("runs stages: objects lie on the server, and nothing in the workspace", async () => {
    for (const stage of ["capture", "ingest", "staging", "curation"] as const) {
      const summary = await host.run(stage);
      expect(summary, JSON.stringify(summary.error)).toMatchObject({ state: "succeeded" });
    }
    const listed = await stores.openObjects().list({ bucket: "staging-data", prefix: "lojas/", hierarchical: false, limit: 10 });
    expect(listed.items.length).toBeGreaterThan(1);
    const local = readdirSync(join(workspace.folder, ".eda"));
    expect(local.filter((name) => name === "objects" || name.startsWith("postgres"))).toEqual([]);
    expect(await host.verify()).toMatchObject({ problems: [] });
    expect(await host.run("ingest")).toMatchObject({ state: "unchanged" });
  });

  it("logs on the server, and copies the executions there", async () => {
    const [newest] = await host.records();
    const run = newest?.run as string;
    const lines = await host.rpc.sendRequest(ReadLog, { run, after: 0, limit: 100 });
    expect(lines.length).toBeGreaterThan(0);
    const documents = await stores.documents(env, "logs", { execucao: run });
    expect(documents.map(({ mensagem }) => mensagem)).toEqual(lines.map(({ message }) => message));
    await expect.poll(() => stores.documents(env, "execucoes", { _id: run })).toMatchObject([{ estado: newest?.state }]);
  });

  it("finds nothing wrong with them", async () => {
    const checks = await checksOf(host.rpc.sendRequest(Doctor));
    expect(checks["object store"]).toMatchObject({ state: "ok", message: expect.stringContaining("versioned") });
    expect(checks["postgresql"]).toMatchObject({ state: "ok", message: expect.stringMatching(/version \d+/u) });
    expect(checks["migrations"]).toMatchObject({ state: "ok" });
    expect(checks["drive"]).toMatchObject({ state: "ok", message: expect.stringContaining("ana@example.com") });
    expect(checks["run log"]).toMatchObject({ state: "ok", message: expect.stringMatching(/^MongoDB .*version \d+/u) });
  });

  it("shows no secret in status, checks, log or commits", async () => {
    const filesWith = (texts: readonly string[]) =>
      spawnSync("grep", ["-rlaF", ...texts.flatMap((text) => ["-e", text]), "."], { cwd: workspace.folder, encoding: "utf8" }).stdout;
    expect(filesWith([stores.objectServer.access.endpoint, "host ready"])).toContain("host.log");
    expect(filesWith(stores.secrets)).toBe("");
    expect(JSON.stringify([host.status, await host.rpc.sendRequest(Doctor)])).not.toMatch(new RegExp(stores.secrets.join("|"), "u"));
  });

  it("refuses a second workspace on the same database, naming the first", async () => {
    const failure = await failureOf(openTestHost(newWorkspace().folder, { env }));
    expect(failure).toMatchObject({ kind: "precondition", code: "database-in-use" });
    expect(failure.message).toContain(workspace.folder.slice(0, 20));
  });

  it("is not restarted for a client whose environment names no stores", async () => {
    const other = await openTestHost(workspace.folder);
    expect(other.status.pid).toBe(host.status.pid);
    other.dispose();
  });

  it("is restarted for one that names others, and back", async () => {
    const other = await openTestHost(workspace.folder, { env: { ...env, EDA_S3_REGION: "us-east-1" } });
    expect(other.status.pid).not.toBe(host.status.pid);
    host = await openTestHost(workspace.folder, { env });
    expect(host.status.pid).not.toBe(other.status.pid);
  });

  it("refuses runs once the settings name other stores, and the next client takes those", async () => {
    const settings = join(workspace.folder, "configs", "eda.yaml");
    writeFileSync(settings, "engine:\n  threads: 1\nstores:\n  drive:\n    kind: folder\n  objects:\n    objectLock: true\n");
    expect(await host.rpc.sendRequest(Status)).toMatchObject({ storesChanged: true });
    await expect(host.startRun("ingest")).rejects.toMatchObject({ kind: "precondition", code: "stores-changed" });
    const before = host.status.pid;
    host = await openTestHost(workspace.folder, { env });
    expect(host.status).toMatchObject({ storesChanged: false });
    expect(host.status.pid).not.toBe(before);
  });

  describe("when a service is away", () => {
    it("does not start without its object store; the command line ends with 4, and doctor says which service", async () => {
      const { env: others } = await stores.environment();
      const gone = { ...others, EDA_S3_ENDPOINT: `http://127.0.0.1:${await freePort()}` };
      const { folder } = newWorkspace();
      const failure = await failureOf(openTestHost(folder, { env: gone }));
      expect(failure).toMatchObject({ kind: "unavailable", code: "store-away" });
      expect(failure.message).toContain(`The object store at ${gone.EDA_S3_ENDPOINT}`);
      expect(failure.todo).toBeTruthy();

      const runs = await eda(["runs", "--workspace", folder], { cwd: folder, env: gone });
      expect(runs).toMatchObject({ code: 4, stdout: "" });
      expect(runs.stderr).toContain(gone.EDA_S3_ENDPOINT);

      const doctor = await eda(["doctor", "--json", "--workspace", folder], { cwd: folder, env: gone });
      expect(doctor.code).toBe(4);
      const checks = await checksOf(Promise.resolve(documentOf<{ checks: DoctorCheck[] }>(doctor).checks));
      expect(checks["object store"]).toMatchObject({ state: "failed", kind: "unavailable" });
      expect(checks["postgresql"]).toMatchObject({ state: "ok" });
      for (const { stdout, stderr } of [runs, doctor]) for (const secret of stores.secrets) expect(stdout + stderr).not.toContain(secret);
    });

    it("does not start without its database, and shows the address without the password", async () => {
      const port = await freePort();
      const gone = { ...env, EDA_DATABASE_URL: `postgresql://eda:senha-do-banco@127.0.0.1:${port}/eda` };
      const failure = await failureOf(openTestHost(newWorkspace().folder, { env: gone }));
      expect(failure).toMatchObject({ kind: "unavailable", code: "database-away" });
      expect(failure.message).toContain(`PostgreSQL at 127.0.0.1:${port}/eda`);
      expect(JSON.stringify(failure.toDocument())).not.toContain("senha-do-banco");
    });

    it("does not start with a wrong key, and says that it was refused", async () => {
      const { EDA_S3_SECRET_KEY_FILE: _, ...others } = (await stores.environment()).env;
      const failure = await failureOf(openTestHost(newWorkspace().folder, { env: { ...others, EDA_S3_SECRET_KEY: "errada" } }));
      expect(failure).toMatchObject({ kind: "precondition", code: "store-refused", message: expect.not.stringContaining("errada") });
    });

    it("does not start with half a configuration", async () => {
      const failure = await failureOf(openTestHost(newWorkspace().folder, { env: { EDA_S3_ENDPOINT: "http://127.0.0.1:9" } }));
      expect(failure).toMatchObject({ kind: "precondition", code: "stores-incomplete" });
    });

    it("works without its run log, warns of it, and delivers what was logged once it is back", async () => {
      await stores.logServer.kill();
      const summary = await host.run("ingest");
      expect(summary, JSON.stringify(summary.error)).toMatchObject({ state: "unchanged" });
      const doctor = await checksOf(host.rpc.sendRequest(Doctor));
      expect(doctor["run log"]).toMatchObject({ state: "warning", message: expect.stringContaining("wait for it on disk") });
      const lines = await host.rpc.sendRequest(ReadLog, { run: summary.runId, after: 0, limit: 100 });
      expect(lines.length).toBeGreaterThan(0);
      await stores.logServer.restart();
      await expect
        .poll(async () => (await stores.documents(env, "logs", { execucao: summary.runId })).length, { timeout: 60_000, interval: 500 })
        .toBe(lines.length);
    });

    it("fails the run that needs it, and the next one succeeds once it is back", async () => {
      await stores.objectServer.kill();
      const doctor = await checksOf(host.rpc.sendRequest(Doctor));
      expect(doctor["object store"]).toMatchObject({ state: "failed", kind: "unavailable" });
      const start = performance.now();
      const failed = await host.run("staging", { force: true });
      expect(performance.now() - start, "until it has failed").toBeLessThan(STORE_PATIENCE_MS);
      expect(failed).toMatchObject({ state: "failed", error: { kind: "unavailable" } });
      await stores.objectServer.restart();
      const again = await host.run("staging", { force: true });
      expect(again, JSON.stringify(again.error)).toMatchObject({ state: "succeeded" });
    });
  });
});
