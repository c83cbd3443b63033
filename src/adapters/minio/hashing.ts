/** Both hashes of a content, computed on other threads while more of it comes in. */
import type { ContentHash } from "../../domain/asset.ts";
import { type HashPool, type HashStream, openHashPool } from "./hash-pool.ts";
import type { BlockPool } from "./memory.ts";

/** Fills a block from its start. @returns bytes; fewer than the block holds at the end of the content */
export type FillBlock = (block: Buffer) => Promise<number>;

/** The hashes of one content as it comes. All bytes are of shared memory. */
export interface ContentHashing {
  /** Settles when the bytes are hashed and their memory may be used again. */
  update(bytes: Uint8Array): Promise<void>;
  /** Called once, also when the hashes are not wanted any more: the threads forget them then. */
  digest(): Promise<ContentHash>;
}

export interface Hashing {
  openContent(): ContentHashing;
  /** Its digest is 8 hexadecimal digits. */
  openCrc32(): HashStream;
  /** Reads and hashes a whole file; see {@link HashPool}. */
  readFile: HashPool["readFile"];
  /** @param onBlock what else is done with a block, at the same time: it is complete when the hashes are */
  hashBlocks(fill: FillBlock, onBlock?: (block: Buffer) => Promise<void>): Promise<ContentHash>;
  close(): Promise<void>;
}

/** @param blocks memory that contents pass through */
export function openHashing(blocks: BlockPool): Hashing {
  const threads = openHashPool();

  return {
    close: () => threads.close(),
    openCrc32: () => threads.open("crc32"),
    openContent: () => openContent(threads),
    readFile: threads.readFile,

    async hashBlocks(fill, onBlock) {
      const content = openContent(threads);
      const underWay = new Set<Promise<void>>();
      let failure: { readonly error: unknown } | undefined;

      const pass = async (block: Buffer, bytes: Buffer) => {
        try {
          await Promise.all([content.update(bytes), onBlock?.(bytes)]);
        } catch (error) {
          failure ??= { error };
        } finally {
          blocks.release(block);
        }
      };

      try {
        for (let isLast = false; !isLast && failure === undefined; ) {
          const block = await blocks.take();
          const bytes = block.subarray(0, await filled(fill, block, blocks));
          isLast = bytes.length < block.length;
          const passing = pass(block, bytes).finally(() => underWay.delete(passing));
          underWay.add(passing);
        }
      } catch (error) {
        failure ??= { error };
      }
      await Promise.all(underWay);
      const digest = content.digest();
      digest.catch(() => undefined);
      if (failure !== undefined) throw failure.error;
      return digest;
    },
  };
}

function openContent(threads: HashPool): ContentHashing {
  const [md5, sha256] = [threads.open("md5"), threads.open("sha256")];
  let size = 0;
  return {
    async update(bytes) {
      size += bytes.length;
      await Promise.all([md5.update(bytes), sha256.update(bytes)]);
    },
    async digest() {
      const [ofMd5, ofSha256] = await Promise.all([md5.digest(), sha256.digest()]);
      return { size, md5: ofMd5, sha256: ofSha256 };
    },
  };
}

/** A block is never lost, whatever fails. */
export async function filled(fill: FillBlock, block: Buffer, blocks: BlockPool): Promise<number> {
  try {
    return await fill(block);
  } catch (error) {
    blocks.release(block);
    throw error;
  }
}
