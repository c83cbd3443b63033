/** Reaching the host of a workspace from any client: connect, start it when there is none, restart it when it is of another build. */
import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { createConnection, type Socket } from "node:net";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import {
  createMessageConnection,
  type MessageConnection,
  ResponseError,
  SocketMessageReader,
  SocketMessageWriter,
} from "vscode-jsonrpc/node";
import { EdaError, type ErrorDocument, errorFromDocument } from "../domain/errors.ts";
import { storeEnvironment } from "../domain/store-variables.ts";
import { type Endpoint, endpointOf } from "./endpoint.ts";
import { Hello, type HelloParams, type HostStatus, PROTOCOL_VERSION, Stop } from "./messages.ts";
import { readStartFailure } from "./start-failure.ts";

/** How a client starts a host: a Node program and the host's entry file. */
export interface HostProgram {
  readonly node: string;
  readonly main: string;
  readonly env: NodeJS.ProcessEnv;
}

export interface ConnectOptions {
  readonly workspace: string;
  readonly client: HelloParams["client"];
  /** Build of this client's installation; see {@link HelloParams.build}. */
  readonly build: string;
  /** Absent: never start a host, answer `unavailable` when none runs. */
  readonly program?: HostProgram;
  readonly onStarting?: () => void;
}

export interface HostConnection {
  readonly rpc: MessageConnection;
  readonly status: HostStatus;
  dispose(): void;
}

/**
 * How V8 is to collect garbage. By itself it lets the heap of a run over many files grow by hundreds of megabytes before it looks, although
 * most of them are garbage; looking sooner costs a quarter of a second in a run of half a minute (docs/benchmarks.md).
 */
const HEAP_FLAGS = ["--max-semi-space-size=4", "--initial-old-space-size=48", "--heap-growing-percent=12"];
/**
 * Read once by glibc when the process starts: memory that is free again goes back to the system, whatever the largest buffer was. The host takes
 * it out of its environment, for what it starts has other needs. https://man7.org/linux/man-pages/man3/mallopt.3.html
 */
const ALLOCATOR_ENV = { MALLOC_TRIM_THRESHOLD_: String(128 * 1024) };
/** A first start creates a database cluster; on a loaded machine that takes most of a minute. */
const START_TIMEOUT_MS = 120_000;
const CONNECT_INTERVAL_MS = 50;

/**
 * Connects to the workspace's host. An idle one of another build or with other stores is restarted.
 * @throws EdaError `unavailable` when it cannot be started or reached, or what keeps it from opening its stores; `precondition` `host-busy`
 *   when it ought to be restarted and has active runs
 */
export async function connectHost(options: ConnectOptions): Promise<HostConnection> {
  const endpoint = endpointOf(options.workspace);
  const first = await tryConnect(endpoint, options);
  if (first !== undefined) {
    const unfit = options.program === undefined ? undefined : unfitness(first.status, options.build, options.program.env);
    if (unfit === undefined) return first;
    await stopUnfit(first, unfit);
    await waitUntilGone(endpoint);
  } else if (options.program === undefined) {
    throw new EdaError("unavailable", "host-not-running", "No eda host is running for this workspace.", {
      todo: "Start it with: eda host start",
    });
  }
  options.onStarting?.();
  return startAndConnect(endpoint, options, options.program as HostProgram);
}

/**
 * Ends the workspace's host, if one runs, and waits until it answers no more; it may need some seconds to close its stores.
 * @throws EdaError `precondition` `runs-active`, `unavailable` `host-not-stopping`
 */
export async function stopHost(workspace: string): Promise<void> {
  const endpoint = endpointOf(workspace);
  // Of any build: the handshake with another one allows this much.
  const connection = await tryConnect(endpoint, { workspace, client: "cli", build: "" });
  if (connection === undefined) return;
  try {
    await call(connection.rpc.sendRequest(Stop, { force: false }));
  } catch (error) {
    if (!(error instanceof EdaError) || error.code !== "host-lost") throw error;
  } finally {
    connection.dispose();
  }
  await waitUntilGone(endpoint);
}

/** Rejects with the {@link EdaError} that the host sent, instead of JSON-RPC's own error. */
export async function call<T>(request: Promise<T>): Promise<T> {
  try {
    return await request;
  } catch (error) {
    if (error instanceof ResponseError && isErrorDocument(error.data)) throw errorFromDocument(error.data);
    if (error instanceof EdaError) throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw new EdaError("unavailable", "host-lost", `The eda host went away: ${message}`, {
      todo: "Run the command again; interrupted runs go on by themselves.",
      cause: error,
    });
  }
}

function isErrorDocument(data: unknown): data is ErrorDocument {
  return typeof data === "object" && data !== null && "kind" in data && "code" in data && "message" in data;
}

