/** Reads that whoever wants the same shares; one that nobody waits for any more is cancelled. */

interface SharedRead<T> {
  readonly result: Promise<T>;
  readonly controller: AbortController;
  waiting: number;
}

export interface SharedReads<T> {
  /** @param read begins the read, when none of this key is under way */
  join(key: string, signal: AbortSignal, read: (signal: AbortSignal) => Promise<T>): Promise<T>;
  /** Whoever asks from now on gets a new read; those who wait get theirs. */
  part(isOutdated: (key: string) => boolean): void;
}

/** @param onDone called with each result that is not outdated, before those who wait get it */
export function createSharedReads<T>(onDone: (key: string, value: T) => void): SharedReads<T> {
  const reads = new Map<string, SharedRead<T>>();

  function begin(key: string, read: (signal: AbortSignal) => Promise<T>): SharedRead<T> {
    const controller = new AbortController();
    const result = read(controller.signal).then(
      (value) => {
        if (leave()) onDone(key, value);
        return value;
      },
      (error: unknown) => {
        leave();
        throw error;
      },
    );
    const begun: SharedRead<T> = { result, controller, waiting: 0 };
    const leave = () => reads.get(key) === begun && reads.delete(key);
    reads.set(key, begun);
    return begun;
  }

  return {
    async join(key, signal, read) {
      signal.throwIfAborted();
      const shared = reads.get(key) ?? begin(key, read);
      shared.waiting += 1;
      try {
        return await unlessAborted(shared.result, signal);
      } finally {
        shared.waiting -= 1;
        if (shared.waiting === 0) {
          if (reads.get(key) === shared) reads.delete(key);
          shared.controller.abort();
        }
      }
    },
    part(isOutdated) {
      for (const key of [...reads.keys()].filter(isOutdated)) reads.delete(key);
    },
  };
}

function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  return Promise.race([work, promise]).finally(() => signal.removeEventListener("abort", abort));
}
