/** A local file that goes in one request: its content is known first, and sent only as that content. */
import type { ContentHash } from "../../domain/asset.ts";
import { throwIfAborted } from "../../domain/errors.ts";
import type { Hashing } from "./hashing.ts";
import { fileChanged, fill, notReadable, openSource } from "./local-file.ts";
import type { Allowance, BlockPool } from "./memory.ts";

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
  readonly signal: AbortSignal;
  readonly onRead: (bytes: number) => void;
}

/**
 * @param size bytes that the file had, at most those of a block
 * @returns undefined when it has become longer
 * @throws EdaError `terminal` `file-not-readable`
 */
export function readSource(memory: SourceMemory, request: ReadRequest, size: number): Promise<SourceFile | undefined> {
  const buffer = memory.kept.take(size);
  return buffer === undefined ? readTwice(memory, request, size) : readAndKeep(memory, request, size, buffer);
}

async function readAndKeep(
  { hashing, kept }: SourceMemory,
  request: ReadRequest,
  size: number,
  buffer: Buffer,
): Promise<SourceFile | undefined> {
  let held: Buffer | undefined = buffer;
  const release = () => {
    if (held !== undefined) kept.release(held);
    held = undefined;
  };
  try {
    const content = await readInto(hashing, request, buffer.subarray(0, size));
    if (content !== undefined) return { content, lend: (send) => send(buffer.subarray(0, content.size)), release };
  } catch (error) {
    release();
    throw error;
  }
  release();
  return undefined;
}

/** The server is told the hash and refuses other bytes: only a file that has become shorter is found here. */
async function readTwice({ hashing, blocks }: SourceMemory, request: ReadRequest, size: number): Promise<SourceFile | undefined> {
  const borrowing = async <T>(work: (room: Buffer) => Promise<T>): Promise<T> => {
    const block = await blocks.take();
    try {
      return await work(block.subarray(0, size));
    } finally {
      blocks.release(block);
    }
  };
  const content = await borrowing((room) => readInto(hashing, request, room));
  if (content === undefined) return undefined;
  return {
    content,
    async lend(send) {
      await using again = await openSource(request.file);
      return await borrowing(async (room) => {
        const length = await fill(again, room, 0);
        if (length < content.size) throw fileChanged(request.file);
        return send(room.subarray(0, content.size));
      });
    },
    release: () => undefined,
  };
}

async function readInto(hashing: Hashing, { file, signal, onRead }: ReadRequest, room: Buffer): Promise<ContentHash | undefined> {
  const content = await hashing.readFile(file, room).catch((error: unknown) => {
    // A thread that ended has no code, and says nothing of the file.
    throw error instanceof Error && "code" in error ? notReadable(file, error) : error;
  });
  throwIfAborted(signal);
  if (content !== undefined) onRead(content.size);
  return content;
}
