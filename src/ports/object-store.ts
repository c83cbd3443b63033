import type { Readable } from "node:stream";
import type { ContentHash, ObjectRef } from "../domain/asset.ts";
import type { BucketName } from "../domain/stage.ts";

/** What the store knows of one object version. */
export interface ObjectInfo extends ObjectRef, ContentHash {
  readonly mediaType: string;
  /** Run that wrote the version. */
  readonly run: string;
  /** ISO 8601, UTC. */
  readonly storedAt: string;
}

export interface PutRequest {
  readonly bucket: BucketName;
  readonly key: string;
  /** Local file whose bytes are stored. Never modified or moved. */
  readonly file: string;
  /** Bytes that it had when the caller looked, which saves another look. A file that has become longer since may be refused. */
  readonly size?: number;
  /** Expected content; the store hashes what it writes and refuses anything else. Absent: the store computes it. */
  readonly expected?: ContentHash;
  readonly mediaType: string;
  readonly run: string;
  /** The caller knows of no content of this size, so that preparing a large file may send it already. Only a hint. Default false. */
  readonly isLikelyNew?: boolean;
  readonly signal: AbortSignal;
  /** Called with bytes stored since the last call. */
  readonly onBytes?: (bytes: number) => void;
}

/**
 * A file whose content the store knows and has taken in as far as it can without storing it. It is no version: no reader sees it, and it
 * is gone when the process is.
 */
export interface PreparedObject {
  readonly content: ContentHash;
  /** Makes it a version, as {@link ObjectStore.put} does. */
  commit(): Promise<ObjectInfo>;
  /** Idempotent; does nothing after a commit. */
  discard(): Promise<void>;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Pass it back for the next page; absent on the last. */
  readonly cursor?: string;
}

export interface ListRequest {
  readonly bucket: BucketName;
  /** Keys that start with it; "" for all. */
  readonly prefix: string;
  /** Group keys at the next `/` into prefixes. */
  readonly hierarchical: boolean;
  readonly cursor?: string;
  /** Largest number of items in the page, 1 to 1,000. */
  readonly limit: number;
  readonly signal?: AbortSignal;
}

export type ListItem = { readonly type: "prefix"; readonly prefix: string } | { readonly type: "object"; readonly info: ObjectInfo };

/**
 * Versioned object storage. Every write makes a new version; nothing overwrites one.
 * Readers address (bucket, key, version id) from the inventory, so a version not yet registered is one nobody reads.
 * Failures: `unavailable` when the store is away, `transient` on resets, `terminal` `object-not-found`, `hash-mismatch`, `disk-full`.
 */
export interface ObjectStore {
  /** Creates missing buckets, with versioning on. Idempotent. */
  ensureBuckets(buckets: readonly BucketName[]): Promise<void>;
  /**
   * Stores a file as a new version, then verifies size and both hashes of what was stored. All or nothing: an interrupted put
   * leaves no version and no part. Idempotent per run: when the latest version of the key was written by the same run with the
   * same sha256, that version is returned and nothing is written.
   */
  put(request: PutRequest): Promise<ObjectInfo>;
  /**
   * The first half of a put, for callers that decide by the content whether to store it: a file is then read once, not once to know its
   * hashes and again to store it. Ends in a commit or a discard.
   */
  prepare(request: PutRequest): Promise<PreparedObject>;
  /** Undefined when there is no such version. Without a version id: the latest. */
  head(bucket: BucketName, key: string, versionId?: string): Promise<ObjectInfo | undefined>;
  /** Content stream of one version. */
  read(ref: ObjectRef, signal?: AbortSignal): Promise<Readable>;
  /**
   * A local file with exactly this version's bytes, for engines that want files. The folder store answers its own file
   * (never write to it); a remote store downloads into `directory`, verified against `expected`.
   */
  materialize(ref: ObjectRef, expected: ContentHash, directory: string, signal: AbortSignal): Promise<string>;
  /** Removes one version for good: only for versions no inventory row or manifest names. Idempotent. */
  removeVersion(ref: ObjectRef): Promise<void>;
  listBuckets(): Promise<readonly BucketName[]>;
  /** Latest versions, ordered by key (UTF-8 bytes), one page. */
  list(request: ListRequest): Promise<Page<ListItem>>;
  /** Every version, ordered by key then age, streamed: never held whole. */
  versions(bucket: BucketName, prefix: string): AsyncIterable<ObjectInfo>;
}
