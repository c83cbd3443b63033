/** Follows every run that is waiting or at work, whoever started it, across lost connections; with its log from the first line. */
import { type Disposable, Emitter, type Event } from "vscode-jsonrpc";
import { toEdaError } from "../../domain/errors.ts";
import {
  isTerminal,
  type LogLine,
  type RunEvent,
  type RunProgress,
  type RunRecord,
  type RunState,
  type RunSummary,
} from "../../domain/run.ts";
import type { StageId } from "../../domain/stage.ts";
import { ListRuns, WatchRun } from "../../protocol/messages.ts";
import type { HostLink } from "../host/link.ts";

const ACTIVE_STATES: readonly RunState[] = ["waiting", "planning", "committing-before", "executing", "publishing", "committing-after"];
/** More unfinished runs than this are not followed one by one. */
const MAX_FOLLOWED = 200;

export interface LiveRun {
  readonly run: string;
  readonly project: string;
  readonly stage: StageId;
  readonly state: RunState;
  readonly message?: string | undefined;
  readonly progress?: RunProgress | undefined;
}

export interface TrackedLine extends LogLine {
  readonly project: string;
  readonly stage: StageId;
}

interface Tracked {
  live: LiveRun;
  lastLine: number;
  readonly ended: PromiseWithResolvers<RunSummary>;
  watching: boolean;
}

export class RunTracker implements Disposable {
  readonly #link: HostLink;
  readonly #runs = new Map<string, Tracked>();
  readonly #changes = new Emitter<LiveRun>();
  readonly #starts = new Emitter<LiveRun>();
  readonly #ends = new Emitter<RunSummary>();
  readonly #lines = new Emitter<TrackedLine>();
  readonly #subscriptions: readonly Disposable[];

  constructor(link: HostLink) {
    this.#link = link;
    this.#subscriptions = [
      link.onState((state) => {
        for (const tracked of this.#runs.values()) tracked.watching = false;
        if (state.kind === "connected") void this.attach().catch(() => undefined);
      }),
      link.onRunEvent((event) => this.#accept(event)),
      link.onRunChanged((summary) => {
        if (!isTerminal(summary.state))
          void this.follow({ run: summary.runId, project: summary.project, stage: summary.stage, state: summary.state });
      }),
    ];
  }

  /** A run came into view: started here, elsewhere, or before this window was open. */
  get onStart(): Event<LiveRun> {
    return this.#starts.event;
  }

  /** State or progress of a followed run. */
  get onChange(): Event<LiveRun> {
    return this.#changes.event;
  }

  get onEnd(): Event<RunSummary> {
    return this.#ends.event;
  }

  get onLine(): Event<TrackedLine> {
    return this.#lines.event;
  }

  /** Oldest first, as the ids sort. */
  get live(): readonly LiveRun[] {
    return [...this.#runs.values()].map(({ live }) => live).sort((a, b) => (a.run < b.run ? -1 : 1));
  }

  get(run: string): LiveRun | undefined {
    return this.#runs.get(run)?.live;
  }

  /** Takes up every unfinished run of the workspace, and again those that were followed before the connection was lost. */
  async attach(): Promise<void> {
    const page = await this.#link.ask(ListRuns, { states: ACTIVE_STATES, limit: MAX_FOLLOWED });
    for (const record of page.items) void this.follow(record);
    for (const { live } of [...this.#runs.values()]) void this.follow(live);
  }

  /**
   * Follows a run to its end; a lost host is waited for.
   * @throws EdaError `usage` `unknown-run`
   */
  follow(run: Pick<RunRecord, "run" | "project" | "stage" | "state">): Promise<RunSummary> {
    const known = this.#runs.get(run.run);
    const tracked: Tracked = known ?? {
      live: { run: run.run, project: run.project, stage: run.stage, state: run.state },
      lastLine: 0,
      ended: Promise.withResolvers(),
      watching: false,
    };
    tracked.ended.promise.catch(() => undefined);
    if (known === undefined) {
      this.#runs.set(run.run, tracked);
      this.#starts.fire(tracked.live);
    }
    if (!tracked.watching) void this.#watch(tracked);
    return tracked.ended.promise;
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
    for (const emitter of [this.#changes, this.#starts, this.#ends, this.#lines]) emitter.dispose();
  }

  async #watch(tracked: Tracked): Promise<void> {
    tracked.watching = true;
    const { run } = tracked.live;
    try {
      const summary = await this.#link.ask(WatchRun, { run, withLog: true });
      this.#runs.delete(run);
      this.#ends.fire(summary);
      tracked.ended.resolve(summary);
    } catch (error) {
      const failure = toEdaError(error);
      if (failure.kind === "usage") {
        this.#runs.delete(run);
        tracked.ended.reject(failure);
      }
      // Otherwise the host went away: attach() takes the run up again when there is one.
      tracked.watching = false;
    }
  }

  #accept(event: RunEvent): void {
    const tracked = event.type === "summary" ? undefined : this.#runs.get(event.runId);
    if (tracked === undefined) return;
    switch (event.type) {
      case "state": {
        const { progress: _, ...rest } = tracked.live;
        tracked.live = { ...rest, state: event.state, message: event.message };
        this.#changes.fire(tracked.live);
        break;
      }
      case "progress":
        tracked.live = { ...tracked.live, progress: event.progress, message: undefined };
        this.#changes.fire(tracked.live);
        break;
      case "log":
        if (event.line.sequence <= tracked.lastLine) break;
        tracked.lastLine = event.line.sequence;
        this.#lines.fire({ ...event.line, project: tracked.live.project, stage: tracked.live.stage });
        break;
    }
  }
}
