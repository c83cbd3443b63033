/** Contents on their way out: a connection that breaks is taken up where it broke. */
import { randomUUID } from "node:crypto";
import { type FileHandle, mkdir, open, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type { ContentHash, ObjectRef } from "../../domain/asset.ts";
import { throwIfAborted } from "../../domain/errors.ts";
import { isTransient, notFound, translated } from "./failures.ts";
import type { Hashing } from "./hashing.ts";
import { assertSame } from "./metadata.ts";
import { READ_ATTEMPTS, retrying, WRITE_ATTEMPTS } from "./retry.ts";
import { assertKey, completeInfo, isAbsent } from "./versions.ts";
import type { S3Response, Wire } from "./wire.ts";

const READ_AHEAD_BYTES = 1024 * 1024;
const RESUME_DELAY_MS = 500;

export interface OpenContent {
  readonly content: ContentHash;
  readonly stream: Readable;
}

/** @throws EdaError `terminal` `object-not-found` */
export async function openContent(wire: Wire, ref: ObjectRef, signal: AbortSignal | undefined): Promise<OpenContent> {
  const first = await get(wire, ref, 0, signal);
  const headers = { "x-amz-version-id": ref.versionId, ...first.headers };
  const content = await retrying(READ_ATTEMPTS, signal, () => completeInfo(wire, ref.bucket, ref.key, headers, signal));
  const stream = Readable.from(resumed(wire, ref, first.body, content.size, signal), {
    objectMode: false,
    highWaterMark: READ_AHEAD_BYTES,
  });
  // A stream that nobody read never began with the body, and the connection would wait for somebody to.
  stream.once("close", () => first.body.on("error", () => undefined).destroy());
  return { content, stream };
}

async function* resumed(
  wire: Wire,
  ref: ObjectRef,
  first: S3Response["body"],
  size: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer> {
  let body = first;
  let offset = 0;
  for (let attempts = 1; ; attempts += 1) {
    try {
      for await (const chunk of body as AsyncIterable<Buffer>) {
        offset += chunk.length;
        attempts = 1;
        yield chunk;
      }
      return;
    } catch (error) {
      if (signal?.aborted === true || attempts === WRITE_ATTEMPTS || offset === size || !isTransient(error)) throw translated(error);
    }
    await sleep(RESUME_DELAY_MS, undefined, signal === undefined ? {} : { signal });
    body = (await get(wire, ref, offset, signal)).body;
  }
}

async function get(wire: Wire, ref: ObjectRef, offset: number, signal: AbortSignal | undefined): Promise<S3Response> {
  const { bucket, key, versionId } = ref;
  assertKey(key);
  if (versionId === "") throw notFound(ref);
  const headers: Record<string, string> = offset === 0 ? {} : { range: `bytes=${offset}-` };
  return retrying(READ_ATTEMPTS, signal, async () => {
    try {
      return await wire.send({ method: "GET", bucket, key, query: { versionId }, headers, signal });
    } catch (error) {
      throw isAbsent(error, versionId) ? notFound(ref) : error;
    }
  });
}

/**
 * A file named by its content in `directory`; there whole or not at all. One that is there is not loaded again.
 * @throws EdaError `terminal` `object-not-found`, `hash-mismatch`
 */
export async function download(
  wire: Wire,
  hashing: Hashing,
  ref: ObjectRef,
  expected: ContentHash,
  directory: string,
  signal: AbortSignal,
): Promise<string> {
  throwIfAborted(signal);
  const file = join(directory, expected.sha256);
  const name = `${ref.bucket}/${ref.key}`;
  const { content, stream } = await openContent(wire, ref, signal);
  const partial = `${file}.${randomUUID()}`;
  try {
    // One that lost its tags is known by its bytes alone.
    if (content.sha256 !== "") assertSame(content, expected, name);
    if ((await sizeOf(file)) === expected.size) return file;
    await mkdir(directory, { recursive: true });
    assertSame(await writeHashed(hashing, stream, partial), expected, name);
    await rename(partial, file);
    return file;
  } finally {
    stream.destroy();
    await rm(partial, { force: true });
  }
}

async function writeHashed(hashing: Hashing, stream: Readable, file: string): Promise<ContentHash> {
  await using target = await open(file, "wx");
  const fill = blockFiller(stream);
  let position = 0;
  return await hashing.hashBlocks(fill, (block) => {
    const at = position;
    position += block.length;
    return writeFully(target, block, at);
  });
}

/** Cuts a stream into full blocks. */
function blockFiller(stream: Readable): (block: Buffer) => Promise<number> {
  const chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer, undefined>;
  let rest: Buffer | undefined;
  return async (block) => {
    let length = 0;
    while (length < block.length) {
      const chunk = rest ?? (await chunks.next()).value;
      if (chunk === undefined) break;
      const copied = chunk.copy(block, length);
      length += copied;
      rest = copied < chunk.length ? chunk.subarray(copied) : undefined;
    }
    return length;
  };
}

async function writeFully(target: FileHandle, bytes: Buffer, position: number): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    written += (await target.write(bytes, written, bytes.length - written, position + written)).bytesWritten;
  }
}

async function sizeOf(file: string): Promise<number | undefined> {
  return (await stat(file).catch(() => undefined))?.size;
}
