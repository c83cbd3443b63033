/** Checkpoints as DBOS steps, and what happens when a step can no longer be recorded. */
import { setTimeout as delay } from "node:timers/promises";
import { DBOS } from "@dbos-inc/dbos-sdk";
import { EdaError, toEdaError } from "../domain/errors.ts";
import type { Checkpoint } from "../pipeline/checkpoint.ts";
import { recordedValue, recordStep, type StepOutcome, syncRecords } from "./step-record.ts";

const TRANSIENT_RETRIES = 4;
/** A service that has been away for so long is not waited for any more, by this step of the run or by those that clear up after it. */
const PATIENCE_MS = 7_500;

export interface DurableSteps {
  /** @param runFolder scratch folder of the run: what is too long for the engine's table lies there */
  checkpointIn(runFolder: string): Checkpoint;
  /**
   * For reads outside of a step. A run whose database is away neither succeeded nor failed: it stops here, without an outcome, and goes on
   * after the next start.
   */
  readonly reach: <T>(work: () => Promise<T>) => Promise<T>;
  /** From now on a step that cannot be recorded is expected. */
  stopping(): void;
  /** Waits for the work of steps in flight. */
  settled(withinMs: number): Promise<void>;
}

/** @param onLost called once, when the database is away and nobody asked the host to stop */
export function createDurableSteps(onLost: (error: unknown) => void): DurableSteps {
  const inFlight = new Set<Promise<unknown>>();
  let isStopping = false;
  const never = (error: unknown): Promise<never> => {
    if (!isStopping) onLost(error);
    isStopping = true;
    return new Promise(() => undefined);
  };
  const reach = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      return never(error);
    }
  };
  const tracked = <T>(work: Promise<T>): Promise<T> => {
    inFlight.add(work);
    const forget = () => inFlight.delete(work);
    work.then(forget, forget);
    return work;
  };
  return {
    reach,
    checkpointIn(runFolder) {
      const patience: Patience = { failingSince: undefined };
      return async <T>(name: string, work: () => Promise<T>): Promise<T> => {
        let done: StepOutcome<T> | undefined;
        const step = async () => {
          done = await attempt(() => tracked(work()), patience);
          return record(name, done, runFolder).catch((error: unknown) => {
            done = { error: toEdaError(error).toDocument() };
            return recordStep(name, done, runFolder);
          });
        };
        const recorded = await reach(() => DBOS.runStep<string>(step, { name, ...RETRIES }));
        return done !== undefined && "value" in done ? done.value : recordedValue<T>(recorded, runFolder);
      };
    },
    stopping() {
      isStopping = true;
    },
    async settled(withinMs) {
      await Promise.race([Promise.allSettled(inFlight), delay(withinMs, undefined, { ref: false })]);
    },
  };
}

/** The last step before results are published: what was done so far is needed afterwards, whatever happens to the machine. */
const LAST_BEFORE_PUBLICATION = "seal";

async function record<T>(name: string, outcome: StepOutcome<T>, runFolder: string): Promise<string> {
  const text = await recordStep(name, outcome, runFolder);
  if (name === LAST_BEFORE_PUBLICATION) await syncRecords(runFolder);
  return text;
}

/** Steps at the end of a run: safe to do again, however they ended. */
const LAST_STEPS = new Set(["settle", "commit-after", "rollback", "record-failure", "commit-failure", "finish"]);

/**
 * Checkpoints of an ended run: what they remember, also its errors, without doing it again. Only the last steps are done anew.
 * @param isPublished the publication exists, even if its step does not know: it is then asked for again, which changes nothing
 */
export function replay(
  recorded: readonly { readonly name: string; readonly output: unknown }[],
  isPublished: boolean,
  runFolder: string,
): Checkpoint {
  const outcomes = new Map(recorded.map(({ name, output }) => [name, output]));
  return async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    if (LAST_STEPS.has(name) || (isPublished && name === "publish")) return work();
    const output = outcomes.get(name);
    if (typeof output !== "string") {
      throw new EdaError("terminal", "checkpoint-missing", `The run was interrupted before "${name}" ended.`, {
        todo: "Run the stage again.",
      });
    }
    return recordedValue<T>(output, runFolder);
  };
}

/** Of one run. */
interface Patience {
  /** Since when nothing has succeeded; undefined while all is well. */
  failingSince: number | undefined;
}

async function attempt<T>(work: () => Promise<T>, patience: Patience): Promise<StepOutcome<T>> {
  try {
    const value = await work();
    patience.failingSince = undefined;
    return { value };
  } catch (error) {
    const failure = toEdaError(error);
    const made = DBOS.stepStatus?.currentAttempt ?? 1;
    patience.failingSince ??= performance.now();
    const isPatient = performance.now() - patience.failingSince < PATIENCE_MS;
    if (isRetryable(failure) && made <= TRANSIENT_RETRIES && isPatient) throw failure;
    return { error: failure.toDocument() };
  }
}

function isRetryable(error: unknown): boolean {
  return error instanceof EdaError && (error.kind === "transient" || error.kind === "unavailable");
}

const RETRIES = { retriesAllowed: true, maxAttempts: TRANSIENT_RETRIES + 1, intervalSeconds: 1, backoffRate: 2, shouldRetry: isRetryable };
