/** A large file, read once from start to end: each part is hashed and handed on while the next are read. */
import { createReadStream } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import type { Readable } from "node:stream";
import pLimit from "p-limit";
import type { ContentHash } from "../../domain/asset.ts";
import { throwIfAborted } from "../../domain/errors.ts";
import type { HashStream } from "./hash-pool.ts";
import { type ContentHashing, filled, type Hashing } from "./hashing.ts";
import { fileChanged, fill, openSource } from "./local-file.ts";
import type { BlockPool } from "./memory.ts";

/** S3 takes 10,000 parts: those of files that would have more are of several blocks. */
const MOST_PARTS = 9_000;
/** Parts of several blocks are not held: they are read again while they are sent. */
const PARALLEL_STREAMS = 4;
const STREAM_CHUNK_BYTES = 1024 * 1024;

export interface FilePart {
  /** From 1. */
  readonly number: number;
  readonly size: number;
  /** 8 hexadecimal digits. */
  readonly crc32: string;
  /** The bytes for one attempt. Valid until the part's work is done. */
  body(signal: AbortSignal): Buffer | Readable;
}

export interface PartReading {
  readonly file: string;
  /** Ends the reading; also given to bodies. */
  readonly signal: AbortSignal;
  readonly onRead: (bytes: number) => void;
  /** Called with each part in order, several at a time. When one fails no other is begun. */
  readonly onPart: (part: FilePart) => Promise<void>;
}

/**
 * @returns the content that all parts together are; every part's work has ended, also when this throws
 * @throws EdaError `terminal` `file-not-readable`, `file-changed`
 */
export async function readParts(hashing: Hashing, blocks: BlockPool, reading: PartReading): Promise<ContentHash> {
  await using handle = await openSource(reading.file);
  const { size } = await handle.stat();
  const content = hashing.openContent();
  const underWay = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  const track = (work: Promise<void>) => {
    const tracked = work
      .catch((error: unknown) => {
        failure ??= { error };
      })
      .finally(() => underWay.delete(tracked));
    underWay.add(tracked);
  };
  const source: Source = { hashing, blocks, reading, handle, content, track, streams: pLimit(PARALLEL_STREAMS) };
  try {
    const partBytes = blocks.blockBytes * Math.max(1, Math.ceil(size / MOST_PARTS / blocks.blockBytes));
    for (let start = 0, number = 1; start < size && failure === undefined; start += partBytes, number += 1) {
      await readPart(source, { number, start, size: Math.min(partBytes, size - start) });
    }
    if ((await handle.stat()).size !== size) throw fileChanged(reading.file);
  } catch (error) {
    failure ??= { error };
  }
  while (underWay.size > 0) await Promise.all(underWay);
  const digest = content.digest();
  digest.catch(() => undefined);
  if (failure !== undefined) throw failure.error;
  return digest;
}

interface Source {
  readonly hashing: Hashing;
  readonly blocks: BlockPool;
  readonly reading: PartReading;
  readonly handle: FileHandle;
  readonly content: ContentHashing;
  readonly streams: ReturnType<typeof pLimit>;
  readonly track: (work: Promise<void>) => void;
}

interface Extent {
  readonly number: number;
  readonly start: number;
  readonly size: number;
}

/** Answers once the part is read; hashing and sending go on. */
async function readPart(source: Source, extent: Extent): Promise<void> {
  const crc32 = source.hashing.openCrc32();
  try {
    await (extent.size <= source.blocks.blockBytes ? readHeldPart(source, extent, crc32) : readLongPart(source, extent, crc32));
  } catch (error) {
    crc32.digest().catch(() => undefined);
    throw error;
  }
}

async function readHeldPart(source: Source, { number, start, size }: Extent, crc32: HashStream): Promise<void> {
  const { blocks, content, reading, track } = source;
  const { block, bytes } = await readBlock(source, start, size);
  const send = async () => {
    const hashed = content.update(bytes);
    const sent = crc32
      .update(bytes)
      .then(() => crc32.digest())
      .then((digest) => reading.onPart({ number, size, crc32: digest, body: () => bytes }));
    await settled([hashed, sent]).finally(() => blocks.release(block));
  };
  track(send());
}

async function readLongPart(source: Source, { number, start, size }: Extent, crc32: HashStream): Promise<void> {
  const { blocks, content, reading, streams, track } = source;
  for (let offset = 0; offset < size; offset += blocks.blockBytes) {
    const { block, bytes } = await readBlock(source, start + offset, Math.min(blocks.blockBytes, size - offset));
    track(settled([content.update(bytes), crc32.update(bytes)]).finally(() => blocks.release(block)));
  }
  const body: FilePart["body"] = (signal) =>
    createReadStream(reading.file, { start, end: start + size - 1, highWaterMark: STREAM_CHUNK_BYTES, signal });
  track(crc32.digest().then((digest) => streams(() => reading.onPart({ number, size, crc32: digest, body }))));
}

async function readBlock({ blocks, handle, reading }: Source, start: number, size: number) {
  throwIfAborted(reading.signal);
  const block = await blocks.take();
  const bytes = block.subarray(0, size);
  if ((await filled(() => fill(handle, bytes, start), block, blocks)) < size) {
    blocks.release(block);
    throw fileChanged(reading.file);
  }
  reading.onRead(size);
  return { block, bytes };
}

/** Waits for all of them also when one fails: their memory is used for something else afterwards. */
async function settled(works: readonly Promise<void>[]): Promise<void> {
  const outcomes = await Promise.allSettled(works);
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
}