/**
 * What keeps a running host from serving this client, as the end of a sentence. A client whose environment names no stores takes those of
 * the host; otherwise two clients with different environments would restart it in turn.
 */
function unfitness(status: HostStatus, build: string, env: NodeJS.ProcessEnv): string | undefined {
  if (status.protocol !== PROTOCOL_VERSION || status.build !== build) return `is of another version (${status.build})`;
  const wanted = storeEnvironment(env);
  if (wanted !== null && wanted !== status.storeEnvironment) return "was started with other EDA_ variables for its stores";
  return status.storesChanged && status.activeRuns.length === 0 ? "has other stores open than the settings name" : undefined;
}

async function stopUnfit(connection: HostConnection, unfit: string): Promise<void> {
  const { activeRuns } = connection.status;
  try {
    await call(connection.rpc.sendRequest(Stop, { force: false }));
  } catch (error) {
    if (error instanceof EdaError && error.code === "host-lost") return;
    throw new EdaError("precondition", "host-busy", `The running host ${unfit} and has ${activeRuns.length} active run(s).`, {
      todo: "Wait for them to end (eda runs), then try again: the host is then restarted by itself.",
      cause: error,
    });
  } finally {
    connection.dispose();
  }
}

async function waitUntilGone(endpoint: Endpoint): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (Date.now() < deadline) {
    const socket = await openSocket(endpoint.socket);
    if (socket === undefined) return;
    socket.destroy();
    await delay(100);
  }
  throw new EdaError("unavailable", "host-not-stopping", "The running host did not stop in time.", { todo: `See ${endpoint.logFile}.` });
}

async function startAndConnect(endpoint: Endpoint, options: ConnectOptions, program: HostProgram): Promise<HostConnection> {
  mkdirSync(dirname(endpoint.logFile), { recursive: true });
  const errorFile = join(dirname(endpoint.logFile), "host.stderr.log");
  let child = spawnHost(endpoint, program, errorFile);
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < deadline) {
    const connection = await tryConnect(endpoint, options);
    if (connection !== undefined) return connection;
    if (child.failure !== undefined) break;
    // Another one has the place: a winner of the race, who will answer, or one that is just stopping, who will not.
    if (child.hasLeft) child = spawnHost(endpoint, program, errorFile);
    await delay(CONNECT_INTERVAL_MS);
  }
  const told = child.failure === undefined ? undefined : readStartFailure(endpoint, child.pid);
  if (told !== undefined) throw told;
  throw new EdaError("unavailable", "host-not-starting", `The eda host did not start (${child.failure ?? "no answer"}).`, {
    todo: `See ${endpoint.logFile} and ${errorFile}.`,
  });
}

interface SpawnedHost {
  /** It ended because another host is there. */
  hasLeft: boolean;
  failure: string | undefined;
  readonly pid: number | undefined;
}

function spawnHost(endpoint: Endpoint, program: HostProgram, errorFile: string): SpawnedHost {
  const errors = openSync(errorFile, "a");
  const process = spawn(program.node, [...HEAP_FLAGS, program.main, "--workspace", endpoint.workspace], {
    cwd: endpoint.workspace,
    env: { ...program.env, ...ALLOCATOR_ENV },
    detached: true,
    stdio: ["ignore", errors, errors],
  });
  closeSync(errors);
  const host: SpawnedHost = { hasLeft: false, failure: undefined, pid: process.pid };
  process.once("error", (error) => {
    host.failure = error.message;
  });
  process.once("exit", (code, signal) => {
    if (code === 0) host.hasLeft = true;
    else host.failure = `exit ${code ?? signal}`;
  });
  process.unref();
  return host;
}

async function tryConnect(endpoint: Endpoint, options: ConnectOptions): Promise<HostConnection | undefined> {
  const socket = await openSocket(endpoint.socket);
  if (socket === undefined) return undefined;
  const rpc = createMessageConnection(new SocketMessageReader(socket), new SocketMessageWriter(socket));
  rpc.listen();
  // Requests still open are rejected; by itself a closed connection would leave them waiting.
  rpc.onClose(() => setImmediate(() => rpc.dispose()));
  const closed = new Promise<never>((_, reject) => rpc.onClose(() => reject(new Error("connection closed"))));
  closed.catch(() => undefined);
  try {
    const hello = rpc.sendRequest(Hello, { protocol: PROTOCOL_VERSION, build: options.build, client: options.client });
    const status = await Promise.race([hello, closed]);
    return {
      rpc,
      status,
      dispose: () => {
        rpc.dispose();
        socket.destroy();
      },
    };
  } catch {
    socket.destroy();
    return undefined;
  }
}

/** Undefined when nobody listens: no socket file, or a stale one. */
function openSocket(path: string): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    socket.once("connect", () => resolve(socket));
    socket.once("error", () => resolve(undefined));
  });
}
