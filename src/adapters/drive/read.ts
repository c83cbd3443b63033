/** Contents on their way out of Drive: taken up where the connection broke, and compared with the checksums that Drive gives. */
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { EdaError, throwIfAborted } from "../../domain/errors.ts";
import { printable } from "../../domain/printable.ts";
import type { DriveFile } from "../../ports/drive.ts";
import { isNative } from "./export-formats.ts";
import { DriveFailure, withoutRequest } from "./failures.ts";
import { findItem, type Item, versionOf } from "./items.ts";
import { retrying, waitAfter } from "./retry.ts";
import { header, type Wire } from "./wire.ts";

const READ_AHEAD_BYTES = 1024 * 1024;

/** @throws EdaError `transient` `drive-file-changed`, also from the stream */
export async function readFile(wire: Wire, file: DriveFile, signal: AbortSignal): Promise<Readable> {
  throwIfAborted(signal);
  const reading: Reading = { wire, file, signal };
  const item = await listedVersion(reading);
  if (isNative(item.mimeType)) return Readable.from([await exported(reading)]);
  return Readable.from(content(reading, item), { objectMode: false, highWaterMark: READ_AHEAD_BYTES, signal });
}

/** Undefined when it is gone or in the trash. */
export async function currentVersion(wire: Wire, file: DriveFile): Promise<string | undefined> {
  const item = await findItem(wire, file.id, subjectOf(file));
  return item === undefined || item.trashed ? undefined : versionOf(item);
}

interface Reading {
  readonly wire: Wire;
  readonly file: DriveFile;
  readonly signal: AbortSignal;
}

async function listedVersion({ wire, file, signal }: Reading): Promise<Item> {
  const item = await findItem(wire, file.id, subjectOf(file), signal);
  if (item === undefined || item.trashed || versionOf(item) !== file.version) throw changed(file);
  return item;
}

async function* content(reading: Reading, item: Item): AsyncGenerator<Buffer> {
  const { file } = reading;
  const sha256 = createHash("sha256");
  const md5 = createHash("md5");
  let size = 0;
  for await (const chunk of resumed(reading)) {
    // One of the two is enough, the better one where Drive has it.
    (item.sha256 === null ? md5 : sha256).update(chunk);
    size += chunk.length;
    yield chunk;
  }
  const expected = item.sha256 ?? item.md5;
  const digest = (item.sha256 === null ? md5 : sha256).digest("hex");
  if ((item.size ?? size) === size && (expected ?? digest) === digest) return;
  await listedVersion(reading);
  throw new EdaError(
    "transient",
    "drive-checksum-mismatch",
    `What arrived of ${path(file)} does not match the checksum that Drive gives.`,
    {
      todo: "Run again; if it stays so, upload the file to Drive anew.",
    },
  );
}

async function* resumed(reading: Reading): AsyncGenerator<Buffer> {
  const { wire, file, signal } = reading;
  let offset = 0;
  for (let attempt = 1; ; attempt += 1) {
    try {
      // After a break the rest could be another version's.
      if (offset > 0) await listedVersion(reading);
      for await (const chunk of bytesFrom(reading, offset)) {
        offset += chunk.length;
        attempt = 1;
        yield chunk;
      }
      return;
    } catch (error) {
      throwIfAborted(signal);
      const failure = withoutRequest(error);
      if (offset > 0 && failure instanceof DriveFailure && failure.status === 416) return;
      await waitAfter(failure, attempt, wire.limits, signal).catch((last: unknown) => {
        throw wire.explained(last, subjectOf(file));
      });
    }
  }
}

async function* bytesFrom({ wire, file, signal }: Reading, offset: number): AsyncGenerator<Buffer> {
  const response = await wire.send({
    method: "GET",
    url: `drive/v3/files/${encodeURIComponent(file.id)}?alt=media&supportsAllDrives=true`,
    // Compressed on the way, a range would be one of something else.
    headers: { "accept-encoding": "identity", ...(offset === 0 ? {} : { range: `bytes=${offset}-` }) },
    signal,
  });
  // A server that does not know ranges begins anew.
  let skip = response.statusCode === 206 ? offset - rangeStart(header(response, "content-range")) : offset;
  for await (const chunk of response.body as AsyncIterable<Buffer>) {
    if (skip >= chunk.length) skip -= chunk.length;
    else {
      yield skip > 0 ? chunk.subarray(skip) : chunk;
      skip = 0;
    }
  }
}

/** Of `bytes 5-9/10`. */
function rangeStart(contentRange: string | undefined): number {
  const start = /^bytes (\d+)-/u.exec(contentRange ?? "")?.[1];
  if (start === undefined) throw new DriveFailure(502, "", "the answer does not say which bytes it holds");
  return Number(start);
}

/** At most 10 MB, and without ranges or checksums: taken whole or not at all. */
async function exported({ wire, file, signal }: Reading): Promise<Buffer> {
  const query = `mimeType=${encodeURIComponent(file.mediaType ?? "")}`;
  const url = `drive/v3/files/${encodeURIComponent(file.id)}/export?${query}`;
  try {
    return await retrying(wire.limits, signal, async () => {
      try {
        const { body } = await wire.send({ method: "GET", url, signal });
        return Buffer.from(await body.arrayBuffer());
      } catch (error) {
        throw withoutRequest(error);
      }
    });
  } catch (error) {
    throw wire.explained(error, subjectOf(file));
  }
}

function changed(file: DriveFile): EdaError {
  return new EdaError("transient", "drive-file-changed", `${path(file)} is no longer the version that was listed.`, {
    todo: "Wait until nothing writes to it and run again.",
  });
}

function subjectOf(file: DriveFile): string {
  return `the file ${path(file)}`;
}

function path(file: DriveFile): string {
  return printable(file.segments.join("/"));
}
