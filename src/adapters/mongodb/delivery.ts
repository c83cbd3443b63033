/** The way of each entry: to MongoDB at once, or by the spool while it is away and until all that waits there is delivered. */
import pLimit from "p-limit";
import { type EdaError, toEdaError } from "../../domain/errors.ts";
import type { Entry } from "./entry.ts";
import type { OnNotice } from "./notice.ts";
import type { Spool } from "./spool.ts";

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;
/** Who asks again and again with a wrong password is locked out in the end. */
const REFUSED_PAUSE_MS = 60_000;

export interface DeliveryOptions {
  readonly spool: Spool;
  /** Writes; with nothing to write it only shows that the store answers. @throws EdaError */
  readonly send: (entries: readonly Entry[]) => Promise<void>;
  readonly onNotice: OnNotice;
  /** Of the first attempt to reach the store. */
  readonly failure: EdaError | undefined;
}

export interface Delivery {
  /** @throws EdaError `terminal` `log-lost` when they can neither be sent nor wait */
  put(entries: readonly Entry[]): Promise<void>;
  /** Whether entries are sent at once. */
  isDirect(): boolean;
  /** Why nothing is delivered; undefined when all is well. */
  failure(): EdaError | undefined;
  /** Somebody else found the store away. */
  failed(error: EdaError): void;
  /** Somebody else found the store there: it is tried now. */
  answered(): void;
  /** What waits stays in the spool. */
  stop(): Promise<void>;
}

export function startDelivery({ spool, send, onNotice, failure: first }: DeliveryOptions): Delivery {
  const oneAtATime = pLimit(1);
  let failure: EdaError | undefined;
  let isDirect = false;
  let isStopped = false;
  let delivered = 0;
  let draining: Promise<void> | undefined;
  let wake: () => void = () => undefined;

  const note = (error: EdaError) => {
    isDirect = false;
    if (failure?.code !== error.code && !isStopped) {
      const level = error.kind === "precondition" ? "error" : "warn";
      const todo = error.todo === undefined ? "" : ` ${error.todo}`;
      onNotice({ level, code: error.code, message: `${error.message} Log lines wait on disk until it takes them.${todo}` });
    }
    failure = error;
  };
  /** Under the lock of {@link put}: nothing is added between the look and the change. */
  const goDirect = () =>
    oneAtATime(async () => {
      if (!spool.isEmpty()) return;
      isDirect = true;
      if (failure !== undefined || delivered > 0) {
        onNotice({ level: "info", code: "log-delivered", message: `MongoDB has taken everything that waited (${delivered} entries).` });
      }
      failure = undefined;
      delivered = 0;
    });
  const pause = (ms: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  const drain = async () => {
    for (let failures = 0; !isStopped && !isDirect; ) {
      try {
        const batch = await spool.next();
        await send(batch?.entries ?? []);
        await batch?.done();
        delivered += batch?.entries.length ?? 0;
        failures = 0;
        if (batch === undefined) await goDirect();
      } catch (error) {
        note(toEdaError(error));
        failures += 1;
        if (!isStopped) await pause(failure?.kind === "precondition" ? REFUSED_PAUSE_MS : pauseAfter(failures));
      }
    }
  };
  const startDraining = () => {
    if (draining !== undefined || isStopped) return;
    draining = drain().finally(() => {
      draining = undefined;
      // Somebody may have found the store away in the moment in which it was found there.
      if (!isDirect) startDraining();
    });
  };

  if (first !== undefined) note(first);
  else isDirect = spool.isEmpty();
  if (!isDirect) startDraining();

  return {
    put: (entries) =>
      oneAtATime(async () => {
        if (isDirect) {
          try {
            return await send(entries);
          } catch (error) {
            note(toEdaError(error));
          }
        }
        await spool.add(entries);
        startDraining();
      }),
    isDirect: () => isDirect,
    failure: () => failure,
    failed(error) {
      note(error);
      startDraining();
    },
    answered: () => wake(),
    async stop() {
      isStopped = true;
      isDirect = false;
      wake();
      await draining;
    },
  };
}

function pauseAfter(failures: number): number {
  return Math.min(FIRST_PAUSE_MS * 2 ** (failures - 1), LONGEST_PAUSE_MS) * (0.75 + Math.random() / 2);
}
