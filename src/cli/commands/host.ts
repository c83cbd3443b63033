/** `eda host`: the process that does the work of a workspace. */
import { setTimeout as delay } from "node:timers/promises";
import type { Command } from "commander";
import { EdaError, EXIT_CODES } from "../../domain/errors.ts";
import { endpointOf } from "../../protocol/endpoint.ts";
import { type HostStatus, Status, Stop } from "../../protocol/messages.ts";
import type { Cli, GlobalOptions } from "../context.ts";
import { formatTime } from "../output/format.ts";
import { renderPairs } from "../output/table.ts";
import { note, print, printDocument } from "../output/terminal.ts";
import { type HostSession, openSession, withHost } from "../session.ts";
import { hostFolder, requireWorkspace } from "../workspace.ts";

interface StopOptions extends GlobalOptions {
  readonly force?: true;
}

/** A host that stops also stops its database and its kernels. */
const STOP_TIMEOUT_MS = 60_000;

const HELP = `
Every command starts the host when it needs it; it outlives them. One host serves a workspace.

Examples:
  $ eda host status || eda host start
  $ eda host stop --force                  interrupted runs go on at the next start`;

export function addHost(program: Command, cli: Cli): void {
  const host = program
    .command("host")
    .summary("start, stop or look at the host")
    .description("The host is the process that does the work of a workspace.")
    .addHelpText("after", HELP);
  host
    .command("start")
    .summary("start it, when it does not run")
    .description("Starts the host of the workspace, when it does not run.")
    .action(async (_options, command: Command) => start(cli, command.optsWithGlobals<GlobalOptions>()));
  host
    .command("stop")
    .summary("stop it")
    .description("Stops the host. Refused while runs are at work.")
    .option("--force", "stop although runs are at work; they go on at the next start")
    .action(async (_options, command: Command) => stop(cli, command.optsWithGlobals<StopOptions>()));
  host
    .command("status")
    .summary("say whether it runs, and what it is doing")
    .description("Says whether the host runs (exit code 4 when it does not), and what it is doing.")
    .action(async (_options, command: Command) => status(cli, command.optsWithGlobals<GlobalOptions>()));
}

async function start(cli: Cli, options: GlobalOptions): Promise<void> {
  await withHost(cli, requireWorkspace(cli, options), async ({ status, started }) => {
    if (options.json === true) printDocument(cli.terminal, { running: true, started, ...status });
    else note(cli.terminal, `The host ${started ? "is running" : "was running already"}, process ${status.pid}.`);
  });
}

async function stop(cli: Cli, options: StopOptions): Promise<void> {
  const session = await openRunning(cli, options);
  if (session !== undefined) {
    try {
      await requestStop(session, options.force === true);
    } finally {
      session.close();
    }
    await waitForEnd(session.status.pid);
  }
  if (options.json === true) printDocument(cli.terminal, { running: false, stopped: session !== undefined });
  else note(cli.terminal, session === undefined ? "Nothing to do: no host is running." : "The host has stopped.");
}

async function status(cli: Cli, options: GlobalOptions): Promise<void> {
  const session = await openRunning(cli, options);
  const current = session === undefined ? undefined : await session.ask0(Status).finally(() => session.close());
  if (current === undefined) cli.outcome.exitCode = EXIT_CODES.unavailable;
  if (options.json === true) printDocument(cli.terminal, { running: current !== undefined, ...current });
  else print(cli.terminal, current === undefined ? "not running" : renderStatus(cli, current));
}

/** Undefined when no host runs there. */
async function openRunning(cli: Cli, options: GlobalOptions): Promise<HostSession | undefined> {
  const folder = hostFolder(cli, options) ?? requireWorkspace(cli, options);
  try {
    return await openSession(cli, folder, false);
  } catch (error) {
    if (error instanceof EdaError && error.code === "host-not-running") return undefined;
    throw error;
  }
}

/** The host may be gone before its answer is through: then it did as it was told. */
async function requestStop(session: HostSession, force: boolean): Promise<void> {
  try {
    await session.ask(Stop, { force });
  } catch (error) {
    if (!(error instanceof EdaError) || error.code !== "host-lost") throw error;
  }
}

async function waitForEnd(pid: number): Promise<void> {
  const deadline = Date.now() + STOP_TIMEOUT_MS;
  while (isAlive(pid)) {
    if (Date.now() > deadline) {
      throw new EdaError("unavailable", "host-not-stopping", `The host (process ${pid}) did not end within a minute.`, {
        todo: "See .eda/logs/host.log for what it is waiting for.",
      });
    }
    await delay(50);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function renderStatus(cli: Cli, { pid, build, workspace, startedAt, activeRuns, clients, stores }: HostStatus): string {
  const { socket, logFile } = endpointOf(workspace);
  const pairs: (readonly [string, string])[] = [
    ["state", "running"],
    ["process", String(pid)],
    ["build", build],
    ["started", formatTime(startedAt)],
    ["workspace", workspace],
    ["runs at work", activeRuns.length === 0 ? "none" : activeRuns.join(", ")],
    ["clients", String(clients)],
    ["objects", stores.objects],
    ["inventory", stores.inventory],
    ["run log", stores.runLog],
    ["drive", stores.drive],
    ["socket", socket],
    ["log", logFile],
  ];
  return renderPairs(pairs, cli.terminal.out.colours);
}
