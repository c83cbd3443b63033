/** The local socket that clients reach the host by: only the user's own, and never a stale one. */
import { chmodSync, lstatSync, mkdirSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { userInfo } from "node:os";
import { dirname } from "node:path";
import { EdaError } from "../domain/errors.ts";
import type { Endpoint } from "../protocol/endpoint.ts";

export interface SocketServer {
  /** No new connections; the open ones are ended. */
  close(): Promise<void>;
}

/**
 * Listens. Only the single host of a workspace may call it: a socket file found there is a dead host's.
 * @throws EdaError `unavailable` when the socket's folder belongs to somebody else
 */
export async function listenOn(endpoint: Endpoint, onSocket: (socket: Socket) => void): Promise<SocketServer> {
  const path = endpoint.socket;
  if (dirname(path) !== endpoint.stateFolder) makeOwnFolder(dirname(path));
  rmSync(path, { force: true });
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
    onSocket(socket);
  });
  // The file is created with these rights, so that there is no moment at which others could connect.
  const umask = process.umask(0o177);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(path, resolve);
    });
  } finally {
    process.umask(umask);
  }
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroySoon();
      }),
  };
}

/** A folder in the shared temporary folder must be ours alone: somebody else could have made it first. */
function makeOwnFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const found = lstatSync(folder);
  if (!found.isDirectory() || found.uid !== userInfo().uid) {
    throw new EdaError("unavailable", "unsafe-socket-folder", `${folder} belongs to another user.`, {
      todo: "Remove it, or move the workspace to a shorter path.",
    });
  }
  chmodSync(folder, 0o700);
}
