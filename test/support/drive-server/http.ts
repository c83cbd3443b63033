/** Requests' bodies and answers over the socket, with the faults that strike them there. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { ApiError } from "./errors.ts";
import { type Fault, faultOf } from "./faults.ts";

const PIECE_BYTES = 64 * 1024;

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
}

export function json(value: unknown, status = 200): Answer {
  return { status, headers: { "Content-Type": "application/json; charset=UTF-8" }, body: JSON.stringify(value) };
}

export function errorAnswer(error: ApiError): Answer {
  return { ...json(error, error.status), headers: { "Content-Type": "application/json; charset=UTF-8", ...error.headers } };
}

/** The connection ended on purpose: there is nobody to answer. */
export class ConnectionCut extends Error {}

export interface Received {
  readonly bytes: Buffer;
  /** The whole body came in; otherwise the client or a fault ended the connection. */
  readonly complete: boolean;
}

/** All of the body that comes in. */
export async function receive(request: IncomingMessage, faults: readonly Fault[]): Promise<Received> {
  const cut = faultOf(faults, "cut-upload");
  const pieces: Buffer[] = [];
  let received = 0;
  try {
    for await (const piece of request as AsyncIterable<Buffer>) {
      pieces.push(piece);
      received += piece.length;
      if (cut !== undefined && received > cut.afterBytes) {
        request.socket.destroy();
        return { bytes: Buffer.concat(pieces).subarray(0, cut.afterBytes), complete: false };
      }
    }
  } catch {
    return { bytes: Buffer.concat(pieces), complete: false };
  }
  return { bytes: Buffer.concat(pieces), complete: request.complete };
}

/** @throws ConnectionCut when it does not all come in */
export async function receiveAll(request: IncomingMessage, faults: readonly Fault[]): Promise<Buffer> {
  const { bytes, complete } = await receive(request, faults);
  if (!complete) throw new ConnectionCut();
  return bytes;
}

/** An object; an empty body is an empty one. @throws ApiError `badRequest` */
export function parseObject(bytes: Buffer): Record<string, unknown> {
  if (bytes.length === 0) return {};
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString());
  } catch {
    throw new ApiError("badRequest", { message: "Parse Error" });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new ApiError("badRequest", { message: "Parse Error" });
  return value as Record<string, unknown>;
}

/** Sends the answer as far as the faults let it. @throws ConnectionCut */
export async function send(response: ServerResponse, answer: Answer, faults: readonly Fault[]): Promise<void> {
  // What is left of a request's body would otherwise be taken for the next request of the connection.
  response.req.resume();
  const cut = faultOf(faults, "cut-download");
  const stall = faultOf(faults, "stall-download");
  const body = bodyOf(answer, faults);
  const stopAt = Math.min(cut?.afterBytes ?? body.length, stall?.afterBytes ?? body.length);
  response.writeHead(answer.status, statusMessage(answer.status), { "Content-Length": String(body.length), ...answer.headers });
  const gone = closed(response);
  for (let at = 0; at < stopAt && !response.destroyed; at += PIECE_BYTES) {
    const piece = body.subarray(at, Math.min(at + PIECE_BYTES, stopAt));
    if (!response.write(piece)) await Promise.race([drained(response), gone]);
  }
  if (stall !== undefined) await gone;
  else if (cut !== undefined) await endConnection(response);
  else response.end();
  if (stall !== undefined || cut !== undefined) throw new ConnectionCut();
}

function bodyOf({ body = "" }: Answer, faults: readonly Fault[]): Buffer {
  const bytes = Buffer.from(body);
  if (faultOf(faults, "corrupt-download") === undefined || bytes.length === 0) return bytes;
  const middle = Math.floor(bytes.length / 2);
  bytes[middle] = (bytes[middle] as number) ^ 1;
  return bytes;
}

/** Lets the bytes that were written leave before the connection is torn. */
async function endConnection(response: ServerResponse): Promise<void> {
  const deadline = Date.now() + 1000;
  while (!response.destroyed && (response.socket?.writableLength ?? 0) > 0 && Date.now() < deadline) await sleep(1);
  response.socket?.destroy();
}

const drained = (response: ServerResponse) => new Promise<void>((resolve) => response.once("drain", resolve));
const closed = (response: ServerResponse) =>
  new Promise<void>((resolve) => (response.destroyed ? resolve() : response.once("close", resolve)));

/** 308 means something else in HTTP than in Google's upload protocol. */
function statusMessage(status: number): string | undefined {
  return status === 308 ? "Resume Incomplete" : undefined;
}
