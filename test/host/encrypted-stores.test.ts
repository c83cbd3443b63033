/** Servers that a private authority vouches for: reached with its certificate, over TLS only, and not without it. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { EdaError } from "../../src/domain/errors.ts";
import { Doctor } from "../../src/protocol/messages.ts";
import { type Certificates, makeCertificates } from "../support/certificates.ts";
import { openTestHost } from "../support/host.ts";
import { installedPrograms, onServer, startInstalledServer, type TestServer } from "../support/postgres.ts";
import { hasRealStores } from "../support/real-stores.ts";
import { type S3Server, startMinio } from "../support/servers/minio.ts";
import { type MongoServer, startMongo } from "../support/servers/mongo.ts";
import { temporaryFolder } from "../support/small-project.ts";
import { createWorkspace, type TestWorkspace } from "../support/workspace.ts";

const programs = installedPrograms();

describe.skipIf(!hasRealStores || programs === undefined)("stores behind TLS", () => {
  let authority: string;
  let certificates: Certificates;
  let objects: S3Server;
  let database: TestServer;
  let log: MongoServer;
  let workspace: TestWorkspace;

  beforeAll(async () => {
    authority = temporaryFolder("authority");
    certificates = await makeCertificates(authority);
    const { folder } = certificates;
    [objects, database, log] = await Promise.all([
      startMinio({ certificates: folder }),
      startInstalledServer(programs as string, {
        settings: ["ssl=on", "ssl_cert_file=server.crt", "ssl_key_file=server.key"],
        files: {
          "server.crt": readFileSync(join(folder, "public.crt"), "utf8"),
          "server.key": readFileSync(join(folder, "private.key"), "utf8"),
        },
      }),
      startMongo({ authentication: true, certificates: folder }),
    ]);
    workspace = createWorkspace("tls");
  });
  afterAll(async () => {
    workspace?.remove();
    await Promise.all([objects?.stop(), database?.stop(), log?.stop()]);
    rmSync(authority, { recursive: true, force: true });
  });

  const secrets = () => ({ EDA_S3_SECRET_KEY: objects.access.secretKey, EDA_MONGODB_PASSWORD: log.access.password });
  /** As people write it: addresses in the file, certificates beside it. */
  const configure = (url: string, tls: string) => {
    const { hostname, port, pathname } = new URL(url);
    writeFileSync(
      join(workspace.folder, "configs", "eda.yaml"),
      `stores:
  objects: { endpoint: "${objects.access.endpoint}", accessKey: ${objects.access.accessKey}${tls} }
  database: { host: ${hostname}, port: ${port}, database: ${pathname.slice(1)}${tls} }
  runLog: { uri: "${log.access.uri}", user: ${log.access.user}${tls} }
`,
    );
  };

  it("are reached with the authority's certificate, the checkpoints' connections too", async () => {
    const url = await database.createDatabase();
    configure(url, `, tls: { ca: ${join(authority, "ca.crt")} }`);
    const host = await openTestHost(workspace.folder, { env: secrets() });
    try {
      for (const stage of ["capture", "ingest"] as const) {
        const summary = await host.run(stage);
        expect(summary, JSON.stringify(summary.error)).toMatchObject({ state: "succeeded" });
      }
      const checks = await host.rpc.sendRequest(Doctor);
      const states = Object.fromEntries(checks.map(({ name, state }) => [name, state]));
      expect(states).toMatchObject({ "object store": "ok", postgresql: "ok", migrations: "ok", "run log": "ok" });
      const { rows } = await onServer(url, (client) =>
        client.query(
          `SELECT ssl, count(*)::int AS sessions FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
           WHERE datname = current_database() AND pid <> pg_backend_pid() GROUP BY ssl`,
        ),
      );
      expect(rows).toEqual([{ ssl: true, sessions: expect.any(Number) }]);
    } finally {
      await host.stop();
    }
  });

  it("are refused without it, with what to give", async () => {
    const url = await database.createDatabase();
    configure(url, "");
    const failure = await openTestHost(workspace.folder, { env: secrets() }).then(
      (host) => host.stop().then(() => undefined),
      (error: EdaError) => error,
    );
    expect(failure).toMatchObject({ kind: "precondition", code: "store-untrusted", todo: expect.stringContaining("EDA_S3_CA") });
  });

  it("are not reached with a certificate that is gone, which is named", async () => {
    configure(await database.createDatabase(), ", tls: { ca: infra/ca.pem }");
    const failure = await openTestHost(workspace.folder, { env: secrets() }).catch((error: EdaError) => error);
    expect(failure).toMatchObject({
      kind: "precondition",
      code: "certificate-unreadable",
      message: expect.stringContaining(join(workspace.folder, "infra", "ca.pem")),
    });
  });
});
