/** Worker threads that hash, started when first needed. */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { ContentHash } from "../../domain/asset.ts";
import type { FileTask, HashReply, StreamTask } from "./hash-worker.ts";

/** Two, so that md5 and sha256 of one file overlap; more help only several large files at once. */
const MOST_WORKERS = 4;
const WORKERS = Math.min(Math.max(availableParallelism(), 2), MOST_WORKERS);

/** Cost of a byte relative to sha256, on processors with instructions for it. */
const COST: Readonly<Record<StreamTask["algorithm"], number>> = { md5: 2.3, sha256: 1, crc32: 0.7 };
const FILE_COST = COST.md5 + COST.sha256;

/** The worker lies beside this file in source, and beside the bundle of the host. */
const SCRIPT = new URL(import.meta.url.endsWith(".ts") ? "./hash-worker.ts" : "./hash-worker.js", import.meta.url);

const NOTHING = new Uint8Array(new SharedArrayBuffer(0));

export interface HashStream {
  /** Settles when the bytes, which are shared memory, may be used again. */
  update(bytes: Uint8Array): Promise<void>;
  /** Ends the stream: called once, also when its hash is not wanted any more. @returns lower-case hexadecimal */
  digest(): Promise<string>;
}

export interface HashPool {
  open(algorithm: StreamTask["algorithm"]): HashStream;
  /**
   * @param room shared memory that takes the bytes
   * @returns undefined when the file is larger than its room
   * @throws the system's error
   */
  readFile(file: string, room: Uint8Array): Promise<ContentHash | undefined>;
  close(): Promise<void>;
}

interface Thread {
  readonly worker: Worker;
  readonly waiting: { resolve(reply: HashReply): void; reject(error: unknown): void }[];
  /** Of the streams open on it. */
  load: number;
}

export function openHashPool(): HashPool {
  const threads = new Set<Thread>();
  let streams = 0;

  function leastLoaded(): Thread {
    const [first, ...others] = threads;
    const least = others.reduce((best, thread) => (best === undefined || thread.load < best.load ? thread : best), first);
    if (least !== undefined && (least.load === 0 || threads.size === WORKERS)) return least;
    const thread = startThread(() => threads.delete(thread));
    threads.add(thread);
    return thread;
  }

  return {
    open(algorithm) {
      const thread = leastLoaded();
      const stream = streams;
      streams += 1;
      thread.load += COST[algorithm];
      return {
        update: async (bytes) => {
          await send(thread, { stream, algorithm, bytes, isLast: false });
        },
        digest: async () => {
          try {
            return (await send(thread, { stream, algorithm, bytes: NOTHING, isLast: true })).digest as string;
          } finally {
            thread.load -= COST[algorithm];
          }
        },
      };
    },
    async readFile(file, room) {
      const thread = leastLoaded();
      thread.load += FILE_COST;
      try {
        const { content, failure } = await send(thread, { file, room });
        if (failure !== undefined) throw Object.assign(new Error(failure.message), { code: failure.code });
        return content;
      } finally {
        thread.load -= FILE_COST;
      }
    },
    close: async () => {
      await Promise.all([...threads].map(({ worker }) => worker.terminate()));
    },
  };
}

function startThread(onGone: () => void): Thread {
  // The flags of the process are its own: some (such as --input-type) are no good for a file.
  const worker = new Worker(SCRIPT, { execArgv: [] });
  const thread: Thread = { worker, waiting: [], load: 0 };
  worker.unref();
  worker.on("message", (reply: HashReply) => {
    thread.waiting.shift()?.resolve(reply);
    if (thread.waiting.length === 0) worker.unref();
  });
  const fail = (error: unknown) => {
    onGone();
    for (const { reject } of thread.waiting.splice(0)) reject(error);
  };
  worker.on("error", fail);
  worker.on("exit", () => fail(new Error("a hashing thread ended")));
  return thread;
}

function send({ worker, waiting }: Thread, task: StreamTask | FileTask): Promise<HashReply> {
  return new Promise((resolve, reject) => {
    // A process waits for a hash that is under way, and not for a thread that has nothing to do.
    if (waiting.length === 0) worker.ref();
    waiting.push({ resolve, reject });
    worker.postMessage(task);
  });
}
