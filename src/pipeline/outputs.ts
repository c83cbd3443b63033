/** Storing what a unit made, and skipping what came out unchanged. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import type { ContentHash, OutputObject, OutputRole } from "../domain/asset.ts";
import type { BucketName, InventoryId } from "../domain/stage.ts";
import type { StageContext } from "./stage-definition.ts";

export interface StoreRequest {
  readonly bucket: BucketName;
  readonly key: string;
  readonly file: string;
  readonly role: OutputRole;
  readonly mediaType: string;
  readonly rows?: number;
  /** Inventory and name whose current row may already hold the same bytes under the same key. */
  readonly current?: { readonly inventory: InventoryId; readonly name: string };
}

export interface StoredOutput {
  readonly object: OutputObject;
  /** False when the current version already has these bytes and was kept. */
  readonly isNew: boolean;
}

/** Stores a file as a new object version, unless the inventory's current version of the same key has the same bytes. */
export async function storeOutput(request: StoreRequest, context: StageContext): Promise<StoredOutput> {
  const { objects, inventory } = context.services;
  const hash = await hashFile(request.file, context.signal);
  const facts = { role: request.role, mediaType: request.mediaType, ...(request.rows === undefined ? {} : { rows: request.rows }) };
  if (request.current !== undefined) {
    const known = await inventory.rows({
      inventory: request.current.inventory,
      project: context.request.project,
      name: request.current.name,
      limit: 1,
    });
    const row = known.items[0];
    if (row !== undefined && row.sha256 === hash.sha256 && row.bucket === request.bucket && row.key === request.key) {
      const { bucket, key, versionId, size, md5, sha256 } = row;
      return { object: { bucket, key, versionId, size, md5, sha256, ...facts }, isNew: false };
    }
  }
  const info = await objects.put({
    bucket: request.bucket,
    key: request.key,
    file: request.file,
    expected: hash,
    mediaType: request.mediaType,
    run: context.request.run,
    signal: context.signal,
  });
  const { bucket, key, versionId, size, md5, sha256 } = info;
  return { object: { bucket, key, versionId, size, md5, sha256, ...facts }, isNew: true };
}

/** md5 and sha256 of a file in one read; size in bytes. */
export async function hashFile(file: string, signal: AbortSignal): Promise<ContentHash> {
  const md5 = createHash("md5");
  const sha256 = createHash("sha256");
  let size = 0;
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20, signal })) {
    const bytes = chunk as Buffer;
    md5.update(bytes);
    sha256.update(bytes);
    size += bytes.length;
  }
  return { size, md5: md5.digest("hex"), sha256: sha256.digest("hex") };
}
