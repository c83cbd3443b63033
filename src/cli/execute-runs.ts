/** Starting runs and staying with them to the end: what `eda run` and `eda demo` share. */
import { EXIT_CODES } from "../domain/errors.ts";
import { isTerminal, type RunEvent, type RunSummary } from "../domain/run.ts";
import type { StageId } from "../domain/stage.ts";
import { CancelRun, StartRun } from "../protocol/messages.ts";
import { actorOf, type Cli } from "./context.ts";
import { interruptible } from "./interrupt.ts";
import type { RunView } from "./output/run-view.ts";
import { note, printEvent } from "./output/terminal.ts";
import type { HostSession } from "./session.ts";
import { watchRuns } from "./watch.ts";

export interface ExecuteParams {
  readonly project: string;
  readonly stage: StageId | "all";
  readonly force: boolean;
  readonly json: boolean;
}

/** Runs and shows them. @returns the exit code */
export async function executeRuns(cli: Cli, session: HostSession, params: ExecuteParams): Promise<number> {
  const { project, stage, force, json } = params;
  const started = session.ask(StartRun, { project, stage, force, actor: actorOf(cli.env) });
  // What draws is loaded while the host is at it.
  const [{ runs }, openView] = await Promise.all([started, json ? jsonView : terminalView()]);
  const view = openView(cli);
  const ended = new Set<string>();
  try {
    const work = watchRuns(session, runs, (event) => {
      if (event.type === "summary") ended.add(event.runId);
      view.event(event);
    });
    const open = () => runs.filter((run) => !ended.has(run));
    let left = false;
    const result = await interruptible(work, () => {
      view.say("Cancelling; Ctrl-C again leaves without waiting.");
      void cancelAll(session, open(), (message) => {
        if (!left) view.say(message);
      });
    });
    if (!result.left) return exitCodeOf(result.value);
    left = true;
    const current = open()[0] ?? runs[0];
    view.say(`Left. Run ${current} is being cancelled by the host; follow it with: eda logs ${current} --follow`);
    return EXIT_CODES.cancelled;
  } finally {
    view.close();
  }
}

/**
 * Asked for all at once, from the last run to the first: none starts while the one before it is being stopped, and who leaves without
 * waiting has asked for every one.
 */
async function cancelAll(session: HostSession, runs: readonly string[], say: (message: string) => void): Promise<void> {
  const cancel = async (run: string): Promise<void> => {
    try {
      const { accepted, state } = await session.ask(CancelRun, { run });
      if (!accepted && !isTerminal(state)) say(`Run ${run} is already ${state} and goes on to its end.`);
    } catch (error) {
      say(`Run ${run} could not be cancelled: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  await Promise.all([...runs].reverse().map(cancel));
}

function exitCodeOf(summary: RunSummary): number {
  if (summary.state === "succeeded" || summary.state === "unchanged") return 0;
  if (summary.state === "cancelled") return EXIT_CODES.cancelled;
  return summary.error === null ? EXIT_CODES.terminal : EXIT_CODES[summary.error.kind];
}

async function terminalView(): Promise<(cli: Cli) => RunView> {
  const { openRunView } = await import("./output/run-view.ts");
  return ({ terminal }) => openRunView(terminal);
}

function jsonView(cli: Cli): RunView {
  return {
    event: (event: RunEvent) => printEvent(cli.terminal, event),
    say: (message) => note(cli.terminal, message),
    close: () => undefined,
  };
}
