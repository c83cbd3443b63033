/**
 * Resumable uploads: https://developers.google.com/workspace/drive/api/guides/manage-uploads#resumable.
 * The session's address is all that its requests need; it works without a token, as Google's does.
 */
import { randomBytes } from "node:crypto";
import type { Call } from "./call.ts";
import { ApiError } from "./errors.ts";
import { faultOf } from "./faults.ts";
import { parseFields } from "./fields.ts";
import { checkCreation, create, type FileChange, update } from "./files-write.ts";
import { type Answer, ConnectionCut, json, parseObject, receive, receiveAll } from "./http.ts";
import { itemFor } from "./access.ts";
import { type Metadata, parseMetadata } from "./metadata.ts";
import { fileResource, type View } from "./resources.ts";
import { SHAPES } from "./shapes.ts";

/** Every piece but the last has a multiple of it. */
const BLOCK_BYTES = 256 * 1024;
const LIFE_MS = 7 * 24 * 60 * 60 * 1000;

interface Session {
  readonly change: FileChange;
  readonly view: View;
  readonly metadata: Metadata;
  readonly mediaType: string | undefined;
  /** What `X-Upload-Content-Length` announced. */
  readonly announced: number | undefined;
  readonly project: (answer: object) => unknown;
  readonly expiresAt: number;
  pieces: Buffer[];
  received: number;
  /** Once all has come in. */
  answer: Answer | undefined;
}

export class Sessions {
  readonly #open = new Map<string, Session>();
  readonly #gone = new Map<string, 404 | 410>();

  add(session: Session): string {
    const id = `ABgVH8${randomBytes(48).toString("base64url")}`;
    this.#open.set(id, session);
    return id;
  }

