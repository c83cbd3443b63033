/**
 * One workspace on servers, each behind a proxy that stands for the network, with projects that are all alike but for their names. One of
 * them nobody disturbs: what became of another is compared with it.
 */
import { chownSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Document } from "mongodb";
import { expect } from "vitest";
import { isTerminal, type RunRecord, type RunSummary } from "../../../src/domain/run.ts";
import { STAGES, type StageId } from "../../../src/domain/stage.ts";
import { Recover } from "../../../src/protocol/messages.ts";
import { openTestHost, type TestHost } from "../../support/host.ts";
import { onServer } from "../../support/postgres.ts";
import { type NetworkProxy, startProxy, type Trap } from "../../support/proxy.ts";
import { DRIVE_OWNER, hasRealStores, type RealStores, startRealStores } from "../../support/real-stores.ts";
import { addMinioUser, mcProgram, type MinioUser } from "../../support/servers/minio-users.ts";
import { newDatabaseName } from "../../support/servers/mongo.ts";
import { incompleteUploads, openClient } from "../../support/servers/s3-client.ts";
import { SMALL_DRIVE, temporaryFolder, writeFiles } from "../../support/small-project.ts";
import { type ProjectState, readState, withoutFailures } from "../../support/workspace-state.ts";
import { addProjects, createWorkspace, moveWorkspace, type TestWorkspace } from "../../support/workspace.ts";

export const hasFaultWorld = hasRealStores && mcProgram !== undefined;

/** Goes to the object store in three parts. */
export const LARGE_FILE = "grande.bin";
const LARGE_BYTES = 17 * 1024 * 1024;
const UNDISTURBED = "undisturbed";
/** In which a connection that broke is known to be that of a host that ended. */
const A_MOMENT_MS = 2_000;
const RUN_LOG_FOLDER = join(".eda", "run-log");

export type Service = "objects" | "database" | "runLog" | "drive";

export interface FaultWorld {
  readonly workspace: TestWorkspace;
  readonly stores: RealStores;
  /** The network to each server. */
  readonly network: Readonly<Record<Service, NetworkProxy>>;
  /** The one that runs now. */
  readonly host: TestHost;
  readonly objectUser: MinioUser;
  /** Logins that the host has, and what it reads their secrets from. */
  readonly secrets: SecretFiles;
  /** As {@link expectUndisturbed} compares with, to the end of this stage. */
  undisturbed(until: StageId): Promise<ProjectState>;
  /** Starts a host where there is none any more. */
  openHost(): Promise<void>;
  start(project: string, stage: StageId | "all"): Promise<string>;
  run(project: string, stage: StageId): Promise<RunSummary>;
  /** Runs the stages up to and with the given one. */
  succeed(project: string, until: StageId): Promise<void>;
  /** Waits until the trap has caught something; fails when the run ends before. */
  caught(trap: Trap, run: string): Promise<void>;
  /** The end of a run, through as many hosts as it takes. */
  endOf(run: string): Promise<RunSummary>;
  /** All that is known of the project is what is known of the undisturbed one; failed runs left nothing but their record. */
  expectUndisturbed(project: string, until: StageId): Promise<void>;
  expectNoIncompleteUploads(project: string): Promise<void>;
  /** Does what a person is told to after a failure that could not be undone by itself. */
  recover(): Promise<readonly string[]>;
  /** All lines of the runs are on the server, once and in order, as is how they ended, and nothing waits on disk. Some run has to have lines. */
  expectLogDelivered(runs: readonly string[]): Promise<void>;
  sql<T extends object>(text: string): Promise<readonly T[]>;
  close(): Promise<void>;
}

export interface SecretFiles {
  readonly objects: string;
  readonly database: string;
  readonly runLog: string;
  readonly drive: string;
}

export interface FaultWorldOptions {
  /** Names of those that are to be disturbed. */
  readonly projects: readonly string[];
  /** Where workspace, objects and database are to lie; temporary folders when absent. */
  readonly folders?: { readonly workspace: string; readonly objects: string; readonly database: string };
}

