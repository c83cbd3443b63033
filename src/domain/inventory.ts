import type { ContentHash, ObjectRef, OutputRole } from "./asset.ts";
import { canonicalJson, hashJson, type JsonObject, sha256Hex } from "./json.ts";
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

/**
 * SHA-256 of the RFC 8785 form of every registered field of the row: a row changed by hand no longer matches its digest. A million rows are
 * digested in a run, so the fields stand here in their canonical order, which the engine's own serialiser keeps; only the members of
 * `details` have to be put in order.
 */
export function rowDigest(row: InventoryRow): string {
  const {
    aliasOf,
    bucket,
    commitBefore,
    details,
    inventory,
    key,
    md5,
    mediaType,
    name,
    project,
    role,
    rows,
    run,
    sha256,
    size,
    versionId,
  } = row;
  const before = JSON.stringify({ aliasOf, bucket, commitBefore });
  const after = JSON.stringify({ inventory, key, md5, mediaType, name, project, role, rows, run, sha256, size, versionId });
  const text = `${before.slice(0, -1)},"details":${canonicalJson(details)},${after.slice(1)}`;
  // Half a surrogate pair has no canonical form, and the serialiser writes it as an escape; so do texts that only look like one.
  return text.includes("\\ud") ? hashJson(JSON.parse(text)) : sha256Hex(text);
}

/** Digest of all rows one run registered, whatever their order; it is part of the run's audit entry. */
export function rowsDigest(rowDigests: readonly string[]): string {
  return hashJson([...rowDigests].sort());
}
