/** A real PostgreSQL for one workspace: started on loopback with a random password, found again after its host was killed. */
import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync, readlinkSync, realpathSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { EdaError } from "../../domain/errors.ts";
import { type Binaries, findBinaries } from "./binaries.ts";
import { type Cluster, dataArgument, ensureCluster, OWNER } from "./cluster.ts";

/** Recovery after a kill reads the log since the last checkpoint; on a loaded machine that takes a while. */
const START_TIMEOUT_MS = 90_000;
const STOP_TIMEOUT_MS = 30_000;
const POLL_MS = 40;
const BIND_ATTEMPTS = 5;
/** Beyond this the server's log is begun anew at the next start. */
const MAX_LOG_BYTES = 5 * 1024 * 1024;

export interface EmbeddedPostgres {
  /** Holds the password: never log it. */
  readonly url: string;
  /** Ends the server and waits for it. Idempotent. */
  stop(): Promise<void>;
}

export interface EmbeddedOptions {
  /** `.eda` of the workspace. */
  readonly stateFolder: string;
  readonly log: (message: string) => void;
}

/** One host's worth of connections; memory for a shared machine. */
const SERVER_SETTINGS = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  max_connections: "60",
  shared_buffers: "64MB",
  max_wal_size: "256MB",
  log_checkpoints: "off",
  timezone: "UTC",
  cluster_name: "eda",
};

/** @throws EdaError `unavailable` `postgres-not-starting` with the end of the server's log; see also `ensureCluster`, `findBinaries` */
export async function startEmbeddedPostgres({ stateFolder, log }: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const binaries = await findBinaries();
  const cluster = await ensureCluster(stateFolder, binaries);
  const survivor = findServer(cluster);
  const server = survivor ?? (await launch(cluster, binaries));
  log(survivor === undefined ? "embedded PostgreSQL started" : "embedded PostgreSQL was still running: it is used again");
  const url = urlOf(cluster, server.port);
  await ensureDatabase(cluster, server.port);
  let stopped: Promise<void> | undefined;
  return {
    url,
    stop: () => {
      stopped ??= stopServer(cluster, server.pid);
      return stopped;
    },
  };
}

interface Server {
  readonly pid: number;
  readonly port: number;
}

function urlOf(cluster: Cluster, port: number, database = OWNER): string {
  return `postgresql://${OWNER}:${cluster.password}@127.0.0.1:${port}/${database}`;
}

/** The running server of this very folder, by the file it keeps: process id in line 1, port in line 4. */
function findServer({ dataFolder }: Cluster): Server | undefined {
  const file = join(dataFolder, "postmaster.pid");
  let lines: string[];
  try {
    lines = readFileSync(file, "utf8").split("\n");
  } catch {
    return undefined;
  }
  const server = { pid: Number(lines[0]), port: Number(lines[3]) };
  if (isServerOf(server.pid, dataFolder) && server.port > 0) return server;
  // Left by a crash (or copied along with the folder). The server itself would refuse to start if the number were in use again.
  rmSync(file, { force: true });
  return undefined;
}

function isServerOf(pid: number, dataFolder: string): boolean {
  try {
    process.kill(pid, 0);
    return process.platform === "linux" ? readlinkSync(`/proc/${pid}/cwd`) === realpathSync(dataFolder) : true;
  } catch {
    return false;
  }
}

async function launch(cluster: Cluster, binaries: Binaries): Promise<Server> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    const server = await launchOn(port, cluster, binaries);
    if (server !== undefined) return server;
    const tail = logTail(cluster);
    // Somebody took the port between looking and binding.
    if (/could not bind|Address already in use/u.test(tail) && attempt < BIND_ATTEMPTS) continue;
    if (/No space left on device|Disk quota exceeded/u.test(tail)) {
      throw new EdaError("terminal", "disk-full", "The disk is full: the database of this workspace cannot start.", { todo: "Free some space and run again." });
    }
    throw new EdaError("unavailable", "postgres-not-starting", `The embedded PostgreSQL did not start: ${tail}`, { todo: `See ${cluster.logFile}.` });
  }
}

/** @returns undefined when it ended before it answered */
async function launchOn(port: number, cluster: Cluster, binaries: Binaries): Promise<Server | undefined> {
  const tooLong = (statSync(cluster.logFile, { throwIfNoEntry: false })?.size ?? 0) > MAX_LOG_BYTES;
  const output = openSync(cluster.logFile, tooLong ? "w" : "a", 0o600);
  const settings = Object.entries(SERVER_SETTINGS).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const child = spawn(binaries.postgres, ["-D", dataArgument(cluster.dataFolder), "-p", String(port), ...settings], {
    cwd: cluster.dataFolder,
    env: { PATH: process.env.PATH, LC_ALL: "C" },
    detached: true,
    stdio: ["ignore", output, output],
    ...(binaries.user ?? {}),
  });
  closeSync(output);
  let ended = false;
  child.once("error", () => {
    ended = true;
  });
  child.once("exit", () => {
    ended = true;
  });
  child.unref();
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!ended && Date.now() < deadline) {
    if (await answers(urlOf(cluster, port, "postgres"))) return { pid: child.pid as number, port };
    await delay(POLL_MS);
  }
  child.kill("SIGINT");
  return undefined;
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  try {
    await client.connect();
    await client.query("SELECT 1");
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Also the proof that a server found running is ours: nobody else knows the password. */
async function ensureDatabase(cluster: Cluster, port: number): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!(await answers(urlOf(cluster, port, "postgres")))) {
    if (Date.now() > deadline) {
      throw new EdaError("unavailable", "postgres-not-starting", `The embedded PostgreSQL does not answer: ${logTail(cluster)}`, { todo: `See ${cluster.logFile}.` });
    }
    await delay(POLL_MS);
  }
  const client = new pg.Client({ connectionString: urlOf(cluster, port, "postgres") });
  await client.connect();
  try {
    const { rowCount } = await client.query("SELECT 1 FROM pg_database WHERE datname = $1", [OWNER]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${OWNER}`);
  } finally {
    await client.end();
  }
}

/** SIGINT is PostgreSQL's fast shutdown: sessions are ended, everything is written. */
async function stopServer({ dataFolder }: Cluster, pid: number): Promise<void> {
  for (const signal of ["SIGINT", "SIGQUIT"] as const) {
    if (!isServerOf(pid, dataFolder)) return;
    try {
      process.kill(pid, signal);
    } catch {
      return;
    }
    const deadline = Date.now() + STOP_TIMEOUT_MS;
    while (isServerOf(pid, dataFolder) && Date.now() < deadline) await delay(POLL_MS);
  }
}

function logTail({ logFile }: Cluster): string {
  try {
    return readFileSync(logFile, "utf8").trim().split("\n").slice(-4).join(" | ");
  } catch {
    return "no log";
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => (address !== null && typeof address === "object" ? resolve(address.port) : reject(new Error("no port"))));
    });
  });
}
