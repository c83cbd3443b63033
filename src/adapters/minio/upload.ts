/** One file as one new version, or nothing at all. */
import type { ContentHash } from "../../domain/asset.ts";
import { EdaError } from "../../domain/errors.ts";
import { printable } from "../../domain/printable.ts";
import type { ObjectInfo } from "../../ports/object-store.ts";
import { READ_ATTEMPTS, retrying } from "./retry.ts";
import { isSameWrite, type Upload } from "./upload-request.ts";
import { deleteVersion, headVersion } from "./versions.ts";
import type { Wire } from "./wire.ts";

/**
 * Runs what makes the version, one at a time for a key: each looks at the latest version before it decides.
 * @throws EdaError; nothing is left on the server then
 */
export type StoreInTurn = (upload: Upload, content: ContentHash, store: () => Promise<ObjectInfo>) => Promise<ObjectInfo>;

export function createTurns(wire: Wire): StoreInTurn {
  const lastOfKey = new Map<string, Promise<unknown>>();

  async function stored(upload: Upload, content: ContentHash, store: () => Promise<ObjectInfo>): Promise<ObjectInfo> {
    try {
      return await store();
    } catch (error) {
      // The server may have had everything when the answer was no longer waited for.
      if (upload.signal.aborted) await removeStored(upload, content);
      throw isChangedFile(error) ? changedFile(upload, error) : error;
    }
  }

  async function removeStored(upload: Upload, content: ContentHash): Promise<void> {
    await retrying(READ_ATTEMPTS, undefined, async () => {
      const latest = await headVersion(wire, upload.bucket, upload.key);
      const isMine = latest?.storedAt === upload.storedAt && (latest.sha256 === "" || isSameWrite(latest, upload, content));
      if (latest !== undefined && isMine) await deleteVersion(wire, latest);
    }).catch(() => undefined);
  }

  return async (upload, content, store) => {
    const name = `${upload.bucket}/${upload.key}`;
    const before = lastOfKey.get(name) ?? Promise.resolve();
    const next = () => stored(upload, content, store);
    const mine = before.then(next, next);
    lastOfKey.set(name, mine);
    try {
      return await mine;
    } finally {
      if (lastOfKey.get(name) === mine) lastOfKey.delete(name);
    }
  };
}

function isChangedFile(error: unknown): boolean {
  return error instanceof EdaError && error.code === "file-changed";
}

function changedFile({ bucket, key }: Upload, cause: unknown): EdaError {
  const message = `The file of ${bucket}/${printable(key)} changed while it was stored: wait until nothing writes to it.`;
  return new EdaError("terminal", "file-changed", message, { todo: "Run again once it is complete.", cause });
}
