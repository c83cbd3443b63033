/** Real servers behind a workspace's stores, and the environment that names them. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Document, MongoClient } from "mongodb";
import { openS3Store, type S3Store } from "../../src/adapters/minio/object-store.ts";
import { type DriveServer, startDriveServer } from "./drive-server/server.ts";
import { embeddedPrograms, type InstalledServer, installedPrograms, startInstalledServer } from "./postgres.ts";
import { minioProgram, type S3Server, startMinio } from "./servers/minio.ts";
import { type MongoServer, mongoProgram, newDatabaseName, startMongo } from "./servers/mongo.ts";

/** What a test on real stores needs beside the PostgreSQL that is always there. */
export const hasRealStores = minioProgram !== undefined && mongoProgram !== undefined;

export const DRIVE_OWNER = "ana@example.com";
/** Acts for her. */
export const SERVICE_ACCOUNT = "eda@fake-drive.iam.gserviceaccount.com";

export interface RealStores {
  readonly objectServer: S3Server;
  readonly databaseServer: InstalledServer;
  readonly logServer: MongoServer;
  readonly driveServer: DriveServer;
  /** Names the servers, and a new, empty database on each. */
  environment(): Promise<{ readonly env: NodeJS.ProcessEnv; readonly databaseUrl: string }>;
  /** Values that must never be seen anywhere. */
  readonly secrets: readonly string[];
  openObjects(): S3Store;
  /** Puts what lies in a local folder into the Drive, under the folder's own path; answers the id of that folder. */
  fillDrive(workspace: string, folder: string): string;
  /** What a collection of the environment's run log holds, read without the adapter. */
  documents(env: NodeJS.ProcessEnv, collection: string, filter: Document): Promise<readonly Document[]>;
  stop(): Promise<void>;
}

export interface RealStoresOptions {
  /** Where MinIO's data lie; a temporary folder when absent. */
  readonly objectsFolder?: string;
}

/** MinIO, the PostgreSQL of the machine or else of the package, the protocol of MongoDB, and that of Google Drive. */
export async function startRealStores({ objectsFolder }: RealStoresOptions = {}): Promise<RealStores> {
  const programs = installedPrograms() ?? (await embeddedPrograms());
  const [objectServer, logServer, driveServer, databaseServer] = await Promise.all([
    startMinio(objectsFolder === undefined ? {} : { parent: objectsFolder }),
    startMongo({ authentication: true }),
    startDriveServer({ accounts: [DRIVE_OWNER] }),
    startInstalledServer(programs),
  ]);
  const { access } = objectServer;
  const { uri, user, password: logPassword } = logServer.access;
  const secretFolder = mkdtempSync(join(tmpdir(), "eda-secret-"));
  const secretFile = join(secretFolder, "s3");
  const keyFile = await driveServer.writeServiceAccount(secretFolder, SERVICE_ACCOUNT, [DRIVE_OWNER]);
  writeFileSync(secretFile, `${access.secretKey}\n`, { mode: 0o600 });
  const password = "senha-do-banco";
  const opened: S3Store[] = [];
  return {
    objectServer,
    databaseServer,
    logServer,
    driveServer,
    secrets: [access.secretKey, password, logPassword as string],
    async environment() {
      const databaseUrl = await databaseServer.createDatabase();
      const withPassword = new URL(databaseUrl);
      if (withPassword.password === "") withPassword.password = password;
      return {
        databaseUrl,
        env: {
          EDA_S3_ENDPOINT: access.endpoint,
          EDA_S3_ACCESS_KEY: access.accessKey,
          EDA_S3_SECRET_KEY_FILE: secretFile,
          EDA_DATABASE_URL: withPassword.href,
          EDA_MONGODB_URI: uri.replace("mongodb://", `mongodb://${user}:${logPassword}@`),
          EDA_MONGODB_DATABASE: newDatabaseName(),
          EDA_DRIVE: "google",
          EDA_GOOGLE_ACCOUNT: DRIVE_OWNER,
          EDA_GOOGLE_CREDENTIALS_FILE: keyFile,
          EDA_GOOGLE_API_ROOT: driveServer.url,
          EDA_GOOGLE_OAUTH_ROOT: driveServer.url,
        },
      };
    },
    openObjects() {
      const store = openS3Store(access);
      opened.push(store);
      return store;
    },
    fillDrive: (workspace, folder) => fillDrive(driveServer, workspace, folder),
    async documents(env, collection, filter) {
      const client = new MongoClient(env["EDA_MONGODB_URI"] as string);
      try {
        return await client.db(env["EDA_MONGODB_DATABASE"]).collection(collection).find(filter).sort({ sequencia: 1 }).toArray();
      } finally {
        await client.close();
      }
    },
    async stop() {
      for (const store of opened) await store.close();
      await Promise.all([objectServer.stop(), databaseServer.stop(), logServer.stop(), driveServer.close()]);
      rmSync(secretFolder, { recursive: true, force: true });
    },
  };
}

/** Puts what lies in a folder of the workspace into the Drive, under the folder's own path; answers the folder's id. */
export function fillDrive(server: DriveServer, workspace: string, folder: string): string {
  const { state } = server;
  const parent = folder.split("/").reduce<string | undefined>((id, name) => {
    const known = state.children(id ?? "root").find((item) => item.name === name);
    return known?.id ?? state.addFolder({ name, ...(id === undefined ? {} : { parent: id }) });
  }, undefined);
  fill(server, join(workspace, folder), parent as string);
  return parent as string;
}

function fill(server: DriveServer, folder: string, parent: string): void {
  const { state } = server;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) fill(server, path, state.addFolder({ name: entry.name, parent }));
    else state.addFile({ name: entry.name, parent, content: readFileSync(path), modifiedAt: statSync(path).mtime });
  }
}
