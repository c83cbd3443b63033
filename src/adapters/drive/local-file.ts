/** A file of this machine on its way into Drive: what it holds is known first, and sent only as that. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { EdaError } from "../../domain/errors.ts";
import { printable } from "../../domain/printable.ts";
import type { Item } from "./items.ts";

const READ_BYTES = 1024 * 1024;

export interface LocalContent {
  readonly size: number;
  readonly md5: string;
  readonly sha256: string;
}

/** @throws EdaError `terminal` `file-not-readable` */
export async function contentOf(file: string, signal: AbortSignal): Promise<LocalContent> {
  const md5 = createHash("md5");
  const sha256 = createHash("sha256");
  let size = 0;
  try {
    await pipeline(
      createReadStream(file, { highWaterMark: READ_BYTES }),
      async (chunks: AsyncIterable<Buffer>) => {
        for await (const chunk of chunks) {
          md5.update(chunk);
          sha256.update(chunk);
          size += chunk.length;
        }
      },
      { signal },
    );
  } catch (error) {
    throw unreadable(file, error);
  }
  return { size, md5: md5.digest("hex"), sha256: sha256.digest("hex") };
}

/** Whether Drive says that it holds this content: by the better checksum that it gives; never by size alone. */
export function hasContent(item: Item, { size, md5, sha256 }: LocalContent): boolean {
  if (item.size !== size) return false;
  if (item.sha256 !== null) return item.sha256 === sha256;
  return item.md5 === md5;
}

/** Whether what Drive says of a file speaks against its holding this content. */
export function contradicts(item: Item, content: LocalContent): boolean {
  const saysNothing = item.sha256 === null && item.md5 === null;
  return saysNothing ? (item.size ?? content.size) !== content.size : !hasContent(item, content);
}

/** The bytes from there on, at most so many. @throws EdaError `terminal` `file-changed` when the file has become shorter */
export async function readChunk(file: string, offset: number, length: number): Promise<Buffer> {
  await using handle = await openToRead(file);
  const chunk = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(chunk, filled, length - filled, offset + filled);
    if (bytesRead === 0) throw changedMeanwhile(file);
    filled += bytesRead;
  }
  return chunk;
}

export function changedMeanwhile(file: string): EdaError {
  return new EdaError(
    "terminal",
    "file-changed",
    `${printable(file)} changed while it was sent to Drive: wait until nothing writes to it.`,
  );
}

async function openToRead(file: string): Promise<FileHandle> {
  try {
    return await open(file, "r");
  } catch (error) {
    throw unreadable(file, error);
  }
}

function unreadable(file: string, error: unknown): unknown {
  if (!(error instanceof Error) || !("code" in error) || error.name === "AbortError") return error;
  return new EdaError("terminal", "file-not-readable", `${printable(file)} cannot be read (${String(error.code)}).`, {
    todo: "Give the user that runs eda read access to it.",
    cause: error,
  });
}
