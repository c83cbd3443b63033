import { describe, expect, it } from "vitest";
import type { HostSession } from "../../../src/cli/session.ts";
import { watchRuns } from "../../../src/cli/watch.ts";
import { EdaError } from "../../../src/domain/errors.ts";
import type { LogLine, RunEvent, RunState, RunSummary } from "../../../src/domain/run.ts";
import { ReadLog, WatchRun } from "../../../src/protocol/messages.ts";

const summaryOf = (run: string, state: RunState = "succeeded"): RunSummary => ({
  runId: run,
  project: "p",
  stage: "staging",
  state,
  commitBefore: null,
  commitAfter: null,
  inputs: 0,
  outputs: 0,
  totals: null,
  details: {},
  error: null,
});
const line = (run: string, sequence: number): LogLine => ({ run, sequence, at: "", level: "info", message: `line ${sequence}` });
const logged = (run: string, sequence: number): RunEvent => ({ type: "log", runId: run, line: line(run, sequence) });
const inState = (run: string, state: RunState): RunEvent => ({ type: "state", runId: run, stage: "staging", state });

/** A scripted host: the moment of each event and each lost connection is the test's to choose, which a real one does not allow. */
class ScriptedHost {
  readonly stored = new Map<string, LogLine[]>();
  readonly #watched = new Map<string, PromiseWithResolvers<RunSummary>>();
  #listener: (event: RunEvent) => void = () => undefined;
  watches = 0;
  /** Called before stored lines are answered. */
  beforeLines: () => void = () => undefined;

  readonly session = {
    ask: (type: { method: string }, params: { run: string; after: number }) => {
      if (type.method === WatchRun.method) {
        this.watches += 1;
        const end = Promise.withResolvers<RunSummary>();
        this.#watched.set(params.run, end);
        return end.promise;
      }
      expect(type.method).toBe(ReadLog.method);
      this.beforeLines();
      return Promise.resolve((this.stored.get(params.run) ?? []).filter(({ sequence }) => sequence > params.after));
    },
    onRunEvent: (listener: (event: RunEvent) => void) => {
      this.#listener = listener;
    },
    persistently: async <T>(work: () => Promise<T>): Promise<T> => {
      for (;;) {
        try {
          return await work();
        } catch (error) {
          if (!(error instanceof EdaError)) throw error;
        }
      }
    },
  } as unknown as HostSession;

  send(event: RunEvent): void {
    this.#listener(event);
  }
  end(run: string, state?: RunState): void {
    this.#watched.get(run)?.resolve(summaryOf(run, state));
  }
  lose(run: string): void {
    this.#watched.get(run)?.reject(new EdaError("unavailable", "host-lost", "lost"));
  }
}

const settle = () => new Promise((resolve) => setImmediate(resolve));
const brief = (event: RunEvent) =>
  event.type === "log"
    ? `${event.runId}:${event.line.sequence}`
    : event.type === "state"
      ? `${event.runId}:${event.state}`
      : event.type === "summary"
        ? `${event.runId}=${event.state}`
        : event.type;

function watch(host: ScriptedHost, runs: string[]) {
  const seen: string[] = [];
  const end = watchRuns(host.session, runs, (event) => seen.push(brief(event)));
  return { seen, end };
}

describe("watchRuns", () => {
  it("gives each line once and in order, although new ones arrive while older ones are fetched", async () => {
    const host = new ScriptedHost();
    host.stored.set("a", [line("a", 1), line("a", 2)]);
    host.beforeLines = () => {
      host.send(logged("a", 2));
      host.send(logged("a", 3));
    };
    const { seen, end } = watch(host, ["a"]);
    await settle();
    host.beforeLines = () => undefined;
    host.send(logged("a", 4));
    host.end("a");
    expect(await end).toEqual(summaryOf("a"));
    expect(seen).toEqual(["a:1", "a:2", "a:3", "a:4", "a=succeeded"]);
  });

  it("shows run after run, whatever the order of events", async () => {
    const host = new ScriptedHost();
    const { seen, end } = watch(host, ["a", "b"]);
    await settle();
    host.send(inState("b", "waiting"));
    host.send(inState("a", "planning"));
    host.end("a");
    await settle();
    host.send(inState("b", "planning"));
    host.end("b", "unchanged");
    await end;
    expect(seen).toEqual(["a:planning", "a=succeeded", "b:waiting", "b:planning", "b=unchanged"]);
  });

  it("stops behind the first run that did not end well", async () => {
    const host = new ScriptedHost();
    const { seen, end } = watch(host, ["a", "b"]);
    await settle();
    host.end("a", "failed");
    expect((await end).state).toBe("failed");
    expect(seen).toEqual(["a=failed"]);
  });

  it("goes on after a lost connection without a line twice or a state repeated", async () => {
    const host = new ScriptedHost();
    host.stored.set("a", [line("a", 1)]);
    const { seen, end } = watch(host, ["a"]);
    await settle();
    host.send(inState("a", "executing"));
    host.lose("a");
    host.stored.set("a", [line("a", 1), line("a", 2), line("a", 3)]);
    await settle();
    host.send(inState("a", "executing"));
    host.send(logged("a", 3));
    host.end("a");
    await end;
    expect(host.watches).toBe(2);
    expect(seen).toEqual(["a:1", "a:executing", "a:2", "a:3", "a=succeeded"]);
  });
});
