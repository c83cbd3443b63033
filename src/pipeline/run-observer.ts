import type { LogLine, RunProgress, RunState } from "../domain/run.ts";

/** Where a run tells what it is doing. Nothing here can fail or delay the run. */
export interface RunObserver {
  state(state: RunState, message?: string): void;
  progress(progress: RunProgress): void;
  log(level: LogLine["level"], message: string): void;
}
