/**
 * Objects on any S3 server that keeps versions; MinIO first. Every write is one request (or one multipart upload) that the server checks
 * by the hashes it is sent with, so that a version is there whole, with its metadata, or not at all.
 */
import { BUCKETS } from "../../domain/stage.ts";
import type { ObjectStore } from "../../ports/object-store.ts";
import { openBuckets } from "./buckets.ts";
import { download, openContent } from "./download.ts";
import { openHashing } from "./hashing.ts";
import { allVersions, listPage } from "./listing.ts";
import { openBlockPool } from "./memory.ts";
import { abortLeftover } from "./multipart-upload.ts";
import type { S3Options } from "./options.ts";
import { createPreparation } from "./prepare.ts";
import { READ_ATTEMPTS, retrying } from "./retry.ts";
import { openUploadNotes } from "./upload-notes.ts";
import { deleteVersion, headVersion } from "./versions.ts";
import { openWire } from "./wire.ts";

/** Memory that contents pass through: a part of a large file, or a whole file of up to this size. */
const BLOCK_BYTES = 16 * 1024 * 1024;
/** Enough for two on their way while others are read and hashed. */
const BLOCKS = 4;

export interface S3Store extends ObjectStore {
  /** Ends the connections and the hashing threads. */
  close(): Promise<void>;
}

/**
 * Nothing is asked of the server yet: `ensureBuckets` is the first to, and also aborts what a killed process left there.
 * @throws EdaError `precondition` `invalid-endpoint`
 */
export function openS3Store(options: S3Options): S3Store {
  const wire = openWire(options);
  const buckets = openBuckets(wire, options);
  const blocks = openBlockPool(BLOCK_BYTES, BLOCKS);
  const hashing = openHashing(blocks);
  const notes = openUploadNotes(options.uploadNotes);
  const prepare = createPreparation({ wire, notes, hashing, blocks });

  return {
    async ensureBuckets(wanted) {
      await notes.settle((leftover) => abortLeftover(wire, leftover));
      for (const bucket of wanted) await buckets.ensure(bucket);
    },
    prepare,
    async put(request) {
      const prepared = await prepare({ ...request, isLikelyNew: true });
      try {
        return await prepared.commit();
      } finally {
        await prepared.discard();
      }
    },
    head: (bucket, key, versionId) => retrying(READ_ATTEMPTS, undefined, () => headVersion(wire, bucket, key, versionId)),
    read: async (ref, signal) => (await openContent(wire, ref, signal)).stream,
    materialize: (ref, expected, directory, signal) => download(wire, hashing, ref, expected, directory, signal),
    removeVersion: (ref) => retrying(READ_ATTEMPTS, undefined, () => deleteVersion(wire, ref)),
    async listBuckets() {
      const present = await Promise.all(BUCKETS.map((bucket) => buckets.exists(bucket)));
      return BUCKETS.filter((_, index) => present[index]);
    },
    list: (request) => listPage(wire, request),
    versions: (bucket, prefix) => allVersions(wire, bucket, prefix),
    async close() {
      await Promise.all([wire.close(), hashing.close()]);
    },
  };
}
