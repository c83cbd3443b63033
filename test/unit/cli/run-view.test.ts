import { describe, expect, it, onTestFinished } from "vitest";
import { openRunView } from "../../../src/cli/output/run-view.ts";
import type { RunEvent, RunSummary } from "../../../src/domain/run.ts";
import { type RecordedTerminal, recordTerminal } from "../../support/cli.ts";

const summary: RunSummary = {
  runId: "r1",
  project: "p",
  stage: "staging",
  state: "succeeded",
  commitBefore: "a".repeat(40),
  commitAfter: "b".repeat(40),
  inputs: 2,
  outputs: 3,
  totals: { inputs: 2, inputBytes: 2000, outputs: 3, outputBytes: 1000 },
  details: { rejected: 7 },
  error: null,
};
const state = (value: "executing" | "planning" | "waiting", message?: string): RunEvent => ({
  type: "state",
  runId: "r1",
  stage: "staging",
  state: value,
  ...(message === undefined ? {} : { message }),
});
const progress = (done: number): RunEvent => ({
  type: "progress",
  runId: "r1",
  stage: "staging",
  progress: { done, total: 100, unit: "files", label: "pedidos.csv" },
});

/** A view on a clock of its own. */
function open(terminal: RecordedTerminal) {
  const clock = { now: 0 };
  const view = openRunView(terminal, () => clock.now);
  onTestFinished(() => view.close());
  return { view, clock };
}

describe("a run on plain output", () => {
  it("gets a message line for each state and a result line at the end", () => {
    const terminal = recordTerminal();
    const { view, clock } = open(terminal);
    view.event(state("planning"));
    view.event(state("executing"));
    clock.now = 12_300;
    view.event({ type: "summary", ...summary });
    expect(terminal.stderr().split("\n")).toEqual(["[3/7 staging] planning (run r1)", "[3/7 staging] executing", ""]);
    expect(terminal.stdout().split("\n")).toEqual([
      "✔ 3/7 staging  succeeded  2 in (2 kB) → 3 out (1 kB)  12.3s  commits aaaaaaa → bbbbbbb",
      "    rejected  7",
      "",
    ]);
  });

  it("gets a progress line at once and then every five seconds", () => {
    const terminal = recordTerminal();
    const { view, clock } = open(terminal);
    for (let second = 0; second <= 10; second += 1) {
      clock.now = second * 1000;
      view.event(progress(second));
    }
    const lines = terminal.stderr().trimEnd().split("\n");
    expect(lines).toHaveLength(3);
    expect(lines[1]).toBe("[3/7 staging] 5/100 files  1 files/s  1m left  pedidos.csv");
  });

  it("says who holds the stage while the run waits", () => {
    const terminal = recordTerminal();
    open(terminal).view.event(state("waiting", "waiting for run r0"));
    expect(terminal.stderr()).toContain("waiting: waiting for run r0");
  });

  it("shows warnings and errors of the log, not its information, and what the summary says once", () => {
    const terminal = recordTerminal();
    const { view } = open(terminal);
    const log = (level: "info" | "warn" | "error", message: string) =>
      view.event({ type: "log", runId: "r1", line: { run: "r1", sequence: 1, at: "", level, message } });
    log("info", "quiet");
    log("warn", "a link was refused\u001b[2J");
    log("error", "one file failed");
    log("error", "no such column");
    expect(terminal.stderr()).not.toContain("no such column");
    const error = { kind: "terminal", code: "missing-column", message: "no such column" } as const;
    view.event({ type: "summary", ...summary, state: "failed", error });
    expect(terminal.stderr()).toMatch(
      /^warning a link was refused\\u\{1b\}\[2J\nerror one file failed\nerror no such column \[missing-column\]\n/u,
    );
    expect(terminal.stderr().match(/no such column/gu)).toHaveLength(1);
  });

  it("explains a failure on the message stream and points to the log", () => {
    const terminal = recordTerminal();
    const { view } = open(terminal);
    const error = { kind: "terminal", code: "missing-column", message: "There is no column x.", todo: "Add it." } as const;
    view.event({ type: "summary", ...summary, state: "failed", error });
    expect(terminal.stdout()).toContain("✖ 3/7 staging  failed");
    expect(terminal.stderr()).toContain("error There is no column x. [missing-column]\n  → Add it.\n  → The whole story: eda logs r1");
  });

  it("says that there was nothing to do", () => {
    const terminal = recordTerminal();
    open(terminal).view.event({ type: "summary", ...summary, state: "unchanged", commitBefore: null, commitAfter: null });
    expect(terminal.stdout()).toContain("nothing to do: inputs and code are unchanged");
  });

  it("cuts long details and says where all of them are", () => {
    const terminal = recordTerminal();
    const details = Object.fromEntries(Array.from({ length: 15 }, (_, index) => [`fact${index}`, index]));
    open(terminal).view.event({ type: "summary", ...summary, details });
    expect(terminal.stdout()).toContain("fact11");
    expect(terminal.stdout()).not.toContain("fact12");
    expect(terminal.stdout()).toContain("eda runs show r1");
  });
});

describe("a run on a live terminal", () => {
  it("is redrawn with a bar that fits the width, and leaves only results", () => {
    const terminal = recordTerminal({ tty: true, columns: 60, env: { NO_COLOR: "1" } });
    const { view, clock } = open(terminal);
    view.event(state("executing"));
    clock.now = 2_000;
    view.event(progress(50));
    const drawn = terminal.stderr();
    expect(drawn).toContain("█".repeat(12) + "░".repeat(12));
    expect(drawn).toContain(" 50%");
    expect(drawn).toContain("3/7 staging executing 2s");
    view.event({ type: "summary", ...summary });
    expect(terminal.stdout()).toMatch(/^✔ 3\/7 staging {2}succeeded/u);
    expect(terminal.stdout()).not.toContain("█");
  });

  it("is plain on a build server, although that records a terminal", () => {
    const terminal = recordTerminal({ tty: true, env: { CI: "true" } });
    const { view } = open(terminal);
    view.event(state("executing"));
    expect(terminal.live).toBe(false);
    expect(terminal.stderr()).toContain("[3/7 staging] executing (run r1)");
  });
});
