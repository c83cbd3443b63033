/** A server program on a free port of this machine, with throw-away data, that can be killed and started again. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../ports.ts";

const START_TIMEOUT_MS = 60_000;
const POLL_MS = 50;

export interface ServerProcess {
  readonly port: number;
  /** Data of the server; gone after {@link stop}. */
  readonly folder: string;
  readonly pid: number;
  /** Without a word of warning, as a power cut. */
  kill(): Promise<void>;
  /** After a kill: same port, same data. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export interface ServerCommand {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * @param commandFor for a port and an empty data folder; answers once the port is open
 * @param parent where the data folder is made
 */
export async function startServer(
  commandFor: (port: number, folder: string) => ServerCommand,
  parent: string = tmpdir(),
): Promise<ServerProcess> {
  const folder = await mkdtemp(join(parent, "eda-server-"));
  const port = await freePort();
  const command = commandFor(port, folder);
  let child = await start(command, port);
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  };
  return {
    port,
    folder,
    get pid() {
      return child.pid as number;
    },
    kill,
    async restart() {
      child = await start(command, port);
    },
    async stop() {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function start({ program, args, env = {} }: ServerCommand, port: number): Promise<ChildProcess> {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...env } });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (chunk: Buffer) => (output = (output + chunk.toString()).slice(-4000)));
  for (const end = Date.now() + START_TIMEOUT_MS; !(await isOpen(port)); await sleep(POLL_MS)) {
    if (child.exitCode !== null) throw new Error(`${program} ended with ${child.exitCode}: ${output}`);
    if (Date.now() > end) throw new Error(`${program} does not open its port: ${output}`);
  }
  return child;
}

async function isOpen(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
