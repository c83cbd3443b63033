/** Real PostgreSQL servers for tests, and databases on them. */
import { type ExecFileSyncOptions, execFileSync, spawn } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { startEmbeddedPostgres } from "../../src/adapters/postgres/embedded.ts";
import { freePort } from "./ports.ts";

export interface TestServer {
  /** A new database, a copy of the given one (to which nobody may be connected) or empty; answers its URL, of a superuser. */
  createDatabase(like?: string): Promise<string>;
  stop(): Promise<void>;
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

/** @param programs see {@link installedPrograms}; the cluster's locale is another one than the embedded server's */
export async function startInstalledServer(programs: string): Promise<TestServer> {
  const folder = mkdtempSync(join(tmpdir(), "eda-postgres-"));
  const user = process.getuid?.() === 0 ? accountOf("postgres") : undefined;
  if (user !== undefined) chownSync(folder, user.uid, user.gid);
  const as = { ...user, stdio: "ignore", cwd: folder } satisfies ExecFileSyncOptions;
  const data = join(folder, "data");
  const layout = ["--username=eda", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"];
  execFileSync(join(programs, "initdb"), ["-D", data, ...layout], as);
  const port = await freePort();
  const settings = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off"].flatMap((setting) => ["-c", setting]);
  const child = spawn(join(programs, "postgres"), ["-D", data, "-p", String(port), ...settings], as);
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const url = `postgresql://eda@127.0.0.1:${port}/postgres`;
  for (const deadline = Date.now() + 60_000; !(await answers(url)); ) {
    if (child.exitCode !== null || Date.now() > deadline) throw new Error("the installed PostgreSQL does not start");
    await delay(50);
  }
  return testServer(url, async () => {
    child.kill("SIGINT");
    await ended;
    rmSync(folder, { recursive: true, force: true });
  });
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
