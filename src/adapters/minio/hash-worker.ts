/**
 * Hashes what others read, and reads small files itself: md5 and sha256 are bound to one core each, a small file is read faster than it is asked
 * for, and the event loop must stay free to send.
 */
import { createHash } from "node:crypto";
import { closeSync, constants, openSync, readSync } from "node:fs";
import { parentPort } from "node:worker_threads";
import { crc32 } from "node:zlib";
import type { ContentHash } from "../../domain/asset.ts";

/** Bytes of a stream, over shared memory: the sender leaves it alone until the answer. */
export interface StreamTask {
  readonly stream: number;
  readonly algorithm: "md5" | "sha256" | "crc32";
  readonly bytes: Uint8Array;
  readonly isLast: boolean;
}

/** A whole file, to be read into shared memory. */
export interface FileTask {
  readonly file: string;
  readonly room: Uint8Array;
}

/** One a task, in the order of tasks. */
export interface HashReply {
  /** Lower-case hexadecimal, after the last bytes of a stream. */
  readonly digest?: string;
  /** Of a file; absent when it is larger than its room. */
  readonly content?: ContentHash;
  /** What the system said of a file. An error itself would lose its code on the way. */
  readonly failure?: { readonly code: string | undefined; readonly message: string };
}

interface Running {
  update(bytes: Uint8Array): unknown;
  digest(encoding: "hex"): string;
}

const streams = new Map<number, Running>();
const oneMore = new Uint8Array(1);

parentPort?.on("message", (task: StreamTask | FileTask) => {
  parentPort?.postMessage("file" in task ? readFile(task) : hashBytes(task));
});

function hashBytes({ stream, algorithm, bytes, isLast }: StreamTask): HashReply {
  const hash = streams.get(stream) ?? (algorithm === "crc32" ? runningCrc32() : createHash(algorithm));
  hash.update(bytes);
  if (isLast) streams.delete(stream);
  else streams.set(stream, hash);
  return isLast ? { digest: hash.digest("hex") } : {};
}

function readFile({ file, room }: FileTask): HashReply {
  try {
    const bytes = readWhole(file, room);
    if (bytes === undefined) return {};
    const digest = (algorithm: string) => createHash(algorithm).update(bytes).digest("hex");
    return { content: { size: bytes.length, md5: digest("md5"), sha256: digest("sha256") } };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return { failure: { code, message } };
  }
}

function readWhole(file: string, room: Uint8Array): Uint8Array | undefined {
  // A pipe that has taken the file's place is not waited for.
  const descriptor = openSync(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    let size = 0;
    while (size < room.length) {
      const read = readSync(descriptor, room, size, room.length - size, size);
      if (read === 0) return room.subarray(0, size);
      size += read;
    }
    return readSync(descriptor, oneMore, 0, 1, size) === 0 ? room : undefined;
  } finally {
    closeSync(descriptor);
  }
}

function runningCrc32(): Running {
  let value = 0;
  return {
    update: (bytes) => (value = crc32(bytes, value)),
    digest: () => value.toString(16).padStart(8, "0"),
  };
}
