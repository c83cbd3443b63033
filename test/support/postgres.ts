/** Real PostgreSQL servers for tests, and databases on them. */
import { randomBytes } from "node:crypto";
import { type ExecFileSyncOptions, execFileSync, spawn } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { onTestFinished } from "vitest";
import { findBinaries } from "../../src/adapters/postgres/binaries.ts";
import { startEmbeddedPostgres } from "../../src/adapters/postgres/embedded.ts";
import { serverUser } from "../../src/adapters/postgres/server-user.ts";
import { ROOT } from "./host.ts";
import { freePort } from "./ports.ts";

export const MIGRATIONS = join(ROOT, "sql");

export interface TestServer {
  /** A new database, a copy of the given one (to which nobody may be connected) or empty; answers its URL, of a superuser. */
  createDatabase(like?: string): Promise<string>;
  stop(): Promise<void>;
}

export interface InstalledServer extends TestServer {
  /**
   * Ends the server, in order (`fast`: sessions are told) or as a crash does (`immediate`), and starts it again at the same address.
   * @param downMs how long it is away besides
   */
  restart(how: "fast" | "immediate", downMs?: number): Promise<void>;
}

export interface InstalledServerOptions {
  /** Settings of the server, `name=value`. */
  readonly settings?: readonly string[];
  /** Files to lay beside the data, readable by the server alone. */
  readonly files?: Readonly<Record<string, string>>;
}

/** The server that a workspace gets when nothing is configured. */
export async function startEmbeddedServer(): Promise<TestServer> {
  const folder = mkdtempSync(join(tmpdir(), "eda-postgres-"));
  const server = await startEmbeddedPostgres({ stateFolder: folder, log: () => undefined });
  // Nobody needs these data after a power cut, and syncing each new database takes longer than most tests.
  await onServer(server.url, (client) => client.query("ALTER SYSTEM SET fsync = off"));
  await onServer(server.url, (client) => client.query("SELECT pg_reload_conf()"));
  return testServer(server.url, async () => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });
}

const DEBIAN = "/usr/lib/postgresql";

/** Folder of the programs of the PostgreSQL that the machine has of its own. A test that needs it is skipped without, saying so. */
export function installedPrograms(): string | undefined {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).map((version) => join(DEBIAN, version, "bin")) : [];
  const folders = [...(process.env.PATH ?? "").split(delimiter), ...versions.toSorted().toReversed()];
  const found = folders.find((folder) => existsSync(join(folder, "initdb")) && existsSync(join(folder, "postgres")));
  if (found === undefined) console.warn("skipped: no PostgreSQL is installed here (neither on the PATH nor as Debian does)");
  return found;
}

/** Folder of the programs of the server that comes with the package, for a server that a test can restart. */
export async function embeddedPrograms(): Promise<string> {
  return dirname((await findBinaries(serverUser(tmpdir()))).postgres);
}

/** @param programs see {@link installedPrograms}; the cluster's locale is another one than the embedded server's */
export async function startInstalledServer(
  programs: string,
  { settings = [], files = {} }: InstalledServerOptions = {},
): Promise<InstalledServer> {
  const folder = mkdtempSync(join(tmpdir(), "eda-postgres-"));
  const user = process.getuid?.() === 0 ? accountOf("postgres") : undefined;
  if (user !== undefined) chownSync(folder, user.uid, user.gid);
  const as = { ...user, stdio: "ignore", cwd: folder } satisfies ExecFileSyncOptions;
  const data = join(folder, "data");
  const layout = ["--username=eda", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"];
  execFileSync(join(programs, "initdb"), ["-D", data, ...layout], as);
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(data, name), text, { mode: 0o600 });
    if (user !== undefined) chownSync(join(data, name), user.uid, user.gid);
  }
  const port = await freePort();
  const url = `postgresql://eda@127.0.0.1:${port}/postgres`;
  const all = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off", ...settings].flatMap((setting) => ["-c", setting]);
  const launch = async (): Promise<(signal: NodeJS.Signals) => Promise<void>> => {
    const child = spawn(join(programs, "postgres"), ["-D", data, "-p", String(port), ...all], as);
    const ended = new Promise((resolve) => child.once("exit", resolve));
    for (const deadline = Date.now() + 60_000; !(await answers(url)); ) {
      if (child.exitCode !== null || Date.now() > deadline) throw new Error("the installed PostgreSQL does not start");
      await delay(50);
    }
    return async (signal) => {
      child.kill(signal);
      await ended;
    };
  };
  let end = await launch();
  const server = testServer(url, async () => {
    await end("SIGINT");
    rmSync(folder, { recursive: true, force: true });
  });
  return {
    ...server,
    async restart(how, downMs = 0) {
      await end(how === "fast" ? "SIGINT" : "SIGQUIT");
      await delay(downMs);
      end = await launch();
    },
  };
}

function testServer(url: string, stop: () => Promise<void>): TestServer {
  let databases = 0;
  return {
    stop,
    async createDatabase(like) {
      databases += 1;
      const name = `teste_${databases}`;
      const template = like === undefined ? "template1" : new URL(like).pathname.slice(1);
      await onServer(url, (client) => client.query(`CREATE DATABASE ${name} TEMPLATE ${template}`));
      const own = new URL(url);
      own.pathname = `/${name}`;
      return own.href;
    },
  };
}

export interface TestLogin {
  readonly name: string;
  /** URL of the database for this login. */
  on(url: string): string;
}

/** A login with a password and few rights, to the end of the test. Owning is of the database and its schema. */
export async function temporaryLogin(
  url: string,
  {
    memberOf,
    owns = false,
    createsRoles = false,
  }: { readonly memberOf?: string; readonly owns?: boolean; readonly createsRoles?: boolean },
): Promise<TestLogin> {
  const name = `conta_${randomBytes(4).toString("hex")}`;
  const password = randomBytes(16).toString("hex");
  await onServer(url, async (client) => {
    await client.query(`CREATE ROLE ${name} LOGIN PASSWORD '${password}' ${createsRoles ? "CREATEROLE" : ""}`);
    if (memberOf !== undefined) await client.query(`GRANT ${memberOf} TO ${name}`);
    if (owns) await client.query(`ALTER DATABASE ${new URL(url).pathname.slice(1)} OWNER TO ${name}; ALTER SCHEMA public OWNER TO ${name}`);
  });
  onTestFinished(async () => {
    await onServer(url, (client) => client.query(`REASSIGN OWNED BY ${name} TO eda; DROP OWNED BY ${name}; DROP ROLE ${name}`));
  });
  return {
    name,
    on(database) {
      const own = new URL(database);
      own.username = name;
      own.password = password;
      return own.href;
    },
  };
}

/** Work on a connection of its own. */
export async function onServer<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function answers(url: string): Promise<boolean> {
  return onServer(url, async () => true).catch(() => false);
}

function accountOf(name: string): { readonly uid: number; readonly gid: number } {
  const accounts = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .map((line) => line.split(":"));
  const fields = accounts.find(([account]) => account === name);
  if (fields === undefined) throw new Error(`there is no user ${name}`);
  return { uid: Number(fields[2]), gid: Number(fields[3]) };
}
