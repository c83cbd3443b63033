/** One client of the host: its handshake, then its requests. */
import type { Socket } from "node:net";
import { createMessageConnection, SocketMessageReader, SocketMessageWriter } from "vscode-jsonrpc/node";
import { EdaError } from "../domain/errors.ts";
import type { RunSummary } from "../domain/run.ts";
import { JobChanged, type JobView } from "../protocol/jobs.ts";
import { Hello, type HostStatus, PROTOCOL_VERSION, RunChanged, Status, Stop } from "../protocol/messages.ts";
import type { Host } from "./host.ts";
import { registerJobs } from "./rpc/jobs.ts";
import { registerObjects } from "./rpc/objects.ts";
import { registrarFor } from "./rpc/register.ts";
import { registerGoogle } from "./rpc/google.ts";
import { registerRuns } from "./rpc/runs.ts";
import { tell } from "./rpc/tell.ts";
import { registerViews } from "./rpc/views.ts";
import { registerWorkspace } from "./rpc/workspace.ts";

export interface Client {
  /** Ignored by a client that has not introduced itself. */
  runChanged(summary: RunSummary): void;
  jobChanged(view: JobView): void;
}

export interface ConnectionOptions {
  readonly host: Host;
  readonly status: () => Promise<HostStatus>;
  /** Ends the host once the answer is on its way. */
  readonly requestStop: () => void;
  readonly onClose: (client: Client) => void;
}

/**
 * Serves a socket. Before the handshake nothing but the handshake is answered; a client of another protocol may after it only ask for the
 * status and stop the host.
 */
export function serveClient(socket: Socket, options: ConnectionOptions): Client {
  const { host } = options;
  const rpc = createMessageConnection(new SocketMessageReader(socket), new SocketMessageWriter(socket));
  const registrar = registrarFor(rpc, host.logger);
  let isKnown = false;
  const client: Client = {
    runChanged(summary) {
      if (isKnown) tell(() => rpc.sendNotification(RunChanged, summary));
    },
    jobChanged(view) {
      if (isKnown) tell(() => rpc.sendNotification(JobChanged, view));
    },
  };
  registrar.handle(Hello, async ({ protocol, build, client: kind }) => {
    const status = await options.status();
    if (isKnown) return status;
    host.logger.info({ client: kind, build, protocol }, "client connected");
    registrar.handle0(Status, options.status);
    registrar.handle(Stop, async ({ force }) => {
      const active = await host.runs.active().catch(() => host.board.activeRuns());
      if (active.length > 0 && !force) {
        throw new EdaError("precondition", "runs-active", `${active.length} run(s) are active: ${active.join(", ")}.`, {
          todo: "Wait for them, cancel them, or stop with --force: they then go on at the next start.",
        });
      }
      options.requestStop();
    });
    if (protocol === PROTOCOL_VERSION) {
      isKnown = true;
      registerRuns(registrar, rpc, host);
      registerViews(registrar, host);
      registerObjects(registrar, rpc, host);
      registerJobs(registrar, host);
      registerWorkspace(registrar, rpc, host);
      registerGoogle(registrar, rpc, host);
    }
    return status;
  });
  // Not disposed: that would drop what the client had asked for before it left and is still in the queue, such as a cancellation.
  rpc.onClose(() => options.onClose(client));
  rpc.onError(([error]) => host.logger.warn({ error: error.message }, "client connection broken"));
  socket.on("error", () => socket.destroy());
  rpc.listen();
  return client;
}
