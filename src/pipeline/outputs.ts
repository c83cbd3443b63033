/** Storing what a unit made, and skipping what came out unchanged. */
import type { ContentHash, ObjectRef, OutputObject, OutputRole } from "../domain/asset.ts";
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
  const { bucket, key, file, role, mediaType, rows, current } = request;
  const { run } = context.request;
  const facts = { role, mediaType, ...(rows === undefined ? {} : { rows }) };
  const prepared = await context.services.objects.prepare({ bucket, key, file, mediaType, run, signal: context.signal });
  try {
    const kept = current === undefined ? undefined : await currentRow(current, context);
    if (kept !== undefined && kept.sha256 === prepared.content.sha256 && kept.bucket === bucket && kept.key === key) {
      return { object: { ...objectFields(kept), ...facts }, isNew: false };
    }
    return { object: { ...objectFields(await prepared.commit()), ...facts }, isNew: true };
  } finally {
    await prepared.discard();
  }
}

async function currentRow({ inventory, name }: NonNullable<StoreRequest["current"]>, context: StageContext) {
  const { project } = context.request;
  return (await context.services.inventory.rows({ inventory, project, name, limit: 1 })).items[0];
}

/** The fields of an object that identify it and its content, out of whatever else it comes with. */
export function objectFields<T extends ObjectRef & ContentHash>(from: T) {
  const { bucket, key, versionId, size, md5, sha256 } = from;
  return { bucket, key, versionId, size, md5, sha256 };
}