  /** @throws ApiError 404 or 410 when the session is unknown or has expired */
  get(id: string): Session {
    const session = this.#open.get(id);
    if (session !== undefined && session.expiresAt > Date.now()) return session;
    throw new ApiError(this.#gone.get(id) === 410 ? "gone" : "notFound", { message: "Upload session not found." });
  }

  /** @param id only this one; all of them when absent */
  expire(id?: string, status: 404 | 410 = 404): void {
    for (const known of id === undefined ? [...this.#open.keys()] : [id]) {
      this.#open.delete(known);
      this.#gone.set(known, status);
    }
  }

  /** Sessions that neither ended nor expired. */
  get unfinished(): number {
    return [...this.#open.values()].filter(({ answer }) => answer === undefined).length;
  }
}

export async function startSession(call: Call): Promise<Answer> {
  const { request, parameters, store, email, access, id, view } = call;
  const project = parseFields(parameters.text("fields"), SHAPES.file);
  const change = { store, email, access, parameters, id };
  const metadata = parseMetadata(parseObject(await receiveAll(request, call.faults)), id === "" ? "create" : "update");
  const announced = wholeHeader(request.headers["x-upload-content-length"]);
  const mediaType = request.headers["x-upload-content-type"]?.toString();
  if (id === "") checkCreation(change, { ...metadata, mimeType: metadata.mimeType ?? mediaType }, announced ?? 0);
  else itemFor(access, id, "writer");
  const session = call.sessions.add({
    change,
    view,
    metadata,
    mediaType,
    announced,
    project,
    expiresAt: Date.now() + LIFE_MS,
    pieces: [],
    received: 0,
    answer: undefined,
  });
  const path = id === "" ? "" : `/${encodeURIComponent(id)}`;
  // Where the client found the server, which may be behind a proxy.
  const location = `http://${request.headers.host}/upload/drive/v3/files${path}?uploadType=resumable&upload_id=${session}`;
  return { status: 200, headers: { Location: location, "X-GUploader-UploadID": session } };
}

export type SessionCall = Pick<Call, "request" | "sessions" | "faults"> & { readonly sessionId: string };

/** A piece of the content, or an empty one that asks how far the upload got. */
export async function putPiece({ request, sessions, sessionId, faults }: SessionCall): Promise<Answer> {
  const expired = faultOf(faults, "expired-session");
  if (expired !== undefined) sessions.expire(sessionId, expired.status);
  const session = sessions.get(sessionId);
  const range = parseContentRange(request.headers["content-range"]);
  if (session.answer !== undefined) {
    await receiveAll(request, faults);
    return session.answer;
  }
  if (range.kind === "query") {
    await receiveAll(request, faults);
    return range.total === session.received ? finish(session) : incomplete(session);
  }
  const total = range.kind === "all" ? wholeHeader(request.headers["content-length"]) : range.total;
  checkPlace(session, range, total, wholeHeader(request.headers["content-length"]));
  const { bytes, complete } = await receive(request, faults);
  // A piece that broke off is kept up to the last whole block.
  const kept = complete ? bytes.length : Math.floor(bytes.length / BLOCK_BYTES) * BLOCK_BYTES;
  session.pieces.push(bytes.subarray(0, kept));
  session.received += kept;
  if (!complete) throw new ConnectionCut();
  return range.kind === "all" || session.received === total ? finish(session) : incomplete(session);
}

export function cancelSession({ sessions, sessionId }: SessionCall): Answer {
  sessions.get(sessionId);
  sessions.expire(sessionId);
  return { status: 499 };
}

function finish(session: Session): Answer {
  const { change, metadata, mediaType } = session;
  const upload = { bytes: Buffer.concat(session.pieces), mediaType };
  const item = change.id === "" ? create(change, metadata, upload) : update(change, metadata, upload);
  session.pieces = [];
  session.answer = json(session.project(fileResource(item, session.view)));
  return session.answer;
}

function incomplete({ received }: Session): Answer {
  return { status: 308, headers: received === 0 ? {} : { Range: `bytes=0-${received - 1}` } };
}

type ContentRange =
  | { readonly kind: "query"; readonly total: number | undefined }
  | { readonly kind: "piece"; readonly first: number; readonly last: number; readonly total: number | undefined }
  /** No header: the whole content at once. */
  | { readonly kind: "all" };

function parseContentRange(header: string | undefined): ContentRange {
  if (header === undefined) return { kind: "all" };
  const match = /^bytes (?:\*|(\d+)-(\d+))\/(?:\*|(\d+))$/.exec(header);
  if (match === null) throw badUpload("Failed to parse Content-Range header.");
  const [, first, last, whole] = match;
  const total = whole === undefined ? undefined : Number(whole);
  return first === undefined ? { kind: "query", total } : { kind: "piece", first: Number(first), last: Number(last), total };
}

function checkPlace(session: Session, range: ContentRange, total: number | undefined, length: number | undefined): void {
  if (session.announced !== undefined && total !== undefined && total !== session.announced) {
    throw badUpload(`The total ${total} is not the announced X-Upload-Content-Length ${session.announced}.`);
  }
  const first = range.kind === "piece" ? range.first : 0;
  if (first !== session.received) throw badUpload(`Expected the byte ${session.received} next, not ${first}.`);
  if (range.kind !== "piece") return;
  const bytes = range.last - range.first + 1;
  if (bytes < 1 || (length !== undefined && length !== bytes)) throw badUpload("Content-Range does not fit Content-Length.");
  if (total !== undefined && range.last >= total) throw badUpload("Content-Range goes past the total.");
  if (range.last + 1 !== total && bytes % BLOCK_BYTES !== 0) {
    throw badUpload(`Every piece but the last must be a multiple of ${BLOCK_BYTES} bytes.`);
  }
}

function wholeHeader(value: string | string[] | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (!/^\d+$/.test(value.toString())) throw badUpload(`Invalid length ${value}.`);
  return Number(value);
}

const badUpload = (message: string) => new ApiError("badRequest", { message: `Invalid request. ${message}` });
