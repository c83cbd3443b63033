/** Single versions: looking at one, removing one. */
import type { ObjectRef } from "../../domain/asset.ts";
import { EdaError } from "../../domain/errors.ts";
import { printable } from "../../domain/printable.ts";
import type { BucketName } from "../../domain/stage.ts";
import type { ObjectInfo } from "../../ports/object-store.ts";
import { isNotFound, S3Failure } from "./failures.ts";
import { infoFromHeaders, isOurs, type MetadataFields } from "./metadata.ts";
import { taggedHashes } from "./tags.ts";
import type { Wire } from "./wire.ts";

/** Longest key in bytes. */
const MAX_KEY_BYTES = 1024;

/** @throws EdaError `terminal` `invalid-key` for what no object store takes */
export function assertKey(key: string): void {
  const problem =
    key === "" ? "is empty" : !key.isWellFormed() ? "is not valid Unicode" : key.includes("\0") ? "contains a NUL" : undefined;
  if (problem !== undefined) throw new EdaError("terminal", "invalid-key", `The object key "${printable(key)}" ${problem}.`);
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) {
    throw new EdaError("terminal", "invalid-key", `The object key "${printable(key)}" is longer than ${MAX_KEY_BYTES} bytes.`);
  }
}

/** One attempt. Undefined when there is no such version. */
export async function headVersion(
  wire: Wire,
  bucket: BucketName,
  key: string,
  versionId?: string,
  signal?: AbortSignal,
): Promise<ObjectInfo | undefined> {
  assertKey(key);
  // An empty id would mean the latest version.
  if (versionId === "") return undefined;
  try {
    const query = versionId === undefined ? {} : { query: { versionId } };
    const headers = await wire.command({ method: "HEAD", bucket, key, ...query, signal });
    return await completeInfo(wire, bucket, key, headers, signal);
  } catch (error) {
    if (isAbsent(error, versionId)) return undefined;
    throw error;
  }
}

/** What headers tell of a version, and its tags where they hold its hashes. One attempt. */
export async function completeInfo(
  wire: Wire,
  bucket: BucketName,
  key: string,
  headers: MetadataFields,
  signal?: AbortSignal,
): Promise<ObjectInfo> {
  const info = infoFromHeaders(bucket, key, headers);
  return isOurs(info) && info.sha256 === "" ? { ...info, ...(await taggedHashes(wire, info, signal)) } : info;
}

/** One attempt. Idempotent. */
export async function deleteVersion(wire: Wire, { bucket, key, versionId }: ObjectRef): Promise<void> {
  assertKey(key);
  // Without an id it would put a delete marker on top instead.
  if (versionId === "") return;
  try {
    await wire.command({ method: "DELETE", bucket, key, query: { versionId } });
  } catch (error) {
    if (!isAbsent(error, versionId)) throw error;
  }
}

/** What is no version id of this server names no version; 405 is the answer for delete markers. */
export function isAbsent(error: unknown, versionId: string | undefined): boolean {
  if (isNotFound(error)) return true;
  if (!(error instanceof S3Failure) || versionId === undefined) return false;
  return (
    error.status === 405 || (error.status === 400 && (error.code === "HTTP 400" || /Invalid(Argument|Version|Resource)/u.test(error.code)))
  );
}
