/** Reading local files. */
import { type FileHandle, open, stat } from "node:fs/promises";
import { EdaError } from "../../domain/errors.ts";
import { printable } from "../../domain/printable.ts";

/**
 * What cannot be read is never mistaken for a store that cannot be written to.
 * @throws EdaError `terminal` `file-not-readable`
 */
export async function openSource(file: string): Promise<FileHandle> {
  try {
    return await open(file, "r");
  } catch (error) {
    throw notReadable(file, error);
  }
}

/** Bytes. @throws EdaError as {@link openSource} */
export async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    throw notReadable(file, error);
  }
}

export function notReadable(file: string, cause: unknown): EdaError {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
  return new EdaError("terminal", "file-not-readable", `${printable(file)} cannot be read (${code}).`, {
    todo: "Give the user that runs eda read access to it, or run again without it.",
    cause,
  });
}

/** @returns bytes read; fewer than the buffer holds only at the end of the file */
export async function fill(handle: FileHandle, buffer: Buffer, position: number): Promise<number> {
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await handle.read(buffer, length, buffer.length - length, position + length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return length;
}

export function fileChanged(file: string): EdaError {
  return new EdaError("terminal", "file-changed", `${printable(file)} changed while it was stored: wait until nothing writes to it.`, {
    todo: "Run again once it is complete.",
  });
}
