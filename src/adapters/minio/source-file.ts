/** A local file that goes in one request: its content is known first, and sent only as that content. */
import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import type { ContentHash } from "../../domain/asset.ts";
import { throwIfAborted } from "../../domain/errors.ts";
import type { Hashing } from "./hashing.ts";
import { fileChanged, fill, openSource } from "./local-file.ts";
import type { Allowance, BlockPool } from "./memory.ts";

/** Below it, handing bytes to another thread costs more than hashing them. */
const WORTH_A_THREAD_BYTES = 128 * 1024;

export interface SourceFile {
  readonly content: ContentHash;
  /** Lends the bytes for one attempt: afterwards their memory is used for something else. */
  lend<T>(send: (bytes: Buffer) => Promise<T>): Promise<T>;
  /** Lets go of the bytes it kept. Idempotent. */
  release(): void;
}

export interface SourceMemory {
  readonly hashing: Hashing;
  /** Bytes that were read and wait to be sent, while there is room. */
  readonly kept: Allowance;
  /** For files that there was no room for: they are read again. */
  readonly blocks: BlockPool;
}

export interface ReadRequest {
  readonly file: string;
  /** The file, open. */
  readonly handle: FileHandle;
  readonly signal: AbortSignal;
  readonly onRead: (bytes: number) => void;
}

/**
 * @param size bytes, at most those of a block; a file that has become longer is cut there
 */
export async function readSource(memory: SourceMemory, request: ReadRequest, size: number): Promise<SourceFile> {
  const buffer = memory.kept.take(size);
  return buffer === undefined ? readTwice(memory, request, size) : readAndKeep(memory, request, buffer.subarray(0, size), buffer);
}

async function readAndKeep(
  { hashing, kept }: SourceMemory,
  { handle, signal, onRead }: ReadRequest,
  room: Buffer,
  buffer: Buffer,
): Promise<SourceFile> {
  let held: Buffer | undefined = buffer;
  const release = () => {
    if (held !== undefined) kept.release(held);
    held = undefined;
  };
  try {
    const bytes = await read(handle, room);
    onRead(bytes.length);
    throwIfAborted(signal);
    return { content: await contentOf(hashing, bytes), lend: (send) => send(bytes), release };
  } catch (error) {
    release();
    throw error;
  }
}

/** The server is told the hash and refuses other bytes: only a file that has become shorter is found here. */
async function readTwice({ hashing, blocks }: SourceMemory, { file, handle, onRead }: ReadRequest, size: number): Promise<SourceFile> {
  const borrowing = async <T>(from: FileHandle, work: (bytes: Buffer) => Promise<T>): Promise<T> => {
    const block = await blocks.take();
    try {
      return await work(await read(from, block.subarray(0, size)));
    } finally {
      blocks.release(block);
    }
  };
  const content = await borrowing(handle, (bytes) => contentOf(hashing, bytes));
  onRead(content.size);
  return {
    content,
    async lend(send) {
      await using again = await openSource(file);
      return await borrowing(again, (bytes) => {
        if (bytes.length < content.size) throw fileChanged(file);
        return send(bytes);
      });
    },
    release: () => undefined,
  };
}

async function read(handle: FileHandle, room: Buffer): Promise<Buffer> {
  return room.subarray(0, await fill(handle, room, 0));
}

async function contentOf(hashing: Hashing, bytes: Buffer): Promise<ContentHash> {
  if (bytes.length >= WORTH_A_THREAD_BYTES) return await hashing.hashBytes(bytes);
  const digest = (algorithm: string) => createHash(algorithm).update(bytes).digest("hex");
  return { size: bytes.length, md5: digest("md5"), sha256: digest("sha256") };
}
