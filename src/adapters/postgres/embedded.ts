/** A real PostgreSQL for one workspace: started on loopback with a random password, found again after its host was killed. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { findBinaries } from "./binaries.ts";
import { type Cluster, clusterIn, dataArgument, ensureCluster, OWNER, type Programs, passwordOf, serverEnvironment } from "./cluster.ts";
import { findPostmaster, isServing, type Postmaster, removeStaleFile, stopPostmaster } from "./postmaster.ts";
import { serverUser } from "./server-user.ts";
import { startFailure } from "./start-failure.ts";

/** Recovery after a kill reads the log since the last checkpoint; on a loaded machine that takes a while. */
const START_TIMEOUT_MS = 90_000;
const POLL_MS = 40;
/** Another may take the port, or sessions of a killed server may need a moment to notice. */
const ATTEMPTS = 10;
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

/** One host's worth of connections, memory for a shared machine, and no shared memory files, of which containers have little. */
const SERVER_SETTINGS = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  max_connections: "60",
  shared_buffers: "64MB",
  max_wal_size: "256MB",
  max_parallel_workers_per_gather: "0",
  log_checkpoints: "off",
  timezone: "UTC",
  log_timezone: "UTC",
  cluster_name: "eda",
};

/** @throws EdaError `unavailable` `postgres-not-starting` with the end of the server's log, `terminal` `disk-full`, and what else keeps it from running */
export async function startEmbeddedPostgres({ stateFolder, log }: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const cluster = clusterIn(stateFolder);
  let server = await survivor(cluster);
  if (server === undefined) {
    const user = serverUser(cluster.dataFolder);
    const programs = { user, binaries: await findBinaries(user) };
    await ensureCluster(cluster, programs);
    server = await launch(cluster, programs);
    log("embedded PostgreSQL started");
  } else {
    log("embedded PostgreSQL was still running: it is used again");
  }
  const { pid, port } = server;
  await ensureDatabase(cluster, port);
  let stopped: Promise<void> | undefined;
  return {
    url: urlOf(cluster, port, OWNER),
    stop: () => {
      stopped ??= stopPostmaster(pid, cluster.dataFolder);
      return stopped;
    },
  };
}

function urlOf(cluster: Cluster, port: number, database: string): string {
  return `postgresql://${OWNER}:${passwordOf(cluster)}@127.0.0.1:${port}/${database}`;
}

/** The server of a host that was killed. One that is still starting is waited for; one that is going down is let go. */
async function survivor(cluster: Cluster): Promise<Postmaster | undefined> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (let found = findPostmaster(cluster.dataFolder); found !== undefined; found = findPostmaster(cluster.dataFolder)) {
    if (await answers(cluster, found.port)) return found;
    if (Date.now() > deadline) throw failure(cluster, 0, `process ${found.pid} holds the database and does not answer`);
    await delay(POLL_MS);
  }
  return undefined;
}

async function launch(cluster: Cluster, programs: Programs): Promise<Postmaster> {
  for (let attempt = 1; ; attempt += 1) {
    removeStaleFile(cluster.dataFolder);
    const logged = logSize(cluster);
    const server = await launchOn(await freePort(), cluster, programs);
    // Another may have started it at the same time: the server itself sees to it that there is one.
    const winner = server ?? (await survivor(cluster));
    if (winner !== undefined) return winner;
    const said = logSince(cluster, logged);
    const passing = /could not bind|Address already in use|pre-existing shared memory block|lock file .* already exists/u.test(said);
    if (!passing || attempt === ATTEMPTS) throw failure(cluster, logged, "it ended at once");
    await delay(attempt * 100);
  }
}

/** @returns undefined when it ended before it answered */
async function launchOn(port: number, cluster: Cluster, programs: Programs): Promise<Postmaster | undefined> {
  const output = openSync(cluster.logFile, logSize(cluster) > MAX_LOG_BYTES ? "w" : "a", 0o600);
  const settings = Object.entries(SERVER_SETTINGS).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const child = spawn(programs.binaries.postgres, ["-D", dataArgument(cluster.dataFolder), "-p", String(port), ...settings], {
    cwd: cluster.dataFolder,
    env: serverEnvironment(),
    detached: true,
    stdio: ["ignore", output, output],
    ...programs.user,
  });
  closeSync(output);
  const ended = endOf(child);
  child.unref();
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!ended() && Date.now() < deadline) {
    // Only once its own file is there: until then, whoever answers on the port is somebody else.
    const pid = findPostmaster(cluster.dataFolder)?.pid;
    if (pid !== undefined && pid === child.pid && (await answers(cluster, port))) return { pid, port };
    await delay(POLL_MS);
  }
  if (child.pid !== undefined && !ended() && isServing(child.pid, cluster.dataFolder)) await stopPostmaster(child.pid, cluster.dataFolder);
  return undefined;
}

function endOf(child: ChildProcess): () => boolean {
  let ended = false;
  for (const event of ["error", "exit"] as const) {
    child.once(event, () => {
      ended = true;
    });
  }
  return () => ended;
}

async function answers(cluster: Cluster, port: number): Promise<boolean> {
  const client = new pg.Client({ connectionString: urlOf(cluster, port, "postgres"), connectionTimeoutMillis: 5_000 });
  client.on("error", () => undefined);
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function ensureDatabase(cluster: Cluster, port: number): Promise<void> {
  const client = new pg.Client({ connectionString: urlOf(cluster, port, "postgres") });
  await client.connect();
  try {
    const { rowCount } = await client.query("SELECT FROM pg_database WHERE datname = $1", [OWNER]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${OWNER}`);
  } finally {
    await client.end();
  }
}

function failure(cluster: Cluster, logged: number, otherwise: string): Error {
  const said = logSince(cluster, logged).trim().split("\n").slice(-4).join(" | ");
  return startFailure(said === "" ? otherwise : said, dirname(cluster.dataFolder));
}

function logSize({ logFile }: Cluster): number {
  return statSync(logFile, { throwIfNoEntry: false })?.size ?? 0;
}

function logSince({ logFile }: Cluster, offset: number): string {
  try {
    const bytes = readFileSync(logFile);
    return bytes.subarray(bytes.length < offset ? 0 : offset).toString();
  } catch {
    return "";
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
