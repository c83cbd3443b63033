/** Opens what the configuration names, in order; what is opened here is what the host closes. */
import { hostname } from "node:os";
import { join } from "node:path";
import type { Logger } from "pino";
import { openFolderDrive } from "../../adapters/local/drive.ts";
import { openFolderStore } from "../../adapters/local/object-store.ts";
import { openS3Store } from "../../adapters/minio/object-store.ts";
import { startEmbeddedPostgres } from "../../adapters/postgres/embedded.ts";
import { openInventory } from "../../adapters/postgres/inventory.ts";
import { openPool } from "../../adapters/postgres/pool.ts";
import { openRunLog } from "../../adapters/postgres/run-log.ts";
import { lockForWorkspace } from "../../adapters/postgres/workspace-lock.ts";
import { BUCKETS } from "../../domain/stage.ts";
import type { Services } from "../../pipeline/stage-definition.ts";
import type { ObjectStore } from "../../ports/object-store.ts";
import type { Endpoint } from "../../protocol/endpoint.ts";
import type { PostgresConfiguration, StoresConfiguration } from "./configuration.ts";
import { databaseUrl, s3Options } from "./connections.ts";
import { databaseAddress, describeStores, type StoreDescriptions } from "./describe.ts";
import { reach } from "./reach.ts";

export type Stores = Pick<Services, "objects" | "inventory" | "runLog" | "drive"> & {
  readonly configuration: StoresConfiguration;
  readonly descriptions: StoreDescriptions;
  /** Of the database that the runs' checkpoints are in too. Holds the password: never log it. */
  readonly databaseUrl: string;
};

export interface OpenStoresOptions {
  readonly configuration: StoresConfiguration;
  readonly endpoint: Endpoint;
  /** Folder of the migrations. */
  readonly sqlFolder: string;
  readonly logger: Logger;
  readonly onClose: (closer: () => Promise<unknown>) => void;
  /** The database went to another workspace's host. */
  readonly onLost: (error: unknown) => void;
}

/** @throws EdaError `unavailable` or `precondition`, which names the service and its address */
export async function openStores(options: OpenStoresOptions): Promise<Stores> {
  const { configuration, endpoint, sqlFolder, logger, onClose } = options;
  const { objects: wanted, database } = configuration;
  const url = database.kind === "postgresql" ? await openDatabase(database, options) : await startDatabase(options);
  const pool = openPool(url);
  onClose(() => pool.end());
  const inventory = openInventory(pool, sqlFolder);
  const applied = await inventory.migrate();
  if (applied.length > 0) logger.info({ migrations: applied }, "migrations applied");

  const folder = join(endpoint.stateFolder, "objects");
  const objects = wanted.kind === "s3" ? openObjects(options, wanted) : openFolderStore(folder);
  await reach(wanted.kind === "s3" ? `The object store at ${wanted.endpoint}` : "The object store", () => objects.ensureBuckets(BUCKETS));
  return {
    configuration,
    descriptions: describeStores(configuration, folder),
    databaseUrl: url,
    objects,
    inventory,
    runLog: openRunLog(pool),
    drive: openFolderDrive(endpoint.workspace),
  };
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
  const lock = await reach(`PostgreSQL at ${databaseAddress(database)}`, () => lockForWorkspace({ url, holder, onLost }));
  onClose(() => lock.release());
  return url;
}

function openObjects(
  { endpoint, onClose }: OpenStoresOptions,
  wanted: StoresConfiguration["objects"] & { readonly kind: "s3" },
): ObjectStore {
  const store = openS3Store({ ...s3Options(wanted), uploadNotes: join(endpoint.stateFolder, "uploads") });
  onClose(() => store.close());
  return store;
}
