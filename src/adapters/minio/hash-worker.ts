/** Hashes what others read: md5 and sha256 are bound to one core each, and the event loop must stay free to send. */
import { createHash } from "node:crypto";
import { parentPort } from "node:worker_threads";
import { crc32 } from "node:zlib";

export interface HashTask {
  readonly stream: number;
  readonly algorithm: "md5" | "sha256" | "crc32";
  /** Over shared memory: the sender leaves it alone until the answer. */
  readonly bytes: Uint8Array;
  readonly isLast: boolean;
}

/** One a task, in the order of tasks. */
export interface HashReply {
  /** Lower-case hexadecimal, after the last bytes of a stream. */
  readonly digest?: string;
}

interface Running {
  update(bytes: Uint8Array): unknown;
  digest(encoding: "hex"): string;
}

const streams = new Map<number, Running>();

parentPort?.on("message", ({ stream, algorithm, bytes, isLast }: HashTask) => {
  const hash = streams.get(stream) ?? (algorithm === "crc32" ? runningCrc32() : createHash(algorithm));
  hash.update(bytes);
  if (isLast) streams.delete(stream);
  else streams.set(stream, hash);
  const reply: HashReply = isLast ? { digest: hash.digest("hex") } : {};
  parentPort?.postMessage(reply);
});

function runningCrc32(): Running {
  let value = 0;
  return {
    update: (bytes) => (value = crc32(bytes, value)),
    digest: () => value.toString(16).padStart(8, "0"),
  };
}
