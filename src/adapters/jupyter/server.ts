/**
 * A Jupyter server of our own, one a job: on loopback, with a random token that never is on a command line, rooted in the job's
 * folder, in a process group of its own. It leaves a file with its processes, so that a server that outlived a killed host is
 * recognised and stopped.
 */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { EdaError, throwIfAborted } from "../../domain/errors.ts";
import { safeSegment } from "../../domain/names.ts";
import { endProcess, identify, isAlive, type ProcessIdentity } from "./processes.ts";
import type { Python } from "./python.ts";

/** A server imports some hundred modules; on a loaded machine that takes most of a minute. */
const START_TIMEOUT_MS = 120_000;
const STOP_GRACE_MS = 5_000;

export interface JupyterAddress {
  /** Ends with `/`. */
  readonly url: string;
  readonly token: string;
}

export interface LocalServer extends JupyterAddress {
  /** Remembers the kernel's process: it has a process group of its own, so it must be ended by itself. */
  registerKernel(pid: number): void;
  /** Ends server and kernel, and removes every trace. Idempotent. */
  stop(): Promise<void>;
}

interface JobProcesses {
  readonly owner: ProcessIdentity;
  readonly server?: ProcessIdentity;
  readonly kernel?: ProcessIdentity;
}

export interface LocalServerOptions {
  /** `.eda` of the workspace. */
  readonly stateFolder: string;
  readonly job: string;
  /** Root of the server's files and working folder of kernels. */
  readonly rootFolder: string;
  readonly python: Python;
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
}

