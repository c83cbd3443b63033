import type { LogLine } from "../domain/run.ts";

/** Logs of runs. Writes are idempotent by (run, sequence). */
export interface RunLog {
  append(lines: readonly LogLine[]): Promise<void>;
  /** Lines after a sequence number, in order, at most `limit` (1 to 10,000). */
  read(run: string, after: number, limit: number): Promise<readonly LogLine[]>;
  /** Highest sequence stored, 0 when none: a resumed run goes on from there. */
  lastSequence(run: string): Promise<number>;
}
