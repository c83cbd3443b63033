/** A workspace moves from its embedded stores to servers: interrupted, repeated, verified, and goes on there. */
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import pg from "pg";
import { openFolderStore } from "../../src/adapters/local/object-store.ts";
import { startEmbeddedPostgres } from "../../src/adapters/postgres/embedded.ts";
import type { RunRecord } from "../../src/domain/run.ts";
import { BUCKETS } from "../../src/domain/stage.ts";
import type { ObjectStore } from "../../src/ports/object-store.ts";
import { Lineage, ListRows, ReadLog } from "../../src/protocol/messages.ts";
import type { MigrationReport } from "../../src/protocol/migrate-stores.ts";
import { collect } from "../support/collect.ts";
import { documentOf, eda, startEda } from "../support/cli.ts";
import { openTestHost, processGone, type TestHost } from "../support/host.ts";
import { testPython } from "../support/python.ts";
import { hasRealStores, type RealStores, startRealStores } from "../support/real-stores.ts";
import { SMALL_DRIVE, SMALL_PROJECT, writeFiles } from "../support/small-project.ts";
import { createWorkspace, type TestWorkspace } from "../support/workspace.ts";

/** So many that copying them is still under way when it is killed. */
const NOTES = 600;
const STAGES = [
  "capture",
  "ingest",
  "staging",
  "curation",
  "datasets",
  ...(testPython === undefined ? [] : (["modeling", "deploy"] as const)),
] as const;

