/** The life of a host process: open, serve, and end for one of the reasons there are. */
import { setTimeout as delay } from "node:timers/promises";
import { toEdaError } from "../domain/errors.ts";
import { summaryOf } from "../domain/run.ts";
import { storeEnvironment } from "../domain/store-variables.ts";
import type { Endpoint } from "../protocol/endpoint.ts";
import { type HostStatus, PROTOCOL_VERSION } from "../protocol/messages.ts";
import { writeStartFailure } from "../protocol/start-failure.ts";
import { type Client, serveClient } from "./connection.ts";
import { type Host, openHost } from "./host.ts";
import { tellJobChanges } from "./job-changes.ts";
import { type HostLog, openHostLog } from "./log.ts";
import { listenOn } from "./server.ts";
import { haveStoresChanged } from "./stores/read.ts";
import { watchOver } from "./watchman.ts";

/** Whatever hangs, the process is gone after this. */
const STOP_TIMEOUT_MS = 15_000;
/** What an answer needs to leave before the connection ends. */
const ANSWER_MS = 50;

export interface HostProcessOptions {
  readonly endpoint: Endpoint;
  readonly home: string;
  readonly build: string;
  readonly env: NodeJS.ProcessEnv;
}

export async function runHostProcess(options: HostProcessOptions): Promise<void> {
  const { endpoint, env } = options;
  const log = openHostLog(endpoint.logFile);
  const { logger } = log;
  const startedAt = new Date().toISOString();
  const closers: (() => Promise<void>)[] = [];
  const end = createEnd(log, closers);
  process.once("SIGTERM", () => end("SIGTERM", 0));
  process.once("SIGINT", () => end("SIGINT", 0));
  process.on("uncaughtException", (error) => end("uncaught error", 1, error));
  process.on("unhandledRejection", (error) => end("unhandled rejection", 1, error));

  logger.info({ workspace: endpoint.workspace, build: options.build, node: process.version }, "host starting");
  let host: Host;
  try {
    host = await openHost({
      endpoint,
      home: options.home,
      build: options.build,
      env,
      logger,
      onLost: (error) => end("the database went away", 1, error),
    });
  } catch (error) {
    writeStartFailure(endpoint, toEdaError(error));
    return end("the host could not be opened", 1, error);
  }
  closers.push(() => host.close());

  const clients = new Set<Client>();
  const status = async (): Promise<HostStatus> => ({
    protocol: PROTOCOL_VERSION,
    build: options.build,
    pid: process.pid,
    workspace: endpoint.workspace,
    startedAt,
    activeRuns: await host.runs.active().catch(() => host.board.activeRuns()),
    clients: clients.size,
    // Whose Drive it is shows once somebody has signed in.
    stores: { ...host.stores.descriptions, drive: host.services.drive.description },
    storesChanged: haveStoresChanged(host),
    storeEnvironment: storeEnvironment(env),
  });
  announceRuns(host, clients);
  const { jobs: desk, board, services } = host;
  const stopTelling = tellJobChanges({
    desk,
    board,
    services,
    logger,
    tell: (view) => {
      for (const client of clients) client.jobChanged(view);
    },
  });
  closers.push(async () => stopTelling());
  const server = await listenOn(endpoint, (socket) => {
    const client = serveClient(socket, {
      host,
      status,
      requestStop: () => setTimeout(() => end("a client asked for it", 0), ANSWER_MS),
      onClose: (gone) => clients.delete(gone),
    });
    clients.add(client);
  });
  closers.push(() => server.close());
  closers.push(watchOver({ host, env, clients: () => clients.size, end }));
  logger.info({ socket: endpoint.socket, milliseconds: Math.round(process.uptime() * 1000) }, "host ready");
}

/** Ends the process: at most once, in reverse order of opening, within a bounded time. */
function createEnd(log: HostLog, closers: (() => Promise<void>)[]): (reason: string, exitCode: number, error?: unknown) => void {
  let isEnding = false;
  return (reason, exitCode, error) => {
    const details = error === undefined ? {} : { error: toEdaError(error).message, stack: (error as Error)?.stack };
    if (exitCode === 0) log.logger.info({ reason }, "host stopping");
    else log.logger.fatal({ reason, ...details }, "host ending");
    if (isEnding) return;
    isEnding = true;
    const close = async () => {
      for (const closer of closers.reverse()) await closer();
    };
    void Promise.race([
      close().catch((failure: unknown) => log.logger.error({ error: String(failure) }, "not closed cleanly")),
      delay(STOP_TIMEOUT_MS),
    ])
      .then(() => log.close())
      .finally(() => process.exit(exitCode));
  };
}

/** Every state change of every run, in order, to every client. */
function announceRuns(host: Host, clients: ReadonlySet<Client>): void {
  let last: Promise<void> = Promise.resolve();
  host.board.watchAll((run, state) => {
    last = last
      .then(async () => {
        const record = await host.services.inventory.getRun(run);
        if (record === undefined) return;
        for (const client of clients) client.runChanged({ ...summaryOf(record), state });
      })
      .catch((error: unknown) => host.logger.warn({ run, error: toEdaError(error).message }, "a run's change was not announced"));
  });
}
