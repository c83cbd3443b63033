/**
 * Assets are the nouns of lineage: a Drive file, a local raw file, an object version, a governed code file.
 * Each has a URI that names one exact version, so an edge between two URIs never changes its meaning.
 */
import type { BucketName } from "./stage.ts";

/** One stored version of one object. */
export interface ObjectRef {
  readonly bucket: BucketName;
  readonly key: string;
  readonly versionId: string;
}

/** Content identity: size in bytes, lower-case hexadecimal digests. */
export interface ContentHash {
  readonly size: number;
  readonly md5: string;
  readonly sha256: string;
}

export type AssetKind = "drive" | "local" | "object" | "code" | "job";

export interface AssetUri {
  readonly kind: AssetKind;
  /** Readable part: Drive id, workspace path, `bucket/key`, governed path. */
  readonly name: string;
  /** Version: Drive revision, sha256, object version id, blob hash. */
  readonly version: string;
}

/** `kind:name@version`, with `@` and `%` in the name percent-encoded so that the last `@` always separates. */
export function formatAssetUri(uri: AssetUri): string {
  return `${uri.kind}:${uri.name.replace(/[%@]/gu, encodeURIComponent)}@${uri.version}`;
}

/** Inverse of {@link formatAssetUri}; undefined when the text is not an asset URI. */
export function parseAssetUri(text: string): AssetUri | undefined {
  const match = /^(drive|local|object|code|job):(.+)@([^@]+)$/su.exec(text);
  if (match === null) return undefined;
  const [, kind, name, version] = match;
  try {
    return { kind: kind as AssetKind, name: decodeURIComponent(name as string), version: version as string };
  } catch {
    // A `%` that formatAssetUri would have encoded.
    return undefined;
  }
}

export function objectUri(ref: ObjectRef): string {
  return formatAssetUri({ kind: "object", name: `${ref.bucket}/${ref.key}`, version: ref.versionId });
}

export function localUri(path: string, sha256: string): string {
  return formatAssetUri({ kind: "local", name: path, version: sha256 });
}

export function driveUri(id: string, version: string): string {
  return formatAssetUri({ kind: "drive", name: id, version });
}

export function codeUri(path: string, sha256: string): string {
  return formatAssetUri({ kind: "code", name: path, version: sha256 });
}

/** Something a run read: an asset version and its content hash, as manifests record it. */
export interface InputAsset {
  readonly uri: string;
  /** Name a person knows it by: relative path, table name. */
  readonly name: string;
  readonly size: number;
  /** Null for what is not hashed before it is read: a Drive file that Drive gives no checksum of. */
  readonly sha256: string | null;
}

/** What an object is for; an inventory row carries it. */
export type OutputRole = "data" | "quarantine" | "metadata" | "model" | "output";

/** One object version a run made. */
export interface OutputObject extends ObjectRef, ContentHash {
  readonly role: OutputRole;
  readonly mediaType: string;
  /** Rows of a table, when it is one. */
  readonly rows?: number;
}
