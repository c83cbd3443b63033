/** Real servers behind a workspace's stores, and the environment that names them. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openS3Store, type S3Store } from "../../src/adapters/minio/object-store.ts";
import { installedPrograms, startEmbeddedServer, startInstalledServer, type TestServer } from "./postgres.ts";
import { type S3Server, startMinio } from "./servers/minio.ts";

export interface RealStores {
  readonly objectServer: S3Server;
  readonly databaseServer: TestServer;
  /** Names the object store and a new, empty database. */
  environment(): Promise<{ readonly env: NodeJS.ProcessEnv; readonly databaseUrl: string }>;
  /** Values that must never be seen anywhere. */
  readonly secrets: readonly string[];
  openObjects(): S3Store;
  stop(): Promise<void>;
}

/** MinIO, and the PostgreSQL of the machine, or else another one of ours. */
export async function startRealStores(): Promise<RealStores> {
  const programs = installedPrograms();
  const [objectServer, databaseServer] = await Promise.all([
    startMinio(),
    programs === undefined ? startEmbeddedServer() : startInstalledServer(programs),
  ]);
  const { access } = objectServer;
  const secretFile = join(mkdtempSync(join(tmpdir(), "eda-secret-")), "s3");
  writeFileSync(secretFile, `${access.secretKey}\n`, { mode: 0o600 });
  const password = "senha-do-banco";
  const opened: S3Store[] = [];
  return {
    objectServer,
    databaseServer,
    secrets: [access.secretKey, password],
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
        },
      };
    },
    openObjects() {
      const store = openS3Store(access);
      opened.push(store);
      return store;
    },
    async stop() {
      for (const store of opened) await store.close();
      await Promise.all([objectServer.stop(), databaseServer.stop()]);
    },
  };
}