export async function openFaultWorld({ projects, folders }: FaultWorldOptions): Promise<FaultWorld> {
  const stores = await startRealStores(folders === undefined ? {} : { objectsFolder: folders.objects });
  const { env: plain, databaseUrl } = await stores.environment();
  const network = {
    objects: await startProxy(stores.objectServer.port),
    database: await startProxy(Number(new URL(databaseUrl).port)),
    runLog: await startProxy(stores.logServer.port),
    drive: await startProxy(Number(new URL(stores.driveServer.url).port)),
  };
  const objectUser = await addMinioUser(stores.objectServer.access);
  const folder = temporaryFolder("secrets");
  const keep = (name: string, secret: string) => {
    const file = join(folder, name);
    writeFileSync(file, `${secret}\n`, { mode: 0o600 });
    return file;
  };
  const login = await addLogin(databaseUrl);
  if (folders !== undefined) await moveDatabase(databaseUrl, folders.database);
  const secrets: SecretFiles = {
    objects: keep("objects", objectUser.secretKey),
    database: keep("database", login.password),
    runLog: keep("run-log", stores.logServer.access.password as string),
    drive: plain["EDA_GOOGLE_CREDENTIALS_FILE"] as string,
  };
  const env: NodeJS.ProcessEnv = {
    EDA_S3_ENDPOINT: `http://127.0.0.1:${network.objects.port}`,
    EDA_S3_ACCESS_KEY: objectUser.accessKey,
    EDA_S3_SECRET_KEY_FILE: secrets.objects,
    EDA_DATABASE_HOST: "127.0.0.1",
    EDA_DATABASE_PORT: String(network.database.port),
    EDA_DATABASE_NAME: new URL(databaseUrl).pathname.slice(1),
    EDA_DATABASE_USER: login.name,
    EDA_DATABASE_PASSWORD_FILE: secrets.database,
    EDA_MONGODB_URI: `mongodb://127.0.0.1:${network.runLog.port}/`,
    EDA_MONGODB_DATABASE: newDatabaseName(),
    EDA_MONGODB_USER: stores.logServer.access.user as string,
    EDA_MONGODB_PASSWORD_FILE: secrets.runLog,
    EDA_DRIVE: "google",
    EDA_GOOGLE_ACCOUNT: DRIVE_OWNER,
    EDA_GOOGLE_CREDENTIALS_FILE: secrets.drive,
    EDA_GOOGLE_API_ROOT: `http://127.0.0.1:${network.drive.port}`,
    EDA_GOOGLE_OAUTH_ROOT: stores.driveServer.url,
  };
  const documents = (collection: string, filter: Document) => {
    const uri = new URL(stores.logServer.access.uri);
    uri.username = stores.logServer.access.user as string;
    uri.password = readFileSync(secrets.runLog, "utf8").trim();
    return stores.documents({ ...env, EDA_MONGODB_URI: uri.href }, collection, filter);
  };

  const workspace = folders === undefined ? createWorkspace("services") : moveWorkspace(createWorkspace("services"), folders.workspace);
  addProjects(workspace, [UNDISTURBED, ...projects]);
  writeFiles(join(workspace.folder, SMALL_DRIVE), { [LARGE_FILE]: largeContent(), ...notes() });
  stores.fillDrive(workspace.folder, SMALL_DRIVE);
  rmSync(join(workspace.folder, SMALL_DRIVE), { recursive: true });

  let host = await openTestHost(workspace.folder, { env });
  const objects = stores.openObjects();
  const client = openClient(stores.objectServer.access);
  const state = (project: string) => readState(workspace, project, { databaseUrl, objects });
  const undisturbed = new Map<StageId, ProjectState>();

  const world: FaultWorld = {
    workspace,
    stores,
    network,
    objectUser,
    secrets,
    get host() {
      return host;
    },
    async openHost() {
      host.dispose();
      host = await openTestHost(workspace.folder, { env });
    },
    start: async (project, stage) => (await host.startRun(stage, { project }))[0] as string,
    run: async (project, stage) => world.endOf(await world.start(project, stage)),
    async succeed(project, until) {
      for (const stage of stagesUntil(until)) {
        const summary = await world.run(project, stage);
        expect(summary, JSON.stringify(summary.error)).toMatchObject({ stage, state: "succeeded" });
      }
    },
    async undisturbed(until) {
      for (const stage of stagesUntil(until)) {
        if (undisturbed.has(stage)) continue;
        const summary = await world.run(UNDISTURBED, stage);
        expect(summary, JSON.stringify(summary.error)).toMatchObject({ stage, state: "succeeded" });
        undisturbed.set(stage, await state(UNDISTURBED));
      }
      return undisturbed.get(until) as ProjectState;
    },
    async caught(trap, run) {
      const early = host.endOf(run).then(({ state: end, error }) => {
        throw new Error(`the run ended as ${end} before it was caught: ${JSON.stringify(error)}`);
      });
      // Whatever becomes of the run once it is caught is looked at elsewhere.
      early.catch(() => undefined);
      await Promise.race([trap.caught, early]);
    },
    async endOf(run) {
      for (;;) {
        const end = await host.endOf(run).catch((error: unknown) => Promise.race([host.gone, failureAfter(A_MOMENT_MS, error)]));
        if (end !== undefined) return end;
        await host.kill();
        await world.openHost();
      }
    },
    async expectUndisturbed(project, until) {
      const expected = await world.undisturbed(until);
      expect(withoutFailures(await state(project))).toEqual(expected);
      await world.expectNoIncompleteUploads(project);
    },
    async expectNoIncompleteUploads(project) {
      expect(await incompleteUploads(client, "raw-data", `${project}/${LARGE_FILE}`)).toEqual([]);
      // Whatever their key: the server keeps parts here until they are a version or aborted.
      const kept = readdirSync(join(stores.objectServer.folder, ".minio.sys", "multipart"), { recursive: true, encoding: "utf8" });
      expect(kept.filter((path) => /\/(xl\.meta|part\.)/u.test(path))).toEqual([]);
    },
    recover: () => host.rpc.sendRequest(Recover),
    async expectLogDelivered(runs) {
      await expect.poll(() => readdirSync(join(workspace.folder, RUN_LOG_FOLDER)), { timeout: 30_000 }).toEqual(["sequences"]);
      let count = 0;
      for (const run of runs) {
        const lines = await documents("logs", { execucao: run });
        count += lines.length;
        expect(lines.map(({ sequencia }) => sequencia as number)).toEqual(lines.map((_, index) => index + 1));
        const record: RunRecord = await host.record(run);
        expect(isTerminal(record.state)).toBe(true);
        await expect.poll(() => documents("execucoes", { _id: run })).toMatchObject([{ estado: record.state }]);
      }
      expect(count).toBeGreaterThan(0);
    },
    sql: (text) => onServer(databaseUrl, async (connection) => (await connection.query(text)).rows),
    async close() {
      // One that a failed test has left behind, without a connection, must not keep the servers alive.
      await host.stop().catch(() => host.kill());
      for (const proxy of Object.values(network)) await proxy.stop();
      await stores.stop();
      if (folders === undefined) workspace.remove();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return world;
}

async function failureAfter(milliseconds: number, error: unknown): Promise<never> {
  await delay(milliseconds);
  throw error;
}

function stagesUntil(last: StageId): readonly StageId[] {
  const ids = STAGES.map(({ id }) => id);
  return ids.slice(0, ids.indexOf(last) + 1);
}

/** Tables and indexes only: without its log the server could not even say that a disk is full. */
async function moveDatabase(databaseUrl: string, folder: string): Promise<void> {
  const name = new URL(databaseUrl).pathname.slice(1);
  const elsewhere = new URL(databaseUrl);
  elsewhere.pathname = "/postgres";
  await onServer(elsewhere.href, async (connection) => {
    const { rows } = await connection.query<{ data_directory: string }>("SHOW data_directory");
    const { uid, gid } = statSync((rows[0] as { data_directory: string }).data_directory);
    const place = join(folder, "tabelas");
    mkdirSync(place);
    chownSync(place, uid, gid);
    await connection.query(`CREATE TABLESPACE pequeno LOCATION '${place}'`);
    await connection.query(`ALTER DATABASE ${name} SET TABLESPACE pequeno`);
  });
}

/** So many files that a server which fails now and then does fail. */
function notes(): Readonly<Record<string, string>> {
  return Object.fromEntries(Array.from({ length: 16 }, (_, index) => [`notas/nota-${index}.txt`, `nota ${index}\n`]));
}

/** No two parts are alike. */
function largeContent(): Buffer {
  return Buffer.from(Uint32Array.from({ length: LARGE_BYTES / 4 }, (_, index) => index).buffer);
}

/** A login that owns the database and has to give its password; the tests' own, a superuser, needs none. */
async function addLogin(databaseUrl: string): Promise<{ readonly name: string; readonly password: string }> {
  const login = { name: "servico", password: randomBytes(16).toString("hex") };
  await onServer(databaseUrl, async (connection) => {
    await connection.query(`CREATE ROLE ${login.name} LOGIN CREATEROLE PASSWORD '${login.password}'`);
    await connection.query(`ALTER DATABASE ${new URL(databaseUrl).pathname.slice(1)} OWNER TO ${login.name}`);
    await connection.query(`ALTER SCHEMA public OWNER TO ${login.name}`);
    const { rows } = await connection.query<{ hba_file: string }>("SHOW hba_file");
    const file = (rows[0] as { hba_file: string }).hba_file;
    writeFileSync(file, `host all ${login.name} 127.0.0.1/32 scram-sha-256\n${readFileSync(file, "utf8")}`);
    await connection.query("SELECT pg_reload_conf()");
  });
  return login;
}
