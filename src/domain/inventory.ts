import type { ContentHash, ObjectRef, OutputRole } from "./asset.ts";
import { hashJson, type JsonObject } from "./json.ts";
import type { InventoryId } from "./stage.ts";

/**
 * One row of an inventory: what one run registered about one named thing of a project.
 * Rows are never rewritten: a newer run adds a row and the older one stops being current (`vigente`).
 */
export interface InventoryRow extends ObjectRef, ContentHash {
  readonly inventory: InventoryId;
  readonly project: string;
  /** Unique among the current rows of (inventory, project): relative path, table, `dataset/split`, `model/file`. */
  readonly name: string;
  readonly role: OutputRole;
  readonly mediaType: string;
  /** Rows of a table, or null for what is not one. */
  readonly rows: number | null;
  /** Name of the row that holds the same content in this project, for an alias; null otherwise. */
  readonly aliasOf: string | null;
  /** What only this inventory knows: Drive origin, schema, split, metrics. */
  readonly details: JsonObject;
  /** Run that registered it. */
  readonly run: string;
  /** Commit before that run. */
  readonly commitBefore: string;
}

/** A row as read back: with its place in time. */
export interface StoredInventoryRow extends InventoryRow {
  readonly id: string;
  readonly current: boolean;
  /** ISO 8601, UTC. */
  readonly registeredAt: string;
  /** Digest stored beside the row by {@link rowDigest} when it was registered. */
  readonly digest: string;
}

/** SHA-256 over every registered field of the row: a row changed by hand no longer matches its digest. */
export function rowDigest(row: InventoryRow): string {
  return hashJson({
    inventory: row.inventory,
    project: row.project,
    name: row.name,
    role: row.role,
    mediaType: row.mediaType,
    rows: row.rows,
    aliasOf: row.aliasOf,
    details: row.details,
    run: row.run,
    commitBefore: row.commitBefore,
    bucket: row.bucket,
    key: row.key,
    versionId: row.versionId,
    size: row.size,
    md5: row.md5,
    sha256: row.sha256,
  });
}

/** Digest of all rows one run registered, whatever their order; it is part of the run's audit entry. */
export function rowsDigest(rowDigests: readonly string[]): string {
  return hashJson([...rowDigests].sort());
}
