/** A command's conversation with the host of its workspace, which outlives one connection. */
import { setTimeout as delay } from "node:timers/promises";
import type { CancellationToken, MessageConnection, RequestType, RequestType0 } from "vscode-jsonrpc";
import { EdaError } from "../domain/errors.ts";
import type { RunEvent, RunProgress } from "../domain/run.ts";
import { call, connectHost, type HostConnection } from "../protocol/client.ts";
import { installationAt } from "../protocol/installation.ts";
import { type HostStatus, RunEvents, WorkProgress } from "../protocol/messages.ts";
import type { Cli } from "./context.ts";
import { note } from "./output/terminal.ts";

/** How often a lost host is looked for, or started again, without having heard anything from it in between. */
const MAX_RECONNECTS = 5;

export interface HostSession {
  /** Status at the time of the last connection. */
  readonly status: HostStatus;
  /** A host had to be started for this session. */
  readonly started: boolean;
  /** @throws EdaError as the host sent it; `unavailable` `host-lost` when the connection ends first */
  ask<P, R>(type: RequestType<P, R, void>, params: P, token?: CancellationToken): Promise<R>;
  ask0<R>(type: RequestType0<R, void>): Promise<R>;
  /** Events of all watched runs, on this and every later connection. One listener. */
  onRunEvent(listener: (event: RunEvent) => void): void;
  onWorkProgress(token: string, listener: (progress: RunProgress) => void): void;
  /**
   * Does the work, and when the host is lost on the way, finds or starts it again and does it anew.
   * @throws EdaError `host-lost` when the host keeps going away
   */
  persistently<T>(work: () => Promise<T>): Promise<T>;
  close(): void;
}

interface Link {
  readonly connection: HostConnection;
  /** Rejects when the connection ends. */
  readonly ended: Promise<never>;
}

/** @param start whether a host is started when none runs; without, that is `unavailable` `host-not-running` */
export async function openSession(cli: Cli, workspace: string, start = true): Promise<HostSession> {
  let started = false;
  let closed = false;
  let listener: ((event: RunEvent) => void) | undefined;
  let heard = true;

  const connect = async (): Promise<Link> => {
    const installation = installationAt(cli.home, cli.env);
    if (start && installation === undefined) {
      throw new EdaError("unavailable", "host-not-installed", `There is no eda host in ${cli.home}.`, {
        todo: "Build it with: npm run build",
      });
    }
    const connection = await connectHost({
      workspace,
      client: "cli",
      build: installation?.build ?? cli.version,
      ...(start && installation !== undefined ? { program: installation.program } : {}),
      onStarting: () => {
        started = true;
        note(cli.terminal, cli.terminal.err.colours.dim("Starting the eda host of this workspace …"));
      },
    });
    const ended = new Promise<never>((_, reject) => connection.rpc.onClose(() => reject(new Error("connection closed"))));
    ended.catch(() => undefined);
    connection.rpc.onNotification(RunEvents, (event) => {
      heard = true;
      listener?.(event);
    });
    return { connection, ended };
  };

  let link = await connect();
  let relinking: Promise<void> | undefined;
  const relink = (lost: Link): Promise<void> => {
    if (lost !== link) return Promise.resolve();
    relinking ??= reconnect().finally(() => {
      relinking = undefined;
    });
    return relinking;
  };
  let attempts = 0;
  const reconnect = async (): Promise<void> => {
    link.connection.dispose();
    attempts = heard ? 1 : attempts + 1;
    heard = false;
    if (attempts > MAX_RECONNECTS) {
      throw new EdaError("unavailable", "host-lost", `The eda host went away ${attempts} times in a row.`, {
        todo: "See eda doctor and .eda/logs/host.log; interrupted runs go on by themselves once the host runs.",
      });
    }
    note(cli.terminal, cli.terminal.err.colours.yellow("The eda host went away; runs are durable, looking for it again …"));
    await delay(100 * 2 ** attempts);
    link = await connect();
  };

  const answer = <R>(request: (connection: HostConnection) => Promise<R>): Promise<R> => {
    const { connection, ended } = link;
    return call(Promise.race([sent(() => request(connection)), ended]));
  };

  return {
    get status() {
      return link.connection.status;
    },
    get started() {
      return started;
    },
    ask: (type, params, token) => answer(({ rpc }) => send(rpc, type, params, token)),
    ask0: (type) => answer(({ rpc }) => rpc.sendRequest(type)),
    onRunEvent: (next) => {
      listener = next;
    },
    onWorkProgress: (token, next) => {
      link.connection.rpc.onProgress(WorkProgress, token, next);
    },
    persistently: async (work) => {
      for (;;) {
        const used = link;
        try {
          return await work();
        } catch (error) {
          if (closed || !(error instanceof EdaError) || error.code !== "host-lost") throw error;
          await relink(used);
        }
      }
    },
    close: () => {
      closed = true;
      link.connection.dispose();
    },
  };
}

/** By method name: the library's overload for request types refuses a parameter whose type is still open. */
function send<P, R>(
  rpc: MessageConnection,
  { method }: RequestType<P, R, void>,
  params: P,
  token: CancellationToken | undefined,
): Promise<R> {
  return token === undefined ? rpc.sendRequest<R>(method, params) : rpc.sendRequest<R>(method, params, token);
}

/** A request on a connection that has ended throws at once instead of rejecting. */
async function sent<R>(request: () => Promise<R>): Promise<R> {
  return request();
}

/** Opens a session, uses it, and closes it whatever happens. */
export async function withHost<T>(cli: Cli, workspace: string, use: (session: HostSession) => Promise<T>): Promise<T> {
  const session = await openSession(cli, workspace);
  try {
    return await use(session);
  } finally {
    session.close();
  }
}
