/** Copying a file and knowing what was copied, in one read. */
import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import type { ContentHash } from "../../domain/asset.ts";
import { EdaError, throwIfAborted } from "../../domain/errors.ts";
import { printable } from "../../domain/printable.ts";
import { systemCode } from "./system-errors.ts";

/** Read at a time, in bytes: large enough to keep the disk busy, small enough for many copies at once. */
const CHUNK_BYTES = 1 << 20;

export interface CopyOptions {
  readonly signal: AbortSignal;
  /** Permission bits of the copy. */
  readonly mode?: number;
  /** Called with bytes copied since the last call. */
  readonly onBytes?: (bytes: number) => void;
}

/**
 * Copies to a file that must not exist and answers the content of the copy, safe on disk. The hashes are of the bytes handed to the
 * system, each write complete, and the size is the copy's own: reading it back at once would only read the system's cache.
 */
export async function copyHashed(from: string, to: string, { signal, mode = 0o666, onBytes }: CopyOptions): Promise<ContentHash> {
  await using source = await openSource(from);
  await using target = await open(to, "wx", mode);
  const { size: announced } = await source.stat();
  const buffer = Buffer.allocUnsafe(Math.max(1, Math.min(CHUNK_BYTES, announced + 1)));
  const md5 = createHash("md5");
  const sha256 = createHash("sha256");
  let size = 0;
  while (true) {
    throwIfAborted(signal);
    const { bytesRead } = await source.read(buffer, 0, buffer.length);
    if (bytesRead === 0) break;
    const bytes = buffer.subarray(0, bytesRead);
    md5.update(bytes);
    sha256.update(bytes);
    await writeFully(target, bytes);
    size += bytesRead;
    onBytes?.(bytesRead);
    // A short read of a regular file is its end.
    if (bytesRead < buffer.length) break;
  }
  await target.datasync();
  const { size: written } = await target.stat();
  if (written !== size) throw new Error(`${to} has ${written} bytes after ${size} were written`);
  return { size, md5: md5.digest("hex"), sha256: sha256.digest("hex") };
}

/** What cannot be read is never mistaken for a store that cannot be written to. */
async function openSource(file: string): Promise<FileHandle> {
  try {
    return await open(file, "r");
  } catch (error) {
    throw new EdaError("terminal", "file-not-readable", `${printable(file)} cannot be read (${systemCode(error) ?? String(error)}).`, {
      todo: "Give the user that runs eda read access to it, or run again without it.",
      cause: error,
    });
  }
}

async function writeFully(target: FileHandle, bytes: Buffer): Promise<void> {
  let rest = bytes;
  while (rest.length > 0) {
    const { bytesWritten } = await target.write(rest);
    rest = rest.subarray(bytesWritten);
  }
}
