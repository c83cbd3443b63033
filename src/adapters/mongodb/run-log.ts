/** The log of runs on MongoDB, and a mirror of the executions. MongoDB away: what is written waits on disk and is delivered when it is back. */
import { type EdaError, toEdaError } from "../../domain/errors.ts";
import type { LogLine } from "../../domain/run.ts";
import type { RunLog } from "../../ports/run-log.ts";
import type { RunMirror } from "../../ports/run-mirror.ts";
import { type Collections, openCollections } from "./collections.ts";
import { addressOf, type MongoOptions, openClient } from "./connection.ts";
import { type Delivery, startDelivery } from "./delivery.ts";
import { lineOf, stateDocument } from "./documents.ts";
import type { OnNotice } from "./notice.ts";
import { openSequenceMarks, type SequenceMarks } from "./sequence-marks.ts";
import { openSpool, type Spool } from "./spool.ts";

const DEFAULT_SPOOL_BYTES = 64 * 1024 * 1024;
/** Who was away a moment ago is not asked again by every reader. */
const TRUST_FAILURE_MS = 3_000;

export interface MongoRunLogOptions extends MongoOptions {
  /** Of this process alone, and kept between processes. */
  readonly spoolFolder: string;
  /** 64 MiB when absent. */
  readonly maxSpoolBytes?: number;
  readonly onNotice: OnNotice;
}

export interface MongoRunLog extends RunLog, RunMirror {
  /** For the doctor: why nothing is delivered, if so, and how much waits. */
  condition(): { readonly failure: EdaError | undefined; readonly waitingBytes: number };
  /** What waits stays on disk for the next process. */
  close(): Promise<void>;
}

/**
 * Opens even where MongoDB is away.
 * @throws EdaError `precondition` `invalid-log-address`, `log-refused` or `log-untrusted`
 */
export async function openMongoRunLog(options: MongoRunLogOptions): Promise<MongoRunLog> {
  const { database, spoolFolder, maxSpoolBytes = DEFAULT_SPOOL_BYTES, onNotice } = options;
  const client = openClient(options);
  try {
    const collections = openCollections(client, database, addressOf(client));
    const spool = await openSpool({ folder: spoolFolder, maxBytes: maxSpoolBytes, onNotice });
    const marks = await openSequenceMarks(spoolFolder);
    const failure = await collections.write([]).then(() => undefined, toEdaError);
    if (failure?.kind === "precondition") throw failure;
    const delivery = startDelivery({ spool, send: (entries) => collections.write(entries), onNotice, failure });
    return {
      ...openLog({ collections, spool, marks, delivery }),
      condition: () => ({ failure: delivery.failure(), waitingBytes: spool.waitingBytes() }),
      async close() {
        const stopped = delivery.stop();
        await collections.close();
        await stopped;
        await spool.close();
      },
    };
  } catch (error) {
    await client.close();
    throw error;
  }
}

interface Parts {
  readonly collections: Collections;
  readonly spool: Spool;
  readonly marks: SequenceMarks;
  readonly delivery: Delivery;
}

function openLog({ collections, spool, marks, delivery }: Parts): RunLog & RunMirror {
  let failedAt = Number.NEGATIVE_INFINITY;

  const ask = async <T>(question: () => Promise<T>): Promise<T> => {
    const failure = delivery.failure();
    if (failure !== undefined && performance.now() - failedAt < TRUST_FAILURE_MS) throw failure;
    try {
      const answer = await question();
      if (failure !== undefined) delivery.answered();
      return answer;
    } catch (error) {
      failedAt = performance.now();
      delivery.failed(toEdaError(error));
      throw error;
    }
  };

  return {
    async append(lines) {
      if (lines.length === 0) return;
      for (const [run, last] of lastOfRuns(lines)) {
        // Only a precaution: a full disk is no reason to lose the line itself.
        await marks.reserve(run, last).catch(() => undefined);
      }
      await delivery.put(lines.map((line) => ({ line })));
    },
    async read(run, after, limit) {
      // Before the store: what is delivered between the two is found twice rather than never.
      const waiting = await spool.lines(run, after, limit);
      const stored = await ask(() => collections.lines(run, after, limit)).catch((error: unknown) => {
        if (waiting === undefined) throw error;
        return [];
      });
      return merged(stored.map(lineOf), waiting ?? [], limit);
    },
    async lastSequence(run) {
      const waiting = (await spool.lines(run, 0, Number.POSITIVE_INFINITY))?.at(-1)?.sequence ?? 0;
      // Where the store cannot be asked, the last line that waits is the newest: nothing overtakes it.
      const stored = await ask(() => collections.lastSequence(run)).catch(() => (waiting > 0 ? 0 : marks.upTo(run)));
      return Math.max(waiting, stored);
    },
    async recordExecutions(records) {
      if (records.length > 0) await delivery.put(records.map((execution) => ({ execution })));
    },
    async recordPosition(position) {
      if (!delivery.isDirect()) return;
      await collections.replaceState(stateDocument(position, new Date())).catch((error: unknown) => delivery.failed(toEdaError(error)));
    },
  };
}

/** Both are in order; of two lines with one number the stored one counts. */
function merged(stored: readonly LogLine[], waiting: readonly LogLine[], limit: number): readonly LogLine[] {
  if (waiting.length === 0) return stored;
  const lines = new Map([...waiting, ...stored].map((line) => [line.sequence, line]));
  return [...lines.values()].sort((a, b) => a.sequence - b.sequence).slice(0, limit);
}

function lastOfRuns(lines: readonly LogLine[]): Map<string, number> {
  const last = new Map<string, number>();
  for (const { run, sequence } of lines) last.set(run, Math.max(sequence, last.get(run) ?? 0));
  return last;
}
