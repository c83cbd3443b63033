import type { LogLine } from "../domain/run.ts";

/**
 * Logs of runs. Writes are idempotent by (run, sequence). A log whose store can be away keeps what it is given until the store is back, and
 * then reads what waits as well; it is `unavailable` only to a reader of a run of which nothing is here.
 */
export interface RunLog {
  append(lines: readonly LogLine[]): Promise<void>;
  /** Lines after a sequence number, in order, at most `limit` (1 to 10,000). */
  read(run: string, after: number, limit: number): Promise<readonly LogLine[]>;
  /** Highest sequence stored, 0 when none: a resumed run goes on from there. */
  lastSequence(run: string): Promise<number>;
}
