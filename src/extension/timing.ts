/** Doing a thing soon, once, and never twice at the same time. */

export interface Debounced {
  /** Asks for the work; it starts when nobody has asked for the given time. */
  (): void;
  /** Starts it at once, after the one under way; settles when it is done. */
  now(): Promise<void>;
  dispose(): void;
}

/** @param work never overlaps itself; what it rejects with goes to `onError` */
export function debounced(milliseconds: number, work: () => Promise<void>, onError: (error: unknown) => void): Debounced {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  let disposed = false;
  const stopTimer = () => {
    clearTimeout(timer);
    timer = undefined;
  };
  const now = (): Promise<void> => {
    stopTimer();
    running = running.then(async () => {
      if (!disposed) await work().catch(onError);
    });
    return running;
  };
  const ask = () => {
    if (disposed) return;
    stopTimer();
    timer = setTimeout(() => void now(), milliseconds);
  };
  return Object.assign(ask, {
    now,
    dispose: () => {
      disposed = true;
      stopTimer();
    },
  });
}

/** Lets one call through each interval, and the last one always. For redrawing something that changes often. */
export function throttled<Key>(milliseconds: number, work: (key: Key) => void): { (key: Key): void; dispose(): void } {
  const timers = new Map<Key, { again: boolean; timer: NodeJS.Timeout }>();
  const call = (key: Key) => {
    const waiting = timers.get(key);
    if (waiting !== undefined) {
      waiting.again = true;
      return;
    }
    work(key);
    const timer = setTimeout(() => {
      const { again } = timers.get(key) ?? { again: false };
      timers.delete(key);
      if (again) call(key);
    }, milliseconds);
    timers.set(key, { again: false, timer });
  };
  return Object.assign(call, {
    dispose: () => {
      for (const { timer } of timers.values()) clearTimeout(timer);
      timers.clear();
    },
  });
}
