/** Ctrl-C in two steps: the first asks, the second leaves. */

export type Interrupted<T> = { readonly left: false; readonly value: T } | { readonly left: true };

/** One Ctrl-C can arrive twice: from the terminal, and handed on by a wrapper such as `npm run`. */
const SAME_PRESS_MS = 300;

/**
 * Waits for the work. The first SIGINT calls `ask` and goes on waiting; the second gives the work up (`left`), which goes on
 * elsewhere or not at all.
 */
export async function interruptible<T>(work: Promise<T>, ask: () => void): Promise<Interrupted<T>> {
  let firstAt: number | undefined;
  let leave: (outcome: Interrupted<T>) => void = () => undefined;
  const left = new Promise<Interrupted<T>>((resolve) => {
    leave = resolve;
  });
  const onSignal = () => {
    const now = performance.now();
    if (firstAt === undefined) {
      firstAt = now;
      ask();
    } else if (now - firstAt > SAME_PRESS_MS) {
      leave({ left: true });
    }
  };
  process.on("SIGINT", onSignal);
  try {
    return await Promise.race([work.then((value): Interrupted<T> => ({ left: false, value })), left]);
  } finally {
    process.off("SIGINT", onSignal);
  }
}
