/** Seeing what happens inside a database at work. */
import type { Pool } from "pg";
import { vi } from "vitest";

/** What the work ended with; undefined when it did not fail. */
export async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  );
}

/** Process of the connection that waits for somebody's lock, as soon as there is one. */
export async function waitingFor(pool: Pool): Promise<number> {
  return vi.waitFor(
    async () => {
      const { rows } = await pool.query<{ readonly pid: number }>(
        "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()",
      );
      if (rows[0] === undefined) throw new Error("nobody waits for a lock");
      return rows[0].pid;
    },
    { timeout: 10_000 },
  );
}
