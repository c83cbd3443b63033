/** A local file on its way into the store: its content is known first, and sent only as that content. */
import { type FileHandle, open } from "node:fs/promises";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import type { Readable } from "node:stream";
import type { ContentHash } from "../../domain/asset.ts";
import { EdaError, throwIfAborted } from "../../domain/errors.ts";
import { printable } from "../../domain/names.ts";
import type { Hashing } from "./hashing.ts";

const MIB = 1024 * 1024;

/** Up to here a file is read in one go, and its bytes are kept for sending while there is room. */
const SMALL_BYTES = 4 * MIB;
/** Of all files that were read and wait to be sent. */
const KEPT_BYTES = 48 * MIB;
/** Below it, handing bytes to another thread costs more than hashing them. */
const WORTH_A_THREAD_BYTES = 128 * 1024;
/** Up to here a file goes in one request, over it in parts of this size. */
const PART_BYTES = 16 * MIB;
/** S3 takes 10,000 parts. */
const MOST_PARTS = 9_000;
const READ_BYTES = MIB;

export interface SourcePart {
  readonly size: number;
  readonly sha256: string;
  /** Once an attempt. */
  open(signal: AbortSignal): Buffer | Readable;
}

export interface SourceFile {
  readonly content: ContentHash;
  /** The whole of it in order: one part for what goes in one request. */
  readonly parts: readonly SourcePart[];
  /** Lets go of the bytes it kept. Idempotent. */
  release(): void;
}

/** Keeps count of the bytes that files wait with. */
export interface Kept {
  bytes: number;
}

export interface ReadRequest {
  readonly file: string;
  readonly signal: AbortSignal;
  readonly onRead: (bytes: number) => void;
}

/** @throws EdaError `terminal` `file-not-readable` */
export async function readSource(hashing: Hashing, kept: Kept, request: ReadRequest): Promise<SourceFile> {
  await using handle = await openSource(request.file);
  const { size } = await handle.stat();
  return await (size <= SMALL_BYTES ? readSmall(hashing, kept, handle, size, request) : readLarge(hashing, handle, size, request));
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

async function readSmall(
  hashing: Hashing,
  kept: Kept,
  handle: FileHandle,
  size: number,
  { file, signal, onRead }: ReadRequest,
): Promise<SourceFile> {
  throwIfAborted(signal);
  const onThread = size >= WORTH_A_THREAD_BYTES;
  const buffer = onThread ? Buffer.from(new SharedArrayBuffer(size)) : Buffer.allocUnsafeSlow(size);
  const bytes = buffer.subarray(0, await fill(handle, buffer, 0));
  onRead(bytes.length);
  throwIfAborted(signal);
  const content = onThread ? await hashing.hashBytes(bytes) : hashNow(bytes);
  const readAgain = partOf(file, 0, bytes.length);
  let held = kept.bytes + bytes.length <= KEPT_BYTES ? bytes : undefined;
  kept.bytes += held?.length ?? 0;
  return {
    content,
    parts: [{ size: bytes.length, sha256: content.sha256, open: (attempt) => held ?? readAgain(attempt) }],
    release() {
      kept.bytes -= held?.length ?? 0;
      held = undefined;
    },
  };
}

async function readLarge(hashing: Hashing, handle: FileHandle, size: number, { file, signal, onRead }: ReadRequest): Promise<SourceFile> {
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
  const { content, parts } = await hashing.hashBlocks(read, isWhole ? {} : { partBytes });
  const sha256s = isWhole ? [content.sha256] : parts;
  return {
    content,
    parts: sha256s.map((sha256, index) => {
      const start = index * partBytes;
      const length = Math.min(partBytes, content.size - start);
      return { size: length, sha256, open: partOf(file, start, length) };
    }),
    release: () => undefined,
  };
}

/** Read again when it is sent: the server refuses bytes that are not of the hash it is told first. */
function partOf(file: string, start: number, length: number): SourcePart["open"] {
  if (length === 0) return () => Buffer.alloc(0);
  return (signal) => createReadStream(file, { start, end: start + length - 1, highWaterMark: READ_BYTES, signal });
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
