/**
 * Resumable uploads: chunks in multiples of 256 KiB, and after any break Drive is asked how far it got.
 * https://developers.google.com/workspace/drive/api/guides/manage-uploads#resumable
 */
import type { drive_v3 } from "@googleapis/drive";
import { throwIfAborted } from "../../domain/errors.ts";
import { DriveFailure, withoutRequest } from "./failures.ts";
import { ITEM_FIELDS, type Item, itemOf } from "./items.ts";
import { readChunk } from "./local-file.ts";
import { retrying, waitAfter } from "./retry.ts";
import { header, type Wire } from "./wire.ts";

const PARTIAL_STATUS = 308;

export interface SessionStart {
  /** The file that gets new content; undefined: one is created. */
  readonly update: string | undefined;
  readonly metadata: drive_v3.Schema$File;
  readonly size: number;
  readonly mediaType: string;
}

/** @returns the session's address: whoever knows it may write the file, so it is kept as a secret */
export async function startSession(wire: Wire, { update, metadata, size, mediaType }: SessionStart, signal: AbortSignal): Promise<string> {
  const path = update === undefined ? "" : `/${encodeURIComponent(update)}`;
  const url = `upload/drive/v3/files${path}?uploadType=resumable&supportsAllDrives=true&fields=${encodeURIComponent(ITEM_FIELDS)}`;
  return retrying(wire.limits, signal, async () => {
    const response = await wire.send({
      method: update === undefined ? "POST" : "PATCH",
      url,
      headers: {
        "content-type": "application/json; charset=UTF-8",
        "x-upload-content-length": String(size),
        "x-upload-content-type": mediaType,
      },
      body: JSON.stringify(metadata),
      signal,
    });
    await response.body.dump();
    const location = header(response, "location");
    if (location === undefined) throw new DriveFailure(502, "", "the answer names no upload session");
    return location;
  });
}

export interface Transfer {
  readonly session: string;
  /** Nothing was sent to it yet. */
  readonly isNew: boolean;
  readonly localFile: string;
  readonly size: number;
}

/**
 * Sends what Drive does not have yet.
 * @returns the finished file; undefined when the session is gone (they last a week)
 * @throws DriveFailure, NetworkFailure once the retries are used up; EdaError `file-changed`, `cancelled`
 */
export async function transfer(wire: Wire, { session, isNew, localFile, size }: Transfer, signal: AbortSignal): Promise<Item | undefined> {
  // Undefined: Drive is asked first. An empty file is all there once it was asked for.
  let offset: number | undefined = isNew && size > 0 ? 0 : undefined;
  let furthest = 0;
  for (let attempt = 1; ; attempt += 1) {
    try {
      throwIfAborted(signal);
      const progress: Progress =
        offset === undefined ? await ask(wire, session, size, signal) : await put(wire, { session, localFile, size, offset }, signal);
      if (typeof progress !== "number") return progress;
      if (progress === offset) throw new DriveFailure(502, "", "nothing of what was sent has arrived");
      if (progress > furthest) attempt = 0;
      furthest = Math.max(furthest, progress);
      offset = progress;
    } catch (error) {
      throwIfAborted(signal);
      const failure = withoutRequest(error);
      if (failure instanceof DriveFailure && (failure.status === 404 || failure.status === 410)) return undefined;
      await waitAfter(failure, attempt, wire.limits, signal);
      offset = undefined;
    }
  }
}

/** The file, or how many bytes Drive has. */
type Progress = Item | number;

async function ask(wire: Wire, session: string, size: number, signal: AbortSignal): Promise<Progress> {
  return progressOf(await wire.send({ method: "PUT", url: session, headers: { "content-range": `bytes */${size}` }, signal }));
}

interface Piece {
  readonly session: string;
  readonly localFile: string;
  readonly size: number;
  readonly offset: number;
}

async function put(wire: Wire, { session, localFile, size, offset }: Piece, signal: AbortSignal): Promise<Progress> {
  const length = Math.min(wire.limits.chunkBytes, size - offset);
  const body = await readChunk(localFile, offset, length);
  const range = `bytes ${offset}-${offset + length - 1}/${size}`;
  return progressOf(await wire.send({ method: "PUT", url: session, headers: { "content-range": range }, body, signal }));
}

async function progressOf(response: Awaited<ReturnType<Wire["send"]>>): Promise<Progress> {
  if (response.statusCode !== PARTIAL_STATUS) return itemOf((await response.body.json()) as drive_v3.Schema$File);
  await response.body.dump();
  return storedBytes(header(response, "range"));
}

/** Of `bytes=0-524287`; no header: nothing yet. */
export function storedBytes(range: string | undefined): number {
  const last = /^bytes=0-(\d+)$/u.exec(range?.trim() ?? "")?.[1];
  return last === undefined ? 0 : Number(last) + 1;
}
