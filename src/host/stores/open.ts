/**
 * Opens what the configuration names, in order; what is opened here is what the host closes. The client of a service is loaded when the
 * configuration names that service: tens of megabytes that a host without it does not hold.
 */
import { hostname } from "node:os";
import { join } from "node:path";
import type { Logger } from "pino";
import { openFolderDrive } from "../../adapters/local/drive.ts";
import { openFolderStore } from "../../adapters/local/object-store.ts";
import type { MongoRunLog } from "../../adapters/mongodb/run-log.ts";
import { startEmbeddedPostgres } from "../../adapters/postgres/embedded.ts";
import { openInventory } from "../../adapters/postgres/inventory.ts";
import { type MigratedVersions, openMigratedVersions } from "../../adapters/postgres/migrated-versions.ts";
import { openPool } from "../../adapters/postgres/pool.ts";
import { APP_ROLE, describeAccess } from "../../adapters/postgres/roles.ts";
import { openRunLog } from "../../adapters/postgres/run-log.ts";
import { lockForWorkspace } from "../../adapters/postgres/workspace-lock.ts";
import { BUCKETS } from "../../domain/stage.ts";
import type { Services } from "../../pipeline/stage-definition.ts";
import type { Drive } from "../../ports/drive.ts";
import type { Inventory } from "../../ports/inventory.ts";
import type { ObjectStore } from "../../ports/object-store.ts";
import type { RunLog } from "../../ports/run-log.ts";
import type { RunMirror } from "../../ports/run-mirror.ts";
import type { Endpoint } from "../../protocol/endpoint.ts";
import type { RunBoard } from "../run-board.ts";
import { mirrorRuns } from "../run-mirror.ts";
import type {
  GoogleConfiguration,
  MongodbConfiguration,
  PostgresConfiguration,
  S3Configuration,
  StoresConfiguration,
} from "./configuration.ts";
import { databaseUrl, googleOptions, mongoOptions, s3Options } from "./connections.ts";
import { databaseAddress, describeStores, type StoreDescriptions } from "./describe.ts";
import { withMigratedVersions } from "./migrated-objects.ts";
import { reach } from "./reach.ts";

export type Stores = Pick<Services, "objects" | "inventory" | "runLog" | "drive"> & {
  readonly configuration: StoresConfiguration;
  readonly descriptions: StoreDescriptions;
  /** Of the database that the runs' checkpoints are in too. Holds the password: never log it. */
  readonly databaseUrl: string;
  /** Of a run log whose server may be away meanwhile. */
  readonly runLogCondition: MongoRunLog["condition"] | undefined;
  /** Where executions are copied to, if anywhere. */
  readonly runMirror: RunMirror | undefined;
  /** The object store with its own version ids, also of versions that were moved into it. */
  readonly plainObjects: ObjectStore;
  readonly migratedVersions: MigratedVersions;
  /** Begins to copy what the board shows to where others look at it, if anywhere. */
  startMirror(board: RunBoard): void;
};

export interface OpenStoresOptions {
  readonly configuration: StoresConfiguration;
  readonly endpoint: Endpoint;
  /** Folder of the migrations. */
  readonly sqlFolder: string;
  readonly env: NodeJS.ProcessEnv;
  readonly logger: Logger;
  readonly onClose: (closer: () => Promise<unknown>) => void;
  /** The database went to another workspace's host. */
  readonly onLost: (error: unknown) => void;
}

/** @throws EdaError `unavailable` or `precondition`, which names the service and its address */
export async function openStores(options: OpenStoresOptions): Promise<Stores> {
  const { configuration, endpoint } = options;
  const { objects: wanted, database, runLog, drive } = configuration;
  const url = database.kind === "postgresql" ? await openDatabase(database, options) : await startDatabase(options);
  const { inventory, databaseLog, migratedVersions } = await openGovernance(url, options);

  const folder = join(endpoint.stateFolder, "objects");
  const plainObjects = wanted.kind === "s3" ? await openObjects(options, wanted) : openFolderStore(folder);
  await reach(wanted.kind === "s3" ? `The object store at ${wanted.endpoint}` : "The object store", () =>
    plainObjects.ensureBuckets(BUCKETS),
  );
  const hasMigrated = wanted.kind === "s3" && !(await migratedVersions.isEmpty());
  const log = runLog.kind === "mongodb" ? await openMongodb(options, runLog, inventory) : { inventory, runLog: databaseLog };
  return {
    runLogCondition: undefined,
    runMirror: undefined,
    startMirror: () => undefined,
    ...log,
    configuration,
    descriptions: describeStores(configuration, folder),
    databaseUrl: url,
    objects: hasMigrated ? withMigratedVersions(plainObjects, migratedVersions) : plainObjects,
    plainObjects,
    migratedVersions,
    drive: drive.kind === "google" ? await openGoogle(options, drive) : openFolderDrive(endpoint.workspace),
  };
}

