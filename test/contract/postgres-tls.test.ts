/** The conversation with PostgreSQL encrypted by a certificate of a private authority, on a real server. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { inspect } from "node:util";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { Connection, Tls } from "../../src/adapters/postgres/connection.ts";
import { openInventory } from "../../src/adapters/postgres/inventory.ts";
import { openPool } from "../../src/adapters/postgres/pool.ts";
import { makeCertificates } from "../support/certificates.ts";
import { failureOf } from "../support/database-waits.ts";
import { embeddedPrograms, type InstalledServer, MIGRATIONS, onServer, startInstalledServer } from "../support/postgres.ts";

const PASSWORD = "senha-secreta-do-banco";
const ENCRYPTED = `SELECT ssl, current_setting('application_name') AS name FROM pg_stat_ssl WHERE pid = pg_backend_pid()`;

describe("PostgreSQL over TLS", () => {
  let server: InstalledServer;
  let plainUrl: string;
  let ca: string;
  let caFile: string;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "eda-tls-"));
    const certificates = await makeCertificates(folder);
    ca = certificates.ca;
    caFile = join(certificates.folder, "../ca.crt");
    const read = (name: string) => readFile(join(certificates.folder, name), "utf8");
    server = await startInstalledServer(await embeddedPrograms(), {
      files: {
        // Not on the command line, so that a test may change it.
        "postgresql.auto.conf": "ssl = on\n",
        "server.crt": await read("public.crt"),
        "server.key": await read("private.key"),
        // The superuser of the test itself comes in without; everybody else encrypted and with a password.
        "pg_hba.conf": "host all eda 127.0.0.1/32 trust\nhostssl all ana 127.0.0.1/32 scram-sha-256\n",
      },
    });
    plainUrl = await server.createDatabase();
    await onServer(plainUrl, (client) => client.query(`CREATE ROLE ana SUPERUSER LOGIN PASSWORD '${PASSWORD}'`));
  });
  afterAll(async () => {
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const connection = (tls: Tls | undefined, more: Partial<Connection> = {}): Connection => {
    const { port, pathname } = new URL(plainUrl);
    return {
      host: "127.0.0.1",
      port: Number(port),
      database: pathname.slice(1),
      user: "ana",
      password: PASSWORD,
      ...(tls === undefined ? {} : { tls }),
      ...more,
    };
  };
  const open = (to: string | Connection) => {
    const pool = openPool(to);
    onTestFinished(() => pool.end());
    return { pool, inventory: openInventory(pool, MIGRATIONS) };
  };
  const failing = (to: Connection) => failureOf(open(to).inventory.auditHead());

  it("verifies the server's certificate by the private authority", async () => {
    const { pool, inventory } = open(connection({ ca }));
    expect((await pool.query(ENCRYPTED)).rows).toEqual([{ ssl: true, name: "eda" }]);
    expect(await inventory.migrate()).not.toEqual([]);
  });

  it("does so by a URL too", async () => {
    const url = new URL(plainUrl);
    Object.assign(url, { username: "ana", password: PASSWORD });
    url.search = new URLSearchParams({ sslmode: "verify-full", sslrootcert: caFile }).toString();
    expect((await open(url.href).pool.query(ENCRYPTED)).rows).toEqual([{ ssl: true, name: "eda" }]);
    url.search = "sslmode=verify-full";
    expect(await failureOf(open(url.href).inventory.auditHead())).toMatchObject({ code: "database-certificate" });
  });

  it("talks to nobody whose certificate another authority signed", async () => {
    const stranger = { kind: "precondition", code: "database-certificate" };
    expect(await failing(connection({ ca: (await makeCertificates()).ca }))).toMatchObject(stranger);
    expect(await failing(connection({}))).toMatchObject(stranger);
  });

  it("refuses a certificate that was made for another name, unless only the authority is asked for", async () => {
    expect(await failing(connection({ ca }, { host: "localhost" }))).toMatchObject({ code: "database-certificate" });
    const { pool } = open(connection({ ca, verify: "ca" }, { host: "localhost" }));
    expect((await pool.query(ENCRYPTED)).rows[0]).toMatchObject({ ssl: true });
  });

  it("says that the server does not encrypt, or refuses whoever does not", async () => {
    expect(await failing(connection(undefined))).toMatchObject({ kind: "precondition", code: "database-refused" });
    await onServer(plainUrl, (client) => client.query("ALTER SYSTEM SET ssl = off"));
    await onServer(plainUrl, (client) => client.query("SELECT pg_reload_conf()"));
    onTestFinished(async () => {
      await onServer(plainUrl, (client) => client.query("ALTER SYSTEM SET ssl = on"));
      await onServer(plainUrl, (client) => client.query("SELECT pg_reload_conf()"));
    });
    await expect
      .poll(() => failing(connection({ ca }, { user: "eda" })))
      .toMatchObject({ kind: "precondition", code: "database-without-tls" });
  });

  it("never shows a password: not in an error, whatever is wrong, nor in the pool", async () => {
    const guess = "senha-errada-do-banco";
    const broken = [
      connection({ ca }, { password: guess }),
      connection({ ca }, { port: 1, password: guess }),
      connection(undefined, { password: guess }),
      connection({ ca: "no certificate" }, { password: guess }),
    ];
    for (const each of broken) {
      const { pool, inventory } = open(each);
      const failure = await failureOf(inventory.auditHead());
      expect(failure).toBeInstanceOf(Error);
      expect(inspect([failure, pool], { depth: 20, showHidden: false })).not.toContain(guess);
    }
    for (const url of [`postgresql://ana:${guess}@:bad:/x`, `mysql://ana:${guess}@db/x`]) {
      const failure = (() => {
        try {
          return openPool(url);
        } catch (error) {
          return error;
        }
      })();
      expect(failure).toMatchObject({ kind: "precondition", code: "invalid-database-url" });
      expect(inspect(failure, { depth: 20 })).not.toContain(guess);
    }
  });
});
