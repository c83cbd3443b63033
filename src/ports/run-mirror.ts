import type { RunProgress, RunRecord, RunState } from "../domain/run.ts";

/** Where a run at work is right now. */
export interface RunPosition {
  readonly run: string;
  readonly state: RunState;
  readonly progress: RunProgress | undefined;
}

/**
 * A copy of the executions for monitors and auditors outside of the inventory's database, which stays what counts. Best effort: writes are
 * idempotent by run, wait where the store is away, and never fail a run.
 */
export interface RunMirror {
  /** Replaces what is told of each run; of one that is named twice the last counts. */
  recordExecutions(records: readonly RunRecord[]): Promise<void>;
  /** Replaces where the run is; forgotten by itself soon after, and not kept for later where the store is away. */
  recordPosition(position: RunPosition): Promise<void>;
}