/** @throws EdaError `unavailable` `jupyter-not-starting` with the end of the server's log */
export async function startLocalServer(options: LocalServerOptions): Promise<LocalServer> {
  const folder = join(jobsFolder(options.stateFolder), safeSegment(options.job));
  await stopJob(folder);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  const token = randomBytes(32).toString("hex");
  const runtime = join(folder, "runtime");
  for (const name of ["config", "data", "runtime", "ipython"]) mkdirSync(join(folder, name), { mode: 0o700 });
  writeFileSync(
    join(folder, "config", "jupyter_server_config.json"),
    JSON.stringify(serverConfig(options.rootFolder, token, await freePort())),
    {
      mode: 0o600,
    },
  );
  const logFile = join(folder, "server.log");
  const output = openSync(logFile, "w", 0o600);
  const child = spawn(options.python.executable, ["-m", "jupyter_server"], {
    cwd: options.rootFolder,
    env: serverEnvironment(options.env, folder),
    detached: true,
    stdio: ["ignore", output, output],
  });
  closeSync(output);
  let ended: string | undefined;
  child.once("error", (error) => {
    ended = error.message;
  });
  child.once("exit", (code, signal) => {
    ended = `exit ${code ?? signal}`;
  });
  child.unref();
  const owner = identify(process.pid) as ProcessIdentity;
  const server = child.pid === undefined ? undefined : identify(child.pid);
  let processes: JobProcesses = { owner, ...(server === undefined ? {} : { server }) };
  writeProcesses(folder, processes);
  const stop = () => stopJob(folder);
  try {
    const url = await waitForServer(runtime, token, () => ended, logFile, options.signal);
    return {
      url,
      token,
      registerKernel: (pid) => {
        const kernel = identify(pid);
        if (kernel === undefined) return;
        processes = { ...processes, kernel };
        writeProcesses(folder, processes);
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * Ends servers and kernels whose host is gone (killed), and removes their folders.
 * @param job of this process; it is ended as well, for a job that starts over
 * @returns names of the jobs stopped
 */
export async function stopLeftoverServers(stateFolder: string, job?: string): Promise<readonly string[]> {
  const base = jobsFolder(stateFolder);
  const stopped: string[] = [];
  for (const name of listFolders(base)) {
    const folder = join(base, name);
    const processes = readProcesses(folder);
    if (processes !== undefined && isAlive(processes.owner) && name !== (job === undefined ? undefined : safeSegment(job))) continue;
    await stopJob(folder);
    stopped.push(name);
  }
  return stopped;
}

async function stopJob(folder: string): Promise<void> {
  const processes = readProcesses(folder);
  if (processes?.server !== undefined) await endProcess(processes.server, STOP_GRACE_MS);
  // A server that ends properly takes its kernels along; a busy or orphaned kernel is still there.
  if (processes?.kernel !== undefined) await endProcess(processes.kernel, 0);
  rmSync(folder, { recursive: true, force: true });
}

function jobsFolder(stateFolder: string): string {
  return join(stateFolder, "jupyter");
}

function serverConfig(rootFolder: string, token: string, port: number): object {
  return {
    ServerApp: {
      ip: "127.0.0.1",
      port,
      port_retries: 50,
      root_dir: rootFolder,
      open_browser: false,
      terminals_enabled: false,
      allow_root: process.getuid?.() === 0,
    },
    IdentityProvider: { token },
    // The server would drop output of a talkative cell; we bound it ourselves, and say so.
    ZMQChannelsWebsocketConnection: { limit_rate: false },
  };
}

/** Neither the person's Jupyter configuration nor the host's secrets take part in a job. */
function serverEnvironment(env: NodeJS.ProcessEnv, folder: string): NodeJS.ProcessEnv {
  const secret = /^(EDA_|PG|AWS_|MINIO_|MONGO|GOOGLE_|JUPYTER_|JPY_)|TOKEN|SECRET|PASSW|CREDENTIAL|PRIVATE_KEY|API_?KEY/iu;
  const kept = Object.fromEntries(Object.entries(env).filter(([name]) => !secret.test(name)));
  return {
    ...kept,
    JUPYTER_CONFIG_DIR: join(folder, "config"),
    JUPYTER_DATA_DIR: join(folder, "data"),
    JUPYTER_RUNTIME_DIR: join(folder, "runtime"),
    JUPYTER_PREFER_ENV_PATH: "1",
    JUPYTER_PLATFORM_DIRS: "1",
    IPYTHONDIR: join(folder, "ipython"),
    PYTHONUNBUFFERED: "1",
  };
}

/** The server writes where it really listens to `jpserver-<pid>.json` before it serves. */
async function waitForServer(
  runtime: string,
  token: string,
  ended: () => string | undefined,
  logFile: string,
  signal: AbortSignal,
): Promise<string> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < deadline && ended() === undefined) {
    throwIfAborted(signal);
    const url = readAddress(runtime);
    if (url !== undefined && (await answers(url, token))) return url;
    await delay(100);
  }
  const tail = readFileSync(logFile, "utf8").replaceAll(token, "…").trim().split("\n").slice(-5).join(" | ");
  throw new EdaError("unavailable", "jupyter-not-starting", `The local Jupyter server did not start (${ended() ?? "no answer"}): ${tail}`, {
    todo: "Check it with: python -m jupyter_server --version, using the Python in EDA_PYTHON.",
  });
}

function readAddress(runtime: string): string | undefined {
  const file = readdirSync(runtime).find((name) => /^jpserver-\d+\.json$/u.test(name));
  if (file === undefined) return undefined;
  try {
    const info = JSON.parse(readFileSync(join(runtime, file), "utf8")) as { readonly port: number; readonly base_url: string };
    return `http://127.0.0.1:${info.port}${info.base_url}`;
  } catch {
    return undefined; // Being written.
  }
}

async function answers(url: string, token: string): Promise<boolean> {
  try {
    const response = await fetch(new URL("api/status", url), {
      headers: { authorization: `token ${token}` },
      signal: AbortSignal.timeout(5_000),
    });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address !== null ? address.port : 8888));
    });
  });
}

function writeProcesses(folder: string, processes: JobProcesses): void {
  writeFileSync(join(folder, "processes.json"), JSON.stringify(processes), { mode: 0o600 });
}

function readProcesses(folder: string): JobProcesses | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, "processes.json"), "utf8")) as JobProcesses;
  } catch {
    return undefined;
  }
}

function listFolders(base: string): string[] {
  try {
    return readdirSync(base, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  } catch {
    return [];
  }
}
