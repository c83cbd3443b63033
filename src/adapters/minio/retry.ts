import { setTimeout as sleep } from "node:timers/promises";
import { isTransient, translated } from "./failures.ts";

/** For questions a person waits for: about 1.5 s in all. */
export const READ_ATTEMPTS = 4;
/** For what a run would lose: about 12 s, in which a server restarts. */
export const WRITE_ATTEMPTS = 8;

const FIRST_DELAY_MS = 200;
const LONGEST_DELAY_MS = 3_000;
/** Of a server that takes its time to fail, no new attempt is made so long after the first failure. */
const PATIENCE_MS = 20_000;

/**
 * Works until it succeeds, fails for good or has used up its attempts or its time; waits twice as long each time, give or take a half so that many do
 * not come back at once.
 * @param work gets the number of the attempt, from 1
 * @throws EdaError see {@link translated}
 */
export async function retrying<T>(attempts: number, signal: AbortSignal | undefined, work: (attempt: number) => Promise<T>): Promise<T> {
  let firstFailure: number | undefined;
  for (let attempt = 1; ; attempt += 1) {
    try {
      signal?.throwIfAborted();
      return await work(attempt);
    } catch (error) {
      firstFailure ??= performance.now();
      const isOver = attempt === attempts || performance.now() - firstFailure > PATIENCE_MS;
      if (signal?.aborted === true || isOver || !isTransient(error)) throw translated(error);
      const delay = Math.min(FIRST_DELAY_MS * 2 ** (attempt - 1), LONGEST_DELAY_MS) * (0.5 + Math.random());
      await sleep(delay, undefined, signal === undefined ? {} : { signal });
    }
  }
}
