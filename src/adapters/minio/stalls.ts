/**
 * Uploads on a network that goes silent: nothing breaks such a connection by itself, and the answer to a large upload may rightly take minutes.
 * So the bytes have to move. Node knows of every connection whether they do; which request is on it, the HTTP client tells by its diagnostics.
 * https://undici.nodejs.org/#/docs/api/DiagnosticsChannel
 */
import { subscribe } from "node:diagnostics_channel";
import type { Socket } from "node:net";
import { buildConnector } from "undici";
import { StalledUpload } from "./failures.ts";

interface Watched {
  readonly stallMs: number;
  /** A body is on its way, or its answer. */
  isUploading: boolean;
  /** Everything had been handed to this machine's network buffers when nothing moved: they may still be emptying. */
  isLastChance: boolean;
}

const watched = new WeakMap<Socket, Watched>();

subscribe("undici:client:sendHeaders", (message) => {
  const { request, socket } = message as { readonly request: { readonly method: string }; readonly socket: Socket };
  const watch = watched.get(socket);
  if (watch === undefined) return;
  watch.isUploading = request.method === "PUT";
  watch.isLastChance = false;
  socket.setTimeout(watch.isUploading ? watch.stallMs : 0);
});

/** Connections that are given up, with a {@link StalledUpload}, when an upload on them stands still for so long. */
export function connectorOfMoving(stallMs: number, options: buildConnector.BuildOptions): buildConnector.connector {
  const connect = buildConnector(options);
  return (target, callback) =>
    connect(target, (...[error, socket]) => {
      if (error !== null) return callback(error, null);
      watch(socket, stallMs);
      return callback(null, socket);
    });
}

function watch(socket: Socket, stallMs: number): void {
  const state: Watched = { stallMs, isUploading: false, isLastChance: false };
  watched.set(socket, state);
  socket.on("timeout", () => {
    if (!state.isUploading) return;
    if (socket.writableLength > 0 || state.isLastChance) {
      socket.destroy(new StalledUpload(stallMs));
      return;
    }
    state.isLastChance = true;
    socket.setTimeout(stallMs);
  });
}