describe.skipIf(!hasRealStores)("moving to servers", () => {
  let stores: RealStores;
  let workspace: TestWorkspace;
  let env: NodeJS.ProcessEnv;
  let databaseUrl: string;
  let host: TestHost | undefined;
  let before: { versions: number; logLines: number; runs: number; audit: readonly string[]; files: string; rows: readonly unknown[] };

  const settings = () => join(workspace.folder, "configs", "eda.yaml");
  const folderStore = () => openFolderStore(join(workspace.folder, ".eda", "objects"));
  const migrate = (...args: string[]) => eda(["migrate-stores", "--json", "--workspace", workspace.folder, ...args], { env });
  const rowsOf = (from: TestHost) =>
    from.rpc
      .sendRequest(ListRows, { inventory: "raw", project: SMALL_PROJECT, limit: 1000 })
      .then(({ items }) => items.map(({ id: _, ...row }) => row));

  beforeAll(async () => {
    stores = await startRealStores();
    workspace = createWorkspace("mover");
    const notes = Object.fromEntries(Array.from({ length: NOTES }, (_, index) => [`nota ${index}.txt`, `nota número ${index}\n`]));
    writeFiles(join(workspace.folder, SMALL_DRIVE), notes);
    host = await openTestHost(workspace.folder);
    let logLines = 0;
    for (const stage of [...STAGES, "staging"] as const) {
      const summary = await host.run(stage, { force: true });
      expect(summary, JSON.stringify(summary.error)).toMatchObject({ state: "succeeded" });
      logLines += (await host.rpc.sendRequest(ReadLog, { run: summary.runId, after: 0, limit: 10_000 })).length;
    }
    const rows = await rowsOf(host);
    await host.stop();
    before = {
      versions: await countVersions(folderStore()),
      logLines,
      runs: STAGES.length + 1,
      audit: await auditBefore(workspace.folder),
      files: filesOf(join(workspace.folder, ".eda", "objects")),
      rows,
    };
    ({ env, databaseUrl } = await stores.environment());
    // Data come from the same folder as before, and the object store's address stands in the settings.
    const { EDA_S3_ENDPOINT: endpoint, EDA_DRIVE: _, ...others } = env;
    env = others;
    writeFileSync(settings(), `engine:\n  threads: 1\nstores:\n  objects:\n    endpoint: ${endpoint} # MinIO\n`);
  }, 300_000);

  afterAll(async () => {
    await host?.stop();
    await stores?.stop();
    workspace?.remove();
  });

  it("says beforehand what it would move, and changes nothing", async () => {
    const result = await migrate("--dry-run");
    expect(result, result.stderr).toMatchObject({ code: 0 });
    expect(documentOf<MigrationReport>(result)).toMatchObject({
      state: "planned",
      objects: { count: before.versions, to: expect.stringMatching(/^S3 http/u) },
      inventory: { from: "embedded PostgreSQL" },
      runLog: { count: before.logLines },
      verification: null,
      commit: null,
    });
    expect(await countVersions(stores.openObjects())).toBe(0);
  });

  it("is killed halfway: no host takes what is there for everything", async () => {
    const moving = startEda(["migrate-stores", "--json", "--workspace", workspace.folder], { env });
    await moving.until(/copying \d+ object versions/u);
    await expect.poll(() => countVersions(stores.openObjects()), { timeout: 60_000, interval: 10 }).toBeGreaterThan(5);
    const pid = migrationPid(workspace.folder);
    process.kill(pid, "SIGKILL");
    await processGone(pid);
    expect(await moving.result).toMatchObject({ code: 1 });
    expect(await countVersions(stores.openObjects())).toBeLessThan(before.versions);
    await expect(openTestHost(workspace.folder, { env })).rejects.toMatchObject({ kind: "precondition", code: "migration-unfinished" });
  });

  it("ends with 130 when the person has enough", async () => {
    const moving = startEda(["migrate-stores", "--json", "--workspace", workspace.folder], { env });
    await moving.until(/looking at both sides/u);
    moving.process.kill("SIGINT");
    expect(await moving.result).toMatchObject({ code: 130 });
  });

  it("goes on where it was when it is repeated, doubles nothing, and verifies all of it", async () => {
    const result = await migrate();
    expect(result, result.stderr + result.stdout).toMatchObject({ code: 0 });
    const report = documentOf<MigrationReport>(result);
    expect(report).toMatchObject({
      state: "moved",
      objects: { count: before.versions },
      runLog: { count: before.logLines },
      verification: { ok: true, problems: [] },
      notes: [],
    });
    expect(await countVersions(stores.openObjects())).toBe(before.versions);
    const { logs, execucoes } = { logs: await stores.documents(env, "logs", {}), execucoes: await stores.documents(env, "execucoes", {}) };
    expect([logs.length, execucoes.length]).toEqual([before.logLines, before.runs]);
    const last = workspace.commits().at(-1);
    expect(last).toMatchObject({ commit: report.commit, files: ["configs/eda.yaml"], trailers: { Auditoria: report.audit } });
    expect(last?.subject).toMatch(/^refactor: /u);
  });

  it("has nothing to do when it is repeated once more", async () => {
    const result = await migrate();
    expect(result, result.stderr).toMatchObject({ code: 0 });
    expect(documentOf<MigrationReport>(result)).toMatchObject({
      state: "nothing-to-do",
      objects: null,
      inventory: null,
      runLog: null,
      commit: null,
      verification: { ok: true },
    });
  });

  it("leaves the stores of before as they were", async () => {
    expect(filesOf(join(workspace.folder, ".eda", "objects"))).toBe(before.files);
  });

  it("keeps rows, audit entries and their numbers to the byte, and adds one entry that says what was moved", async () => {
    host = await openTestHost(workspace.folder, { env });
    expect(await rowsOf(host)).toEqual(before.rows);
    const after = await auditOf(databaseUrl);
    expect(before.audit.length).toBeGreaterThanOrEqual(before.runs);
    expect(after.slice(0, -1)).toEqual(before.audit);
    expect(after.at(-1)).toContain("stores.migrated");
  });

  it("finds there the lineage back to the Drive, and the logs", async () => {
    const graph = await (host as TestHost).rpc.sendRequest(Lineage, { asset: "pedidos" });
    expect(graph.edges.map(({ from }) => from).filter((from) => from.startsWith("drive:")).length).toBeGreaterThan(0);
    const records = await (host as TestHost).records();
    const read = ({ run }: RunRecord) => (host as TestHost).rpc.sendRequest(ReadLog, { run, after: 0, limit: 10_000 });
    expect((await Promise.all(records.map(read))).flat()).toHaveLength(before.logLines);
  });

  it("goes on there: what is unchanged stays so, and a run reads what was moved", async () => {
    const here = host as TestHost;
    for (const stage of ["ingest", "staging", "curation", "datasets"] as const) {
      const summary = await here.run(stage);
      expect(summary, JSON.stringify(summary.error)).toMatchObject({ stage, state: "unchanged" });
    }
    const forced = await here.run("curation", { force: true });
    expect(forced, JSON.stringify(forced.error)).toMatchObject({ state: "succeeded" });
    writeFiles(join(workspace.folder, SMALL_DRIVE), { "pedidos2.csv": "pedido;loja;valor;dia\n900;A;1,50;01/11/2026\n" });
    for (const stage of ["capture", "ingest", "staging", "curation"] as const) {
      const summary = await here.run(stage);
      expect(summary, JSON.stringify(summary.error)).toMatchObject({ stage, state: "succeeded" });
    }
    expect(await here.verify()).toMatchObject({ problems: [] });
  });

  describe("refuses", () => {
    it("a database with data of its own, the database and the buckets of another workspace", async () => {
      await host?.stop();
      host = undefined;
      const other = createWorkspace("outro");
      const its = await openTestHost(other.folder);
      await its.run("capture");
      await its.run("ingest");
      await its.stop();
      const refusal = async (url: string | undefined) => {
        const { code, stderr } = await eda(["migrate-stores", "--json", "--workspace", other.folder], {
          env: { ...env, EDA_S3_ENDPOINT: stores.objectServer.access.endpoint, EDA_DATABASE_URL: url },
        });
        expect(code, stderr).toBe(3);
        return stderr;
      };
      const [{ env: filled }, { env: empty }] = [await stores.environment(), await stores.environment()];
      const second = await openTestHost(other.folder, { env: { EDA_DATABASE_URL: filled["EDA_DATABASE_URL"] } });
      await second.run("capture");
      await second.stop();
      expect(await refusal(filled["EDA_DATABASE_URL"])).toMatch(/holds other data: .*execucoes/u);
      expect(await refusal(env["EDA_DATABASE_URL"])).toContain("another workspace was moved there");
      expect(await refusal(empty["EDA_DATABASE_URL"])).toMatch(/object store holds other data: raw-data\/lojas/u);
      other.remove();
    });

    it("embedded stores that have gone on after they were moved", async () => {
      const moved = readFileSync(settings());
      writeFileSync(settings(), "engine:\n  threads: 1\n");
      const back = await openTestHost(workspace.folder);
      const summary = await back.run("ingest", { force: true });
      expect(summary, JSON.stringify(summary.error)).toMatchObject({ state: "succeeded" });
      await back.stop();
      writeFileSync(settings(), moved);
      const result = await migrate();
      expect(result.code, result.stderr).toBe(3);
      expect(result.stderr).toContain("runs have changed them since");
    });

    it("to move nowhere, and while a run is at work", async () => {
      const other = createWorkspace("parado");
      const nowhere = await eda(["migrate-stores", "--json", "--workspace", other.folder]);
      expect(nowhere).toMatchObject({ code: 3, stderr: expect.stringContaining("No other stores are configured") });
      const its = await openTestHost(other.folder);
      const [run] = await its.startRun("all");
      const active = await eda(["migrate-stores", "--json", "--workspace", other.folder], { env });
      expect(active).toMatchObject({ code: 3, stderr: expect.stringContaining(run as string) });
      await its.kill();
      const interrupted = await eda(["migrate-stores", "--json", "--workspace", other.folder], {
        env: {
          ...env,
          EDA_S3_ENDPOINT: stores.objectServer.access.endpoint,
          EDA_DATABASE_URL: (await stores.environment()).env["EDA_DATABASE_URL"],
        },
      });
      expect(interrupted.code, interrupted.stderr).toBe(3);
      expect(interrupted.stderr).toContain("it has to end first");
      const last = await openTestHost(other.folder);
      await last.stop();
      other.remove();
    });
  });
});

