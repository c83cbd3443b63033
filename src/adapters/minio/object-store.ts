/**
 * Objects on any S3 server that keeps versions; MinIO first. Every write is one request (or one multipart upload) that the server checks
 * by the hashes it is sent with, so that a version is there whole, with its metadata, or not at all.
 */
import { throwIfAborted } from "../../domain/errors.ts";
import { BUCKETS } from "../../domain/stage.ts";
import type { ObjectStore, PreparedObject, PutRequest } from "../../ports/object-store.ts";
import { openBuckets } from "./buckets.ts";
import { download, openContent } from "./download.ts";
import { openHashing } from "./hashing.ts";
import { allVersions, listPage } from "./listing.ts";
import { assertSame } from "./metadata.ts";
import { abortLeftover } from "./multipart-upload.ts";
import type { S3Options } from "./options.ts";
import { createPassMeter } from "./progress.ts";
import { READ_ATTEMPTS, retrying } from "./retry.ts";
import { openSourceReader } from "./source-file.ts";
import { createUploader } from "./upload.ts";
import { openUploadNotes } from "./upload-notes.ts";
import { assertKey, deleteVersion, headVersion } from "./versions.ts";
import { openWire } from "./wire.ts";

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
  const hashing = openHashing();
  const notes = openUploadNotes(options.uploadNotes);
  const upload = createUploader(wire, notes);
  const sources = openSourceReader(hashing);

  async function prepare({ bucket, key, file, expected, mediaType, run, signal, onBytes }: PutRequest): Promise<PreparedObject> {
    assertKey(key);
    throwIfAborted(signal);
    let size = Number.POSITIVE_INFINITY;
    const meter = createPassMeter(onBytes, () => size);
    const source = await sources.read({ file, signal, onRead: meter.advance });
    const { content } = source;
    size = content.size;
    try {
      if (expected !== undefined) assertSame(content, expected, `${bucket}/${key}`);
    } catch (error) {
      source.release();
      throw error;
    }
    return {
      content,
      async commit() {
        const storedAt = new Date().toISOString();
        const info = await upload({ bucket, key, source, mediaType, run, storedAt, signal, onSent: meter.advance });
        source.release();
        meter.finish();
        return info;
      },
      async discard() {
        source.release();
        meter.finish();
      },
    };
  }

  return {
    async ensureBuckets(wanted) {
      await notes.settle((leftover) => abortLeftover(wire, leftover));
      for (const bucket of wanted) await buckets.ensure(bucket);
    },
    prepare,
    async put(request) {
      const prepared = await prepare(request);
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