interface Governance {
  readonly inventory: Inventory;
  readonly databaseLog: RunLog;
  readonly migratedVersions: MigratedVersions;
}

/** The inventory on a migrated database, and what lies beside it. */
async function openGovernance(
  url: string,
  { configuration: { database }, sqlFolder, logger, onClose }: OpenStoresOptions,
): Promise<Governance> {
  const pool = openPool(url, { role: APP_ROLE });
  onClose(() => pool.end());
  // Nobody but the next host starts the embedded server again; another one's restart is waited for.
  const patience = database.kind === "embedded" ? { patienceMs: 0 } : {};
  const inventory = openInventory(pool, sqlFolder, patience);
  const applied = await reach(describeDatabase(database), () => inventory.migrate());
  if (applied.length > 0) logger.info({ migrations: applied }, "migrations applied");
  const access = await reach(describeDatabase(database), () => describeAccess(pool));
  if (access.missingRoles.length > 0)
    logger.warn({ ...access }, "the database lacks roles: its owner gives them with SELECT conceder_papeis()");
  return { inventory, databaseLog: openRunLog(pool, patience), migratedVersions: openMigratedVersions(pool, patience) };
}

async function startDatabase({ endpoint, logger, onClose }: OpenStoresOptions): Promise<string> {
  const postgres = await startEmbeddedPostgres({ stateFolder: endpoint.stateFolder, log: (message) => logger.info(message) });
  onClose(() => postgres.stop());
  return postgres.url;
}

/** Runs are resumed by whoever opens the database: were there two, each would take the other's. */
async function openDatabase(database: PostgresConfiguration, { endpoint, onClose, onLost }: OpenStoresOptions): Promise<string> {
  const url = databaseUrl(database);
  const holder = `${endpoint.workspace} on ${hostname()}`;
  const lock = await reach(describeDatabase(database), () => lockForWorkspace({ url, holder, onLost }));
  onClose(() => lock.release());
  return url;
}

function describeDatabase(database: StoresConfiguration["database"]): string {
  return database.kind === "postgresql" ? `PostgreSQL at ${databaseAddress(database)}` : "The embedded PostgreSQL";
}

async function openObjects({ endpoint, onClose }: OpenStoresOptions, wanted: S3Configuration): Promise<ObjectStore> {
  const { openS3Store } = await import("../../adapters/minio/object-store.ts");
  const store = openS3Store({ ...s3Options(wanted), uploadNotes: join(endpoint.stateFolder, "uploads") });
  onClose(() => store.close());
  return store;
}

/** MongoDB may be away: what is logged waits on disk, and runs go on. */
async function openMongodb(
  { endpoint, logger, onClose }: OpenStoresOptions,
  wanted: MongodbConfiguration,
  inventory: Inventory,
): Promise<Pick<Stores, "inventory" | "runLog" | "runLogCondition" | "runMirror" | "startMirror">> {
  const { openMongoRunLog } = await import("../../adapters/mongodb/run-log.ts");
  const log = await openMongoRunLog({
    ...mongoOptions(wanted),
    spoolFolder: join(endpoint.stateFolder, "run-log"),
    onNotice: ({ level, code, message }) => logger[level]({ code }, message),
  });
  onClose(() => log.close());
  const mirroring = mirrorRuns(inventory, log, logger);
  onClose(() => mirroring.stop());
  return { inventory: mirroring.inventory, runLog: log, runLogCondition: log.condition, runMirror: log, startMirror: mirroring.start };
}

/** Asks nothing yet: nobody may have signed in. */
async function openGoogle({ endpoint, env, logger, onClose }: OpenStoresOptions, wanted: GoogleConfiguration): Promise<Drive> {
  const { openGoogleDrive } = await import("../../adapters/drive/drive.ts");
  const drive = openGoogleDrive({
    ...googleOptions(wanted, join(endpoint.stateFolder, "google-drive"), env),
    log: (level, message) => logger[level](message),
  });
  onClose(() => drive.close());
  return drive;
}