async function countVersions(store: ObjectStore): Promise<number> {
  let count = 0;
  const present = await store.listBuckets();
  for (const bucket of BUCKETS) if (present.includes(bucket)) count += (await collect(store.versions(bucket, ""), () => 1)).length;
  return count;
}

/** The chain's entries as the database prints them. */
async function auditOf(url: string): Promise<readonly string[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<{ entry: string }>("SELECT auditoria::text AS entry FROM auditoria ORDER BY sequencia");
  await client.end();
  return rows.map(({ entry }) => entry);
}

async function auditBefore(workspace: string): Promise<readonly string[]> {
  const server = await startEmbeddedPostgres({ stateFolder: join(workspace, ".eda"), log: () => undefined });
  try {
    return await auditOf(server.url);
  } finally {
    await server.stop();
  }
}

/** Every file below a folder, with its size and time. */
function filesOf(folder: string): string {
  const paths = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((path) => !path.startsWith(".tmp"))
    .sort();
  return paths.map((path) => `${path} ${statSync(join(folder, path)).mtimeMs}`).join("\n");
}

/** The process that is moving, as it says in the log. */
function migrationPid(workspace: string): number {
  const lines = readFileSync(join(workspace, ".eda", "logs", "host.log"), "utf8")
    .trim()
    .split("\n");
  const line = lines
    .map((text) => JSON.parse(text) as { pid: number; msg: string })
    .findLast(({ msg }) => msg === "moving to other stores");
  return (line as { pid: number }).pid;
}
