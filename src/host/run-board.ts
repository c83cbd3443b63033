/** What the runs of this host are doing right now: events for watchers, log lines for the run log. */
import type { Logger } from "pino";
import { isTerminal, type LogLine, type RunEvent, type RunProgress, type RunState, type RunSummary } from "../domain/run.ts";
import type { StageId } from "../domain/stage.ts";
import type { RunObserver } from "../pipeline/run-observer.ts";
import type { RunLog } from "../ports/run-log.ts";

const FLUSH_INTERVAL_MS = 200;
/** Ten updates a second look live; more only cost. */
const PROGRESS_INTERVAL_MS = 100;

type Listener = (event: RunEvent) => void;

interface LiveRun {
  readonly stage: StageId;
  state: RunState;
  progress: RunProgress | undefined;
  progressSentAt: number;
  sequence: number;
  pending: LogLine[];
}

export interface RunBoard {
  /** Opens a run (again, after a restart) and gives what the pipeline reports to. */
  open(run: string, stage: StageId, state: RunState): Promise<RunObserver>;
  /** Tells views of a state that no observer reports: a run that waits. */
  announce(run: string, state: RunState): void;
  /** Flushes the log, then sends the summary: always the last event. */
  close(run: string, summary: RunSummary): Promise<void>;
  watch(run: string, listener: Listener): () => void;
  /** Every run's state changes, for views. */
  watchAll(listener: (run: string, state: RunState) => void): () => void;
  /** State and progress of a run at work here. */
  now(run: string): { readonly state: RunState; readonly progress: RunProgress | undefined } | undefined;
  activeRuns(): readonly string[];
  flush(): Promise<void>;
}

export function createRunBoard(runLog: RunLog, logger: Logger): RunBoard {
  const live = new Map<string, LiveRun>();
  const listeners = new Map<string, Set<Listener>>();
  const everywhere = new Set<(run: string, state: RunState) => void>();
  let timer: NodeJS.Timeout | undefined;
  let flushing: Promise<void> = Promise.resolve();

  const emit = (run: string, event: RunEvent) => {
    for (const listener of listeners.get(run) ?? []) listener(event);
  };
  const tellAll = (run: string, state: RunState) => {
    for (const listener of everywhere) listener(run, state);
  };
  const flush = (): Promise<void> => {
    if (timer !== undefined) clearTimeout(timer);
    timer = undefined;
    const lines = [...live.values()].flatMap((run) => run.pending.splice(0));
    if (lines.length > 0) {
      flushing = flushing.then(() => runLog.append(lines)).catch((error: unknown) => logger.error({ error }, "run log lines lost"));
    }
    return flushing;
  };
  const scheduleFlush = () => {
    timer ??= setTimeout(() => void flush(), FLUSH_INTERVAL_MS);
  };

  return {
    announce: tellAll,
    async open(run, stage, state) {
      const entry: LiveRun = {
        stage,
        state,
        progress: undefined,
        progressSentAt: 0,
        sequence: await runLog.lastSequence(run),
        pending: [],
      };
      live.set(run, entry);
      return {
        state(state, message) {
          if (isTerminal(state)) return;
          entry.state = state;
          entry.progress = undefined;
          emit(run, { type: "state", runId: run, stage, state, ...(message === undefined ? {} : { message }) });
          tellAll(run, state);
        },
        progress(progress) {
          entry.progress = progress;
          const now = performance.now();
          if (progress.done < progress.total && now - entry.progressSentAt < PROGRESS_INTERVAL_MS) return;
          entry.progressSentAt = now;
          emit(run, { type: "progress", runId: run, stage, progress });
        },
        log(level, message) {
          entry.sequence += 1;
          const line: LogLine = { run, sequence: entry.sequence, at: new Date().toISOString(), level, message };
          entry.pending.push(line);
          emit(run, { type: "log", runId: run, line });
          scheduleFlush();
        },
      };
    },
    async close(run, summary) {
      await flush();
      live.delete(run);
      emit(run, { type: "summary", ...summary });
      tellAll(run, summary.state);
    },
    watch(run, listener) {
      const set = listeners.get(run) ?? new Set();
      listeners.set(run, set.add(listener));
      return () => {
        set.delete(listener);
        if (set.size === 0) listeners.delete(run);
      };
    },
    watchAll(listener) {
      everywhere.add(listener);
      return () => everywhere.delete(listener);
    },
    now: (run) => live.get(run),
    activeRuns: () => [...live.keys()],
    flush,
  };
}
