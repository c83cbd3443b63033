/** A few blocks of shared memory that everything passes through, so that memory stays the same however large and many files are. */
const BLOCK_BYTES = 4 * 1024 * 1024;
const BLOCKS = 4;

export interface BlockPool {
  readonly blockBytes: number;
  /** Waits for one to be free. Released by the taker. */
  take(): Promise<Buffer>;
  release(block: Buffer): void;
}

export function openBlockPool(): BlockPool {
  const free: Buffer[] = [];
  const waiting: ((block: Buffer) => void)[] = [];
  let made = 0;
  return {
    blockBytes: BLOCK_BYTES,
    take() {
      const block = free.pop();
      if (block !== undefined) return Promise.resolve(block);
      if (made === BLOCKS) return new Promise((resolve) => waiting.push(resolve));
      made += 1;
      return Promise.resolve(Buffer.from(new SharedArrayBuffer(BLOCK_BYTES)));
    },
    release(block) {
      const next = waiting.shift();
      if (next === undefined) free.push(block);
      else next(block);
    },
  };
}
