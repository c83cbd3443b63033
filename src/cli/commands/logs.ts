/** `eda logs`: what a run said. */
import type { Colors } from "picocolors/types";
import type { Command } from "commander";
import { EXIT_CODES } from "../../domain/errors.ts";
import { isTerminal, type LogLine, type RunEvent, summaryOf } from "../../domain/run.ts";
import { ReadLog, ShowRun } from "../../protocol/messages.ts";
import type { Cli, GlobalOptions } from "../context.ts";
import { interruptible } from "../interrupt.ts";
import { printableLines } from "../output/errors.ts";
import { formatTime } from "../output/format.ts";
import { note, print, printEvent } from "../output/terminal.ts";
import { type HostSession, withHost } from "../session.ts";
import { watchRuns } from "../watch.ts";
import { requireWorkspace } from "../workspace.ts";

interface LogsOptions extends GlobalOptions {
  readonly follow?: true;
}

const LOG_PAGE = 1000;

const HELP = `
With --json each line is an event; the last one is the run's summary, of a run still at work as it stands.

Examples:
  $ eda logs 20261124-153012-k3f9qz
  $ eda logs 20261124-153012-k3f9qz --follow`;

export function addLogs(program: Command, cli: Cli): void {
  program
    .command("logs")
    .summary("print the log of a run")
    .description("Prints the log of a run: time, level, message.")
    .argument("<run>", "run id; eda runs lists them")
    .option("-f, --follow", "stay until the run ends; Ctrl-C leaves, the run goes on")
    .addHelpText("after", HELP)
    .action(async (run: string, _options, command: Command) => {
      const options = command.optsWithGlobals<LogsOptions>();
      await withHost(cli, requireWorkspace(cli, options), async (session) => {
        const emit = options.json === true ? (event: RunEvent) => printEvent(cli.terminal, event) : logPrinter(cli);
        if (options.follow === true) await follow(cli, session, run, emit);
        else await printStored(session, run, emit);
      });
    });
}

async function follow(cli: Cli, session: HostSession, run: string, emit: (event: RunEvent) => void): Promise<void> {
  const end = watchRuns(session, [run], emit);
  const leave = new AbortController();
  const left = new Promise<"left">((resolve) => leave.signal.addEventListener("abort", () => resolve("left")));
  const result = await interruptible(Promise.race([end, left]), () => leave.abort());
  if (result.left || result.value === "left") {
    cli.outcome.exitCode = EXIT_CODES.cancelled;
    note(cli.terminal, `Left; run ${run} goes on.`);
  } else {
    note(cli.terminal, cli.terminal.err.colours.dim(`Run ${run} ${result.value.state}.`));
  }
}

async function printStored(session: HostSession, run: string, emit: (event: RunEvent) => void): Promise<void> {
  // Read before the lines: of a run that ends meanwhile the summary is then the older one, never the log the shorter one.
  const record = await session.ask(ShowRun, { run });
  let after = 0;
  for (;;) {
    const lines = await session.ask(ReadLog, { run, after, limit: LOG_PAGE });
    for (const line of lines) emit({ type: "log", runId: run, line });
    after = lines.at(-1)?.sequence ?? after;
    if (lines.length < LOG_PAGE) break;
  }
  emit({ type: "summary", ...summaryOf(record) });
}

/** Lines are results; what became of a run still at work is a message. */
function logPrinter(cli: Cli): (event: RunEvent) => void {
  const { terminal } = cli;
  return (event) => {
    if (event.type === "log") print(terminal, renderLine(event.line, terminal.out.colours));
    else if (event.type === "summary" && !isTerminal(event.state)) {
      note(terminal, terminal.err.colours.dim(`The run is ${event.state}; --follow stays with it.`));
    }
  };
}

function renderLine({ at, level, message }: LogLine, colours: Colors): string {
  const paint = { debug: colours.dim, info: (text: string) => text, warn: colours.yellow, error: colours.red }[level];
  return `${colours.dim(formatTime(at))} ${paint(level.padEnd(5))} ${printableLines(message)}`;
}
