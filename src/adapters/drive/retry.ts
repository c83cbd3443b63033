/**
 * Google's backoff: min(2^n s + up to 1 s at random, 64 s), for what {@link isTransient}. Own, because the client library never repeats a 403
 * rate limit, a POST or a PATCH.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { throwIfAborted } from "../../domain/errors.ts";
import { DriveFailure, isAway, isTransient } from "./failures.ts";
import type { DriveLimits } from "./options.ts";

export type RetryPolicy = Pick<DriveLimits, "attempts" | "retryBaseMs" | "retryCapMs">;

/** A network that is not there is told sooner than a busy server: about 15 s. */
const AWAY_ATTEMPTS = 5;

/**
 * Wait after the given failure, in milliseconds; undefined when it is given up.
 * @param attempt from 1: how many tries have failed
 * @param random in [0, 1)
 */
export function delayAfter(error: unknown, attempt: number, policy: RetryPolicy, random: number): number | undefined {
  const attempts = isAway(error) ? Math.min(AWAY_ATTEMPTS, policy.attempts) : policy.attempts;
  if (!isTransient(error) || attempt >= attempts) return undefined;
  const backoff = Math.min(policy.retryBaseMs * 2 ** (attempt - 1) + policy.retryBaseMs * random, policy.retryCapMs);
  const asked = error instanceof DriveFailure ? error.retryAfterMs : undefined;
  // What the server asks for counts, but none may put a run to sleep for hours.
  return asked === undefined ? backoff : Math.max(backoff, Math.min(asked, policy.retryCapMs));
}

/** @throws what the last attempt threw; EdaError `cancelled` */
export async function retrying<T>(policy: RetryPolicy, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    if (signal !== undefined) throwIfAborted(signal);
    try {
      return await work();
    } catch (error) {
      if (signal !== undefined) throwIfAborted(signal);
      await waitAfter(error, attempt, policy, signal);
    }
  }
}

/** Waits before the next attempt. @throws the error itself when it is given up */
export async function waitAfter(error: unknown, attempt: number, policy: RetryPolicy, signal: AbortSignal | undefined): Promise<void> {
  const delay = delayAfter(error, attempt, policy, Math.random());
  if (delay === undefined) throw error;
  await sleep(delay, undefined, signal === undefined ? {} : { signal });
}
