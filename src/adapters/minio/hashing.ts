/** Both hashes of a stream of blocks, computed on other threads while the next blocks come in. */
import type { ContentHash } from "../../domain/asset.ts";
import { type HashPool, type HashStream, openHashPool } from "./hash-pool.ts";
import { openBlockPool } from "./memory.ts";

/** Enough for reading ahead of both hashes. */
const BLOCK_BYTES = 4 * 1024 * 1024;
const BLOCKS = 4;

/** Fills a block from its start. @returns bytes; fewer than the block holds at the end of the content */
export type FillBlock = (block: Buffer) => Promise<number>;

export interface HashedContent {
  readonly content: ContentHash;
  /** SHA-256 of each part of `partBytes`, in order. */
  readonly parts: readonly string[];
}

export interface Hashing {
  /**
   * @param partBytes a multiple of 4 MiB; absent: parts are not wanted
   * @param onBlock what else is done with a block, at the same time: it is complete when the hashes are
   */
  hashBlocks(
    fill: FillBlock,
    options?: { readonly partBytes?: number; readonly onBlock?: (block: Buffer) => Promise<void> | void },
  ): Promise<HashedContent>;
  /** Of shared memory. */
  hashBytes(bytes: Uint8Array): Promise<ContentHash>;
  close(): Promise<void>;
}

export function openHashing(): Hashing {
  const threads = openHashPool();
  const blocks = openBlockPool(BLOCK_BYTES, BLOCKS);
  return {
    close: () => threads.close(),

    async hashBytes(bytes) {
      const [md5, sha256] = await Promise.all((["md5", "sha256"] as const).map((algorithm) => digestOf(threads, algorithm, bytes)));
      return { size: bytes.length, md5: md5 as string, sha256: sha256 as string };
    },

    async hashBlocks(fill, { partBytes, onBlock } = {}) {
      const whole = [threads.open("md5"), threads.open("sha256")] as const;
      const parts: Promise<string>[] = [];
      const underWay = new Set<Promise<void>>();
      let part: HashStream | undefined;
      let failure: { readonly error: unknown } | undefined;
      let size = 0;

      const pass = async (block: Buffer, bytes: Buffer) => {
        try {
          await Promise.all(
            [...whole, ...(part === undefined ? [] : [part])].map((stream) => stream.update(bytes)).concat(onBlock?.(bytes) ?? []),
          );
        } catch (error) {
          failure ??= { error };
        } finally {
          blocks.release(block);
        }
      };

      try {
        for (let isLast = false; !isLast && failure === undefined; ) {
          const block = await blocks.take();
          const bytes = block.subarray(0, await filled(fill, block, blocks.release));
          isLast = bytes.length < block.length;
          if (partBytes !== undefined && size % partBytes === 0 && bytes.length > 0) {
            if (part !== undefined) parts.push(ended(part));
            part = threads.open("sha256");
          }
          size += bytes.length;
          const passing = pass(block, bytes).finally(() => underWay.delete(passing));
          underWay.add(passing);
        }
      } catch (error) {
        failure ??= { error };
      }
      await Promise.all(underWay);
      // Streams are ended also when they are of no use any more: the threads forget them then.
      if (part !== undefined) parts.push(ended(part));
      const digests = [...whole.map(ended), ...parts];
      if (failure !== undefined) throw failure.error;
      const [md5, sha256, ...ofParts] = await Promise.all(digests);
      return { content: { size, md5: md5 as string, sha256: sha256 as string }, parts: ofParts };
    },
  };
}

/** Awaited later, or not at all. */
function ended(stream: HashStream): Promise<string> {
  const digest = stream.digest();
  digest.catch(() => undefined);
  return digest;
}

/** A block is never lost, whatever fails. */
async function filled(fill: FillBlock, block: Buffer, release: (block: Buffer) => void): Promise<number> {
  try {
    return await fill(block);
  } catch (error) {
    release(block);
    throw error;
  }
}

async function digestOf(threads: HashPool, algorithm: "md5" | "sha256", bytes: Uint8Array): Promise<string> {
  const stream = threads.open(algorithm);
  const updated = stream.update(bytes);
  updated.catch(() => undefined);
  const digest = await stream.digest();
  await updated;
  return digest;
}
