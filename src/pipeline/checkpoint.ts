/**
 * A durable step: its result is remembered, so that a restarted run does not do the work again. The host implements it with its
 * workflow engine. `work` must be idempotent: a kill between its end and the checkpoint makes it run a second time.
 * Errors are remembered too, except transient ones, which are retried with backoff first.
 */
export type Checkpoint = <T>(name: string, work: () => Promise<T>) => Promise<T>;
