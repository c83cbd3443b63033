import { open } from "node:fs/promises";
import { throwIfAborted } from "../../domain/errors.ts";

const CHUNK_BYTES = 1 << 20;

/** Whether two files hold the same bytes; read only as far as they agree. */
export async function hasSameContent(a: string, b: string, signal: AbortSignal): Promise<boolean> {
  await using first = await open(a);
  await using second = await open(b);
  if ((await first.stat()).size !== (await second.stat()).size) return false;
  const [left, right] = [Buffer.allocUnsafe(CHUNK_BYTES), Buffer.allocUnsafe(CHUNK_BYTES)];
  for (let position = 0; ; ) {
    throwIfAborted(signal);
    const [one, other] = await Promise.all([first.read(left, 0, CHUNK_BYTES, position), second.read(right, 0, CHUNK_BYTES, position)]);
    const length = Math.min(one.bytesRead, other.bytesRead);
    if (left.compare(right, 0, length, 0, length) !== 0) return false;
    // One of them ended, or shrank while it was read.
    if (length === 0) return one.bytesRead === other.bytesRead;
    position += length;
  }
}
