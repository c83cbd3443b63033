/** Both sides of a move, open: where the workspace's data lie, and where they are to lie. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Pool } from "pg";
import type { Logger } from "pino";
import { openFolderStore } from "../../adapters/local/object-store.ts";
import { openPool } from "../../adapters/postgres/pool.ts";
import { openRunLog } from "../../adapters/postgres/run-log.ts";
import type { Inventory } from "../../ports/inventory.ts";
import type { ObjectStore } from "../../ports/object-store.ts";
import type { RunLog } from "../../ports/run-log.ts";
import type { Endpoint } from "../../protocol/endpoint.ts";
import type { StoresConfiguration } from "../stores/configuration.ts";
import { describeStores, type StoreDescriptions } from "../stores/describe.ts";
import { openStores, type Stores } from "../stores/open.ts";
import { refuseLaterChanges } from "./checks.ts";
import { type PastMoves, pastMoves } from "./past-moves.ts";

const EMBEDDED: StoresConfiguration = {
  objects: { kind: "folder" },
  database: { kind: "embedded" },
  runLog: { kind: "database" },
  drive: { kind: "folder" },
};

export interface Source {
  /** Undefined when objects stay where they are. */
  readonly objects: ObjectStore | undefined;
  readonly inventory: Inventory;
  readonly pool: Pool;
  /** In that database; undefined when logs stay where they are. */
  readonly runLog: RunLog | undefined;
  readonly descriptions: StoreDescriptions;
}

export interface Sides {
  readonly source: Source;
  readonly target: Stores;
  readonly targetPool: Pool;
  /** Otherwise both sides have one database. */
  readonly movesDatabase: boolean;
}

export interface SidesOptions {
  readonly configuration: StoresConfiguration;
  readonly endpoint: Endpoint;
  readonly home: string;
  readonly env: NodeJS.ProcessEnv;
  readonly logger: Logger;
  readonly onClose: (closer: () => Promise<unknown>) => void;
  readonly onLost: (error: unknown) => void;
}

/** @throws EdaError what opening stores throws, and `precondition` `both-changed` */
export async function openSides(options: SidesOptions): Promise<Sides> {
  const { configuration, endpoint, home, onClose } = options;
  const { stateFolder } = endpoint;
  const open = (wanted: StoresConfiguration) => openStores({ ...options, sqlFolder: join(home, "sql"), configuration: wanted });
  const pool = (url: string) => {
    const opened = openPool(url);
    onClose(() => opened.end());
    return opened;
  };

  const target = await open(configuration);
  const targetPool = pool(target.databaseUrl);
  const there = await pastMoves(target.inventory);
  const former = configuration.database.kind === "postgresql" && hasEmbeddedDatabase(stateFolder) ? await open(EMBEDDED) : undefined;
  if (former !== undefined && there.inventoryAt !== undefined) {
    await refuseLaterChanges(former.inventory, there.inventoryAt, target.descriptions.inventory);
  }
  const moving = there.inventoryAt === undefined ? former : undefined;
  const past: PastMoves = moving === undefined ? there : await pastMoves(moving.inventory);
  const sourcePool = moving === undefined ? targetPool : pool(moving.databaseUrl);
  const folder = join(stateFolder, "objects");
  const source: Source = {
    objects: configuration.objects.kind === "s3" && !past.objects && existsSync(folder) ? openFolderStore(folder) : undefined,
    inventory: moving?.inventory ?? target.inventory,
    pool: sourcePool,
    runLog: configuration.runLog.kind === "mongodb" && !past.runLog ? openRunLog(sourcePool) : undefined,
    descriptions: describeStores(moving === undefined ? { ...EMBEDDED, database: configuration.database } : EMBEDDED, folder),
  };
  return { source, target, targetPool, movesDatabase: moving !== undefined };
}

function hasEmbeddedDatabase(stateFolder: string): boolean {
  return existsSync(join(stateFolder, "postgres", "data"));
}
