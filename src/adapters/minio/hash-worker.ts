/** Hashes what others read: md5 and sha256 are bound to one core each, and the event loop must stay free to send. */
import { createHash, type Hash } from "node:crypto";
import { parentPort } from "node:worker_threads";

export interface HashTask {
  readonly stream: number;
  readonly algorithm: "md5" | "sha256";
  /** Over shared memory: the sender leaves it alone until the answer. */
  readonly bytes: Uint8Array;
  readonly isLast: boolean;
}

/** One a task, in the order of tasks. */
export interface HashReply {
  /** Lower-case hexadecimal, after the last bytes of a stream. */
  readonly digest?: string;
}

const streams = new Map<number, Hash>();

parentPort?.on("message", ({ stream, algorithm, bytes, isLast }: HashTask) => {
  const hash = streams.get(stream) ?? createHash(algorithm);
  hash.update(bytes);
  if (isLast) streams.delete(stream);
  else streams.set(stream, hash);
  const reply: HashReply = isLast ? { digest: hash.digest("hex") } : {};
  parentPort?.postMessage(reply);
});
