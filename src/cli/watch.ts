/** Following runs to their end, across lost connections, with every log line once and in order. */
import type { RunEvent, RunSummary } from "../domain/run.ts";
import { ReadLog, WatchRun } from "../protocol/messages.ts";
import type { HostSession } from "./session.ts";

const LOG_PAGE = 1000;

/**
 * What is known of one run. Lines that arrive while older ones are being fetched are held back; events of a run whose turn has not
 * come are kept until it has.
 */
class RunFeed {
  readonly run: string;
  lastLine = 0;
  #lastState: string | undefined;
  #held: RunEvent[] | undefined;
  #waiting: RunEvent[] = [];
  #emit: ((event: RunEvent) => void) | undefined;

  constructor(run: string) {
    this.run = run;
  }

  accept(event: RunEvent): void {
    if (this.#held === undefined) this.#pass(event);
    else this.#held.push(event);
  }

  hold(): void {
    this.#held = [];
  }

  /** @param older lines that were missed, in order; they come before what was held. */
  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const event of held) this.#pass(event);
  }

  /** A line read from the stored log: goes out at once, before anything held. */
  passLine(event: RunEvent): void {
    this.#pass(event);
  }

  startEmitting(emit: (event: RunEvent) => void): void {
    this.#emit = emit;
    for (const event of this.#waiting.splice(0)) emit(event);
  }

  #pass(event: RunEvent): void {
    if (event.type === "summary") return;
    if (event.type === "log") {
      if (event.line.sequence <= this.lastLine) return;
      this.lastLine = event.line.sequence;
    }
    if (event.type === "state") {
      if (event.state === this.#lastState && event.message === undefined) return;
      this.#lastState = event.state;
    }
    if (this.#emit === undefined) this.#waiting.push(event);
    else this.#emit(event);
  }
}

function isGood(summary: RunSummary): boolean {
  return summary.state === "succeeded" || summary.state === "unchanged";
}

/**
 * Emits the events of the runs, run after run in the given order, each ended by its summary. Stops after the first run that did not
 * end well: the ones behind it have nothing to work on.
 * @returns the summary emitted last
 */
export async function watchRuns(session: HostSession, runs: readonly string[], emit: (event: RunEvent) => void): Promise<RunSummary> {
  const feeds = new Map(runs.map((run) => [run, new RunFeed(run)]));
  session.onRunEvent((event) => feeds.get(event.type === "summary" ? "" : event.runId)?.accept(event));
  const ends = [...feeds.values()].map((feed) => ({ feed, end: session.persistently(() => follow(session, feed)) }));
  for (const { end } of ends) end.catch(() => undefined);
  let last: RunSummary | undefined;
  for (const { feed, end } of ends) {
    feed.startEmitting(emit);
    last = await end;
    emit({ type: "summary", ...last });
    if (!isGood(last)) break;
  }
  if (last === undefined) throw new TypeError("no run to watch");
  return last;
}

async function follow(session: HostSession, feed: RunFeed): Promise<RunSummary> {
  feed.hold();
  const summary = session.ask(WatchRun, { run: feed.run, withLog: true });
  summary.catch(() => undefined);
  try {
    await passStoredLines(session, feed);
  } finally {
    feed.release();
  }
  const end = await summary;
  await passStoredLines(session, feed);
  return end;
}

async function passStoredLines(session: HostSession, feed: RunFeed): Promise<void> {
  for (;;) {
    const lines = await session.ask(ReadLog, { run: feed.run, after: feed.lastLine, limit: LOG_PAGE });
    for (const line of lines) feed.passLine({ type: "log", runId: feed.run, line });
    if (lines.length < LOG_PAGE) return;
  }
}
