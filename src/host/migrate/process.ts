/** The process that moves a workspace: in the host's place, until it is done or the end of its input asks it to stop. */
import { setTimeout as delay } from "node:timers/promises";
import { EdaError, throwIfAborted, toEdaError } from "../../domain/errors.ts";
import type { MigrationEvent } from "../../protocol/migrate-stores.ts";
import { openHostLog } from "../log.ts";
import { becomeOnlyHost } from "../single-instance.ts";
import { type MigrationOptions, migrate } from "./migrate.ts";

/** A host that was just stopped needs some seconds to close its stores. */
const PATIENCE_MS = 20_000;
const ASK_AGAIN_MS = 100;

export type MigrationProcessOptions = Omit<MigrationOptions, "logger" | "signal" | "onEvent">;

/** Never returns. What is said is a {@link MigrationEvent} a line. */
export async function runMigrationProcess(options: MigrationProcessOptions): Promise<never> {
  const { workspace, logFile } = options.endpoint;
  const log = openHostLog(logFile);
  const stop = new AbortController();
  const abort = () => stop.abort();
  process.on("SIGTERM", abort).on("SIGINT", abort);
  process.stdin.on("end", abort).on("error", abort).resume();
  process.stdout.on("error", abort);
  const say = (event: MigrationEvent) => void process.stdout.write(`${JSON.stringify(event)}\n`);
  try {
    await takePlace(workspace, stop.signal);
    log.logger.info({ workspace, dryRun: options.dryRun }, "moving to other stores");
    const report = await migrate({ ...options, logger: log.logger, signal: stop.signal, onEvent: say });
    log.logger.info({ state: report.state, audit: report.audit }, "moved");
    say({ type: "report", report });
  } catch (error) {
    const failure = stop.signal.aborted ? cancelled() : toEdaError(error);
    log.logger.error({ code: failure.code, error: failure.message, stack: (error as Error)?.stack }, "not moved");
    say({ type: "error", error: failure.toDocument() });
  }
  await log.close();
  return new Promise(() => process.stdout.end(() => process.exit(0)));
}

/** @throws EdaError `precondition` `host-running` */
async function takePlace(workspace: string, signal: AbortSignal): Promise<void> {
  for (const deadline = Date.now() + PATIENCE_MS; (await becomeOnlyHost(workspace)) === undefined; await delay(ASK_AGAIN_MS)) {
    throwIfAborted(signal);
    if (Date.now() < deadline) continue;
    throw new EdaError("precondition", "host-running", "The host of this workspace is running.", {
      todo: "Stop it (eda host stop), and close the windows of editors that start it again, then run eda migrate-stores.",
    });
  }
}

function cancelled(): EdaError {
  return new EdaError("cancelled", "cancelled", "The move was cancelled.", {
    todo: "Run eda migrate-stores again to go on where it was, or take the stores out of the configuration.",
  });
}
