/** Processes that outlive us: recognised again by pid and start time together, so that a reused pid is never ended by mistake. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

export interface ProcessIdentity {
  readonly pid: number;
  /** Start time as the system gives it: clock ticks since boot on Linux (proc_pid_stat(5), field 22), a date elsewhere. */
  readonly started: string;
}

/** Undefined when there is no such process (a zombie counts as gone). */
export function identify(pid: number): ProcessIdentity | undefined {
  const started = existsSync("/proc/self/stat") ? startTicks(pid) : startDate(pid);
  return started === undefined ? undefined : { pid, started };
}

export function isAlive(identity: ProcessIdentity): boolean {
  return identify(identity.pid)?.started === identity.started;
}

/**
 * Ends a process and its group when it leads one: SIGTERM, and SIGKILL after the grace period. Does nothing when it is gone.
 * @param graceMs milliseconds between the two; 0 kills at once
 */
export async function endProcess(identity: ProcessIdentity, graceMs: number): Promise<void> {
  if (graceMs > 0) {
    send(identity, "SIGTERM");
    if (await gone(identity, graceMs)) return;
  }
  send(identity, "SIGKILL");
  await gone(identity, 5_000);
}

async function gone(identity: ProcessIdentity, withinMs: number): Promise<boolean> {
  const deadline = Date.now() + withinMs;
  while (isAlive(identity)) {
    if (Date.now() > deadline) return false;
    await delay(50);
  }
  return true;
}

function send(identity: ProcessIdentity, signal: NodeJS.Signals): void {
  if (!isAlive(identity)) return;
  // The group first: workers of a kernel are in it. It does not exist when the process leads none.
  for (const target of [-identity.pid, identity.pid]) {
    try {
      process.kill(target, signal);
    } catch {
      // Gone meanwhile, or no group of that number.
    }
  }
}

function startTicks(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The name, in parentheses, may hold spaces and parentheses itself.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [state] = fields;
    return state === "Z" || state === "X" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

function startDate(pid: number): string | undefined {
  try {
    const text = execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
    return text === "" ? undefined : text;
  } catch {
    return undefined;
  }
}
