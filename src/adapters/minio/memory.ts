/**
 * The memory that contents pass through: bounded, shared between threads and used again and again, so that it stays the same however large
 * and many files are. (Shared memory that is simply let go of stays for long: the garbage collector does not feel its weight.)
 */

/** Buffers of one size; who wants one waits for it. */
export interface BlockPool {
  readonly blockBytes: number;
  take(): Promise<Buffer>;
  release(block: Buffer): void;
}

export function openBlockPool(blockBytes: number, count: number): BlockPool {
  const free: Buffer[] = [];
  const waiting: ((block: Buffer) => void)[] = [];
  let made = 0;
  return {
    blockBytes,
    take() {
      const block = free.pop();
      if (block !== undefined) return Promise.resolve(block);
      if (made === count) return new Promise((resolve) => waiting.push(resolve));
      made += 1;
      return Promise.resolve(shared(blockBytes));
    },
    release(block) {
      const next = waiting.shift();
      if (next === undefined) free.push(block);
      else next(block);
    },
  };
}

/** Buffers of many sizes, as long as they last; who gets none does without. */
export interface Allowance {
  /** At least so many bytes, or undefined when the rest is in use. */
  take(bytes: number): Buffer | undefined;
  release(buffer: Buffer): void;
}

const LEAST_BYTES = 16 * 1024;

/** @param most bytes in all */
export function openAllowance(most: number): Allowance {
  const free = new Map<number, Buffer[]>();
  let made = 0;

  /** Lets go of unused ones of other sizes until there is room. */
  function makeRoom(bytes: number): boolean {
    for (const [size, buffers] of free) {
      while (made + bytes > most && buffers.pop() !== undefined) made -= size;
    }
    return made + bytes <= most;
  }

  return {
    take(bytes) {
      const size = Math.max(LEAST_BYTES, 2 ** Math.ceil(Math.log2(bytes)));
      const known = free.get(size)?.pop();
      if (known !== undefined) return known;
      if (!makeRoom(size)) return undefined;
      made += size;
      return shared(size);
    },
    release(buffer) {
      const same = free.get(buffer.length);
      if (same === undefined) free.set(buffer.length, [buffer]);
      else same.push(buffer);
    },
  };
}

function shared(bytes: number): Buffer {
  return Buffer.from(new SharedArrayBuffer(bytes));
}
