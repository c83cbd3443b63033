/** One file of the spool: JSON documents, one a line, of which a kill or a full disk may have cut the last. */
import { type FileHandle, open, rm } from "node:fs/promises";
import { dirname } from "node:path";

const NEWLINE = 0x0a;
const CHUNK_BYTES = 256 * 1024;

/**
 * Cuts off what comes after the last whole line.
 * @returns size in bytes; 0 when the file is gone because it held no whole line
 */
export async function mendFile(path: string): Promise<number> {
  const handle = await open(path, "r+");
  let size: number;
  try {
    size = await endOfLastLine(handle);
    await handle.truncate(size);
  } finally {
    await handle.close();
  }
  if (size === 0) await rm(path, { force: true });
  return size;
}

/**
 * Appends whole lines so that they survive a power cut.
 * @param size of what is whole so far: what an earlier attempt left behind it is overwritten
 * @returns the new size; when it throws, the whole lines are as they were
 */
export async function appendLines(path: string, size: number, text: string): Promise<number> {
  const handle = await open(path, "a");
  try {
    if ((await handle.stat()).size !== size) await handle.truncate(size);
    await handle.appendFile(text);
    await handle.datasync();
  } finally {
    await handle.close();
  }
  if (size === 0) await syncFolder(dirname(path));
  return size + Buffer.byteLength(text);
}

/** The lines between two offsets (bytes), each with the offset behind it. Not `readline`: it also breaks at U+2028, which JSON does not escape. */
export async function* readLines(path: string, from: number, to: number): AsyncGenerator<{ readonly text: string; readonly end: number }> {
  const handle = await open(path, "r");
  try {
    let rest = Buffer.alloc(0);
    for (let offset = from; offset < to; ) {
      const chunk = Buffer.alloc(Math.min(CHUNK_BYTES, to - offset));
      const { bytesRead } = await handle.read(chunk, 0, chunk.length, offset);
      if (bytesRead === 0) return;
      let bytes = Buffer.concat([rest, chunk.subarray(0, bytesRead)]);
      offset += bytesRead;
      for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE)) {
        const text = bytes.toString("utf8", 0, at);
        bytes = bytes.subarray(at + 1);
        yield { text, end: offset - bytes.length };
      }
      rest = bytes;
    }
  } finally {
    await handle.close();
  }
}

async function endOfLastLine(handle: FileHandle): Promise<number> {
  const { size } = await handle.stat();
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - CHUNK_BYTES);
    const chunk = Buffer.alloc(end - start);
    const { bytesRead } = await handle.read(chunk, 0, chunk.length, start);
    const at = chunk.subarray(0, bytesRead).lastIndexOf(NEWLINE);
    if (at >= 0) return start + at + 1;
    end = start;
  }
  return 0;
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
