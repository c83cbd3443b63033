/** What eda notes beside each version it stores, and how it comes back: in headers, or in MinIO's listings. */
import type { ContentHash } from "../../domain/asset.ts";
import { EdaError } from "../../domain/errors.ts";
import { printable } from "../../domain/printable.ts";
import type { BucketName } from "../../domain/stage.ts";
import type { ObjectInfo } from "../../ports/object-store.ts";

const PREFIX = "x-amz-meta-eda-";

export type MetadataFields = Readonly<Record<string, string | undefined>>;

export interface Provenance {
  readonly mediaType: string;
  readonly run: string;
  readonly storedAt: string;
}

/**
 * Time and run are the writer's own, so that a put can answer what a later head will.
 * @param content absent when it is not known yet: its hashes then become tags
 */
export function metadataHeaders({ mediaType, run, storedAt }: Provenance, content?: ContentHash): Record<string, string> {
  return {
    "content-type": mediaType,
    [`${PREFIX}run`]: run,
    [`${PREFIX}stored-at`]: storedAt,
    ...(content === undefined ? {} : { [`${PREFIX}md5`]: content.md5, [`${PREFIX}sha256`]: content.sha256 }),
  };
}

/** What a listing or a head tells of a version besides its metadata. */
export interface VersionFacts {
  readonly bucket: BucketName;
  readonly key: string;
  readonly versionId: string;
  readonly size: number;
  /** Any form that Date reads. */
  readonly lastModified: string;
}

/** What others put into the bucket has no run and no hashes. @param fields lower-case names */
export function objectInfo({ lastModified, ...address }: VersionFacts, fields: MetadataFields): ObjectInfo {
  return {
    ...address,
    md5: fields[`${PREFIX}md5`] ?? "",
    sha256: fields[`${PREFIX}sha256`] ?? "",
    mediaType: fields["content-type"] ?? "",
    run: fields[`${PREFIX}run`] ?? "",
    storedAt: fields[`${PREFIX}stored-at`] ?? new Date(lastModified).toISOString(),
  };
}

/** Whether eda stored the version. */
export function isOurs(info: ObjectInfo): boolean {
  return info.run !== "";
}

export function infoFromHeaders(bucket: BucketName, key: string, headers: MetadataFields): ObjectInfo {
  return objectInfo(
    {
      bucket,
      key,
      versionId: versionIdOf(bucket, headers),
      size: Number(headers["content-length"] ?? 0),
      lastModified: headers["last-modified"] ?? headers["date"] ?? "",
    },
    headers,
  );
}

/** @throws EdaError `precondition` `versioning-off`: what is stored then would overwrite what was there */
export function versionIdOf(bucket: BucketName, headers: MetadataFields): string {
  const versionId = headers["x-amz-version-id"];
  if (versionId === undefined || versionId === "null") throw versioningOff(bucket);
  return versionId;
}

export function versioningOff(bucket: BucketName): EdaError {
  return new EdaError(
    "precondition",
    "versioning-off",
    `The bucket ${bucket} keeps no versions: what is stored would overwrite what was there.`,
    {
      todo: `Switch versioning on, then run again: mc version enable <alias>/${bucket}`,
    },
  );
}

export function assertSame(found: ContentHash, expected: ContentHash, name: string): void {
  if (found.size === expected.size && found.md5 === expected.md5 && found.sha256 === expected.sha256) return;
  throw new EdaError(
    "terminal",
    "hash-mismatch",
    `${printable(name)} is not the expected content: ${found.size} bytes with sha256 ${found.sha256} instead of ${expected.size} bytes with sha256 ${expected.sha256}.`,
    { todo: "Find out what changed the file, then run again." },
  );
}
