/** The server process of a data folder, found by the file it keeps there. */
import { readFileSync, readlinkSync, realpathSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

const POLL_MS = 40;
/** Shutting down writes everything out, which a loaded disk may take a while for. */
const STOP_TIMEOUT_MS = 60_000;

export interface Postmaster {
  readonly pid: number;
  /** On loopback. */
  readonly port: number;
}

/** The server at work in this very folder, whatever state it is in. */
export function findPostmaster(dataFolder: string): Postmaster | undefined {
  // Format: https://github.com/postgres/postgres/blob/master/src/include/utils/pidfile.h
  const [pid, , , port] = read(dataFolder)?.split("\n") ?? [];
  if (pid === undefined || port === undefined || port === "") return undefined;
  const found = { pid: Number(pid), port: Number(port) };
  return isServing(found.pid, dataFolder) ? found : undefined;
}

/**
 * A server does not start while its file names a live process of its user: that is right for its own kind, and wrong for a stranger
 * that got the number of a server killed long ago (in a container, soon).
 */
export function removeStaleFile(dataFolder: string): void {
  const pid = Number(read(dataFolder)?.split("\n")[0]);
  if (pid > 0 && isAlive(pid) && !isServing(pid, dataFolder)) rmSync(join(dataFolder, "postmaster.pid"), { force: true });
}

/** Fast shutdown (sessions are ended, everything is written), and when that takes too long an immediate one. */
export async function stopPostmaster(pid: number, dataFolder: string): Promise<void> {
  for (const signal of ["SIGINT", "SIGQUIT"] as const) {
    if (!isServing(pid, dataFolder)) return;
    process.kill(pid, signal);
    const deadline = Date.now() + STOP_TIMEOUT_MS;
    while (isServing(pid, dataFolder) && Date.now() < deadline) await delay(POLL_MS);
  }
}

/** Linux tells where a process works; elsewhere the password that it accepts is the proof. A zombie works nowhere. */
export function isServing(pid: number, dataFolder: string): boolean {
  if (process.platform !== "linux") return isAlive(pid);
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === realpathSync(dataFolder);
  } catch {
    return false;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function read(dataFolder: string): string | undefined {
  try {
    return readFileSync(join(dataFolder, "postmaster.pid"), "utf8");
  } catch {
    return undefined;
  }
}
