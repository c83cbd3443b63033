/** One file as one new version, or nothing at all. */
import { EdaError } from "../../domain/errors.ts";
import { printable } from "../../domain/printable.ts";
import type { ObjectInfo } from "../../ports/object-store.ts";
import { storeInParts } from "./multipart-upload.ts";
import { READ_ATTEMPTS, retrying } from "./retry.ts";
import { createSingleUpload } from "./single-upload.ts";
import type { UploadNotes } from "./upload-notes.ts";
import { isSameWrite, type Upload } from "./upload-request.ts";
import { deleteVersion, headVersion } from "./versions.ts";
import type { Wire } from "./wire.ts";

/** @throws EdaError; nothing is left on the server then */
export type Uploader = (upload: Upload) => Promise<ObjectInfo>;

export function createUploader(wire: Wire, notes: UploadNotes): Uploader {
  const storeInOne = createSingleUpload(wire);
  const lastOfKey = new Map<string, Promise<unknown>>();

  async function store(upload: Upload): Promise<ObjectInfo> {
    try {
      return await (upload.source.parts.length === 1 ? storeInOne(upload) : storeInParts(wire, notes, upload));
    } catch (error) {
      // The server may have had everything when the answer was no longer waited for.
      if (upload.signal.aborted) await removeStored(upload);
      throw isChangedFile(error) ? changedFile(upload, error) : error;
    }
  }

  async function removeStored(upload: Upload): Promise<void> {
    await retrying(READ_ATTEMPTS, undefined, async () => {
      const latest = await headVersion(wire, upload.bucket, upload.key);
      if (latest !== undefined && isSameWrite(latest, upload) && latest.storedAt === upload.storedAt) await deleteVersion(wire, latest);
    }).catch(() => undefined);
  }

  // One at a time for a key: each looks at the latest version before it decides.
  return async (upload) => {
    const name = `${upload.bucket}/${upload.key}`;
    const before = lastOfKey.get(name) ?? Promise.resolve();
    const mine = before.then(
      () => store(upload),
      () => store(upload),
    );
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
