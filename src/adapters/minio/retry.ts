import { setTimeout as sleep } from "node:timers/promises";
import { isTransient, translated } from "./failures.ts";

/** For questions a person waits for: about 1.5 s in all. */
export const READ_ATTEMPTS = 4;
/** For what a run would lose: about 25 s, in which a server restarts. */
export const WRITE_ATTEMPTS = 8;

const FIRST_DELAY_MS = 200;

/**
 * Works until it succeeds, fails for good or has used up its attempts; waits twice as long each time, give or take a half so that many do
 * not come back at once.
 * @param work gets the number of the attempt, from 1
 * @throws EdaError see {@link translated}
 */
export async function retrying<T>(attempts: number, signal: AbortSignal | undefined, work: (attempt: number) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      signal?.throwIfAborted();
      return await work(attempt);
    } catch (error) {
      if (signal?.aborted === true || attempt === attempts || !isTransient(error)) throw translated(error);
      const delay = FIRST_DELAY_MS * 2 ** (attempt - 1) * (0.5 + Math.random());
      await sleep(delay, undefined, signal === undefined ? {} : { signal });
    }
  }
}
