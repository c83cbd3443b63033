/** Looks after an unattended host: it leaves when nobody has needed it for long, and when its database is gone. */
import type { Host } from "./host.ts";

const CHECK_INTERVAL_MS = 5_000;
const DEFAULT_IDLE_MINUTES = 60;
/** A database under load may miss a beat; a dead one misses them all. */
const MAX_MISSED_BEATS = 3;

export interface Watch {
  readonly host: Host;
  /** `EDA_IDLE_MINUTES`: minutes without client and run after which the host ends; 0 keeps it for good. */
  readonly env: NodeJS.ProcessEnv;
  readonly clients: () => number;
  readonly end: (reason: string, exitCode: number, error?: unknown) => void;
}

/** @returns a function that ends the watch */
export function watchOver({ host, env, clients, end }: Watch): () => Promise<void> {
  const idleMs = idleMinutes(env) * 60_000;
  let neededAt = performance.now();
  let missed = 0;
  const timer = setInterval(async () => {
    try {
      const active = await host.runs.active();
      missed = 0;
      if (clients() > 0 || active.length > 0) neededAt = performance.now();
      else if (idleMs > 0 && performance.now() - neededAt > idleMs) end("nobody needed it", 0);
    } catch (error) {
      missed += 1;
      if (missed >= MAX_MISSED_BEATS) end("the database went away", 1, error);
    }
  }, CHECK_INTERVAL_MS);
  return async () => clearInterval(timer);
}

function idleMinutes(env: NodeJS.ProcessEnv): number {
  const minutes = Number(env.EDA_IDLE_MINUTES ?? DEFAULT_IDLE_MINUTES);
  return Number.isFinite(minutes) && minutes >= 0 ? minutes : DEFAULT_IDLE_MINUTES;
}
