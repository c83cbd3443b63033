/** A local file on its way into the store: its content is known first, and sent only as that content. */
import { type FileHandle, open } from "node:fs/promises";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import type { Readable } from "node:stream";
import type { ContentHash } from "../../domain/asset.ts";
import { EdaError, throwIfAborted } from "../../domain/errors.ts";
import { printable } from "../../domain/printable.ts";
import type { Hashing } from "./hashing.ts";
import { type Allowance, type BlockPool, openAllowance, openBlockPool } from "./memory.ts";

const MIB = 1024 * 1024;

/** Up to here a file is read in one go, and its bytes are kept for sending while there is room. */
const SMALL_BYTES = 4 * MIB;
/** Of all files that were read and wait to be sent. */
const KEPT_BYTES = 32 * MIB;
/** Below it, handing bytes to another thread costs more than hashing them. */
const WORTH_A_THREAD_BYTES = 128 * 1024;
/** Up to here a file goes in one request, over it in parts of this size. */
const PART_BYTES = 8 * MIB;
/** S3 takes 10,000 parts: those of files over 70 GiB are larger, and read while they are sent. */
const MOST_PARTS = 9_000;
/** Parts on their way at the same time, of all files. */
const PART_BUFFERS = 4;
const STREAM_CHUNK_BYTES = MIB;

export interface SourcePart {
  readonly size: number;
  readonly sha256: string;
  /** Lends the bytes for one attempt: afterwards their memory is used for something else. */
  lend<T>(signal: AbortSignal, send: (bytes: Buffer | Readable) => Promise<T>): Promise<T>;
}

export interface SourceFile {
  readonly content: ContentHash;
  /** The whole of it in order: one part for what goes in one request. */
  readonly parts: readonly SourcePart[];
  /** Lets go of the bytes it kept. Idempotent. */
  release(): void;
}

export interface ReadRequest {
  readonly file: string;
  readonly signal: AbortSignal;
  readonly onRead: (bytes: number) => void;
}

export interface SourceReader {
  /** @throws EdaError `terminal` `file-not-readable` */
  read(request: ReadRequest): Promise<SourceFile>;
}

interface Memory {
  readonly hashing: Hashing;
  readonly kept: Allowance;
  readonly parts: BlockPool;
}

export function openSourceReader(hashing: Hashing): SourceReader {
  const memory: Memory = { hashing, kept: openAllowance(KEPT_BYTES), parts: openBlockPool(PART_BYTES, PART_BUFFERS) };
  return {
    async read(request) {
      throwIfAborted(request.signal);
      await using handle = await openSource(request.file);
      const { size } = await handle.stat();
      const buffer = size <= SMALL_BYTES ? memory.kept.take(size) : undefined;
      return await (buffer === undefined ? readInBlocks(memory, handle, size, request) : readAtOnce(memory, handle, size, buffer, request));
    },
  };
}

/** What cannot be read is never mistaken for a store that cannot be written to. */
async function openSource(file: string): Promise<FileHandle> {
  try {
    return await open(file, "r");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new EdaError("terminal", "file-not-readable", `${printable(file)} cannot be read (${code}).`, {
      todo: "Give the user that runs eda read access to it, or run again without it.",
      cause: error,
    });
  }
}

async function readAtOnce(
  { hashing, kept }: Memory,
  handle: FileHandle,
  size: number,
  buffer: Buffer,
  { signal, onRead }: ReadRequest,
): Promise<SourceFile> {
  let held: Buffer | undefined = buffer;
  const release = () => {
    if (held !== undefined) kept.release(held);
    held = undefined;
  };
  try {
    const bytes = buffer.subarray(0, await fill(handle, buffer.subarray(0, size), 0));
    onRead(bytes.length);
    throwIfAborted(signal);
    const content = size < WORTH_A_THREAD_BYTES ? hashNow(bytes) : await hashing.hashBytes(bytes);
    return { content, parts: [{ size: bytes.length, sha256: content.sha256, lend: (_, send) => send(bytes) }], release };
  } catch (error) {
    release();
    throw error;
  }
}

async function readInBlocks(memory: Memory, handle: FileHandle, size: number, { file, signal, onRead }: ReadRequest): Promise<SourceFile> {
  const isWhole = size <= PART_BYTES;
  const partBytes = Math.max(PART_BYTES, Math.ceil(size / MOST_PARTS / PART_BYTES) * PART_BYTES);
  let position = 0;
  const read = async (block: Buffer) => {
    throwIfAborted(signal);
    const bytes = await fill(handle, block, position);
    position += bytes;
    onRead(bytes);
    return bytes;
  };
  const { content, parts } = await memory.hashing.hashBlocks(read, isWhole ? {} : { partBytes });
  const sha256s = isWhole ? [content.sha256] : parts;
  return {
    content,
    parts: sha256s.map((sha256, index): SourcePart => {
      const start = index * partBytes;
      const length = Math.min(partBytes, content.size - start);
      const lend: SourcePart["lend"] = (attempt, send) =>
        length > PART_BYTES ? send(streamed(file, start, length, attempt)) : readAgain(memory.parts, file, start, length, send);
      return { size: length, sha256, lend };
    }),
    release: () => undefined,
  };
}

/** The server is told the hash and refuses other bytes: only a file that has become shorter is found here. */
async function readAgain<T>(
  buffers: BlockPool,
  file: string,
  start: number,
  length: number,
  send: (bytes: Buffer) => Promise<T>,
): Promise<T> {
  const buffer = await buffers.take();
  try {
    await using handle = await openSource(file);
    const bytes = buffer.subarray(0, length);
    if ((await fill(handle, bytes, start)) < length) {
      throw new EdaError(
        "terminal",
        "file-changed",
        `${printable(file)} became shorter while it was stored: wait until nothing writes to it.`,
      );
    }
    return await send(bytes);
  } finally {
    buffers.release(buffer);
  }
}

function streamed(file: string, start: number, length: number, signal: AbortSignal): Readable {
  return createReadStream(file, { start, end: start + length - 1, highWaterMark: STREAM_CHUNK_BYTES, signal });
}

/** Short only at the end of the file. */
async function fill(handle: FileHandle, buffer: Buffer, position: number): Promise<number> {
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await handle.read(buffer, length, buffer.length - length, position + length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return length;
}

function hashNow(bytes: Buffer): ContentHash {
  const digest = (algorithm: string) => createHash(algorithm).update(bytes).digest("hex");
  return { size: bytes.length, md5: digest("md5"), sha256: digest("sha256") };
}
