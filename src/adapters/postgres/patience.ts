/** What to do while the database is away: a server that restarts is back within seconds, and no run has to be lost for it. */
import { setTimeout as delay } from "node:timers/promises";
import type { Pool } from "pg";
import { EdaError } from "../../domain/errors.ts";

/** A restart with recovery after a crash takes this long at most; beyond it somebody has to look. */
const DEFAULT_PATIENCE_MS = 60_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 3_000;

/**
 * Does the work, and does it again when its connection was lost, with growing pauses, until the time is up. For work that may safely be done
 * twice.
 */
export type Patience = <T>(work: () => Promise<T>) => Promise<T>;

export interface PatienceOptions {
  /** How long a lost database is waited for, in ms; 0 not at all. Default: a minute. */
  readonly patienceMs?: number;
}

/** A database to which the pool never had a connection is not waited for: its address is wrong, or nobody started it. */
export function createPatience(pool: Pool, { patienceMs = DEFAULT_PATIENCE_MS }: PatienceOptions): Patience {
  let wasReached = pool.totalCount > 0;
  pool.once("connect", () => {
    wasReached = true;
  });
  return async (work) => {
    const deadline = performance.now() + patienceMs;
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      try {
        return await work();
      } catch (error) {
        if (!isConnectionLoss(error) || !wasReached || pool.ending || performance.now() + pause > deadline) throw error;
        await delay(pause);
      }
    }
  };
}

/** The database went away, or has no connection to give: what was asked may or may not have been done. */
export function isConnectionLoss(error: unknown): boolean {
  return error instanceof EdaError && (error.code === "database-away" || error.code === "database-connection-reset");
}
