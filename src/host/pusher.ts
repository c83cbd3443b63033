/** Pushing in the background: retried until it works, never in the way of a run. */
import type { Logger } from "pino";
import { toEdaError } from "../domain/errors.ts";
import type { Services } from "../pipeline/stage-definition.ts";

const FIRST_RETRY_MS = 30_000;
const LAST_RETRY_MS = 600_000;

export interface Pusher {
  /** Pushes now, and again later when that fails. Returns at once. */
  push(): void;
  stop(): void;
}

export function createPusher(services: Services, logger: Logger): Pusher {
  let timer: NodeJS.Timeout | undefined;
  let isPushing = false;
  let isAskedAgain = false;

  const push = async (retryMs: number): Promise<void> => {
    if (isPushing) {
      isAskedAgain = true;
      return;
    }
    isPushing = true;
    clearTimeout(timer);
    try {
      const result = await services.repository.push();
      if (result === "diverged") logger.warn("the remote has moved on: merge it (governed commits are never rebased)");
    } catch (error) {
      logger.warn({ error: toEdaError(error).message, retryMs }, "push failed");
      timer = setTimeout(() => void push(Math.min(retryMs * 2, LAST_RETRY_MS)), retryMs).unref();
    } finally {
      isPushing = false;
    }
    if (isAskedAgain) {
      isAskedAgain = false;
      await push(FIRST_RETRY_MS);
    }
  };
  return {
    push: () => void push(FIRST_RETRY_MS),
    stop: () => clearTimeout(timer),
  };
}
