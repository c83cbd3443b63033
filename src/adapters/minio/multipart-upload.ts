/**
 * Files that go in parts: each is read once, and sent while it is hashed. No version until it is completed, which takes no more than a
 * request. An upload's metadata is told before its content is known: so the hashes are put on the version as tags.
 */
import type { ContentHash } from "../../domain/asset.ts";
import { sha256Hex } from "../../domain/json.ts";
import type { BucketName } from "../../domain/stage.ts";
import type { ObjectInfo } from "../../ports/object-store.ts";
import { isNotFound, S3Failure } from "./failures.ts";
import type { Hashing } from "./hashing.ts";
import type { BlockPool } from "./memory.ts";
import { assertSame, metadataHeaders } from "./metadata.ts";
import { type FilePart, readParts } from "./part-reader.ts";
import { READ_ATTEMPTS, retrying, WRITE_ATTEMPTS } from "./retry.ts";
import { tagWithHashes } from "./tags.ts";
import type { Upload } from "./upload-request.ts";
import type { NotedUpload, UploadNotes } from "./upload-notes.ts";
import { deleteVersion, headVersion } from "./versions.ts";
import { textOf, type Wire, type XmlElement } from "./wire.ts";

export interface PartsTools {
  readonly wire: Wire;
  readonly notes: UploadNotes;
  readonly hashing: Hashing;
  readonly blocks: BlockPool;
}

/** A file whose parts are all on the server. */
export interface SentParts {
  readonly content: ContentHash;
  /** Makes them a version; leaves neither version nor part when it fails. */
  complete(): Promise<ObjectInfo>;
  /** Idempotent; does nothing after a completion. */
  abort(): Promise<void>;
}

interface Target {
  readonly bucket: BucketName;
  readonly key: string;
  readonly uploadId: string;
}

interface SentPart {
  readonly etag: string;
  readonly crc32: string;
}

/** @throws EdaError; no part is left on the server then */
export async function sendInParts(tools: PartsTools, upload: Upload, onRead: (bytes: number) => void): Promise<SentParts> {
  const { wire, notes, hashing, blocks } = tools;
  const { bucket, key, file, signal, mediaType, run, storedAt, onSent } = upload;
  const note = await notes.begin({ bucket, key, storedAt });
  const headers = { ...metadataHeaders({ mediaType, run, storedAt }), "x-amz-checksum-algorithm": "CRC32" };
  const begun = await retrying(WRITE_ATTEMPTS, signal, () =>
    wire.query({ method: "POST", bucket, key, query: { uploads: "" }, headers, signal }),
  );
  const target: Target = { bucket, key, uploadId: textOf(begun["UploadId"]) };
  let isOpen = true;
  const abort = async () => {
    if (!isOpen) return;
    isOpen = false;
    // Where the store does not answer the note stays, for the next start or a recovery to act on.
    await abortUpload(wire, target).then(note.end, note.leave);
  };
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const parts: SentPart[] = [];
  const onPart = async (part: FilePart) => {
    try {
      parts[part.number - 1] = await sendPart(wire, target, part, either);
      onSent(part.size);
    } catch (error) {
      failed.abort();
      throw error;
    }
  };
  try {
    await note.started(target.uploadId);
    const content = await readParts(hashing, blocks, { file, signal, onRead, onPart });
    return {
      content,
      abort,
      async complete() {
        try {
          const info = await makeVersion(wire, target, parts, { upload, content });
          isOpen = false;
          await note.end();
          return info;
        } catch (error) {
          await abort();
          throw error;
        }
      },
    };
  } catch (error) {
    await abort();
    throw error;
  }
}

async function sendPart(wire: Wire, { bucket, key, uploadId }: Target, part: FilePart, signal: AbortSignal): Promise<SentPart> {
  const crc32 = Buffer.from(part.crc32, "hex").toString("base64");
  const headers = await retrying(WRITE_ATTEMPTS, signal, () =>
    wire.command({
      method: "PUT",
      bucket,
      key,
      query: { partNumber: String(part.number), uploadId },
      headers: { "x-amz-checksum-crc32": crc32 },
      body: { content: part.body(signal), size: part.size },
      signal,
    }),
  );
  return { etag: headers["etag"] ?? "", crc32 };
}

interface Expected {
  readonly upload: Upload;
  readonly content: ContentHash;
}

/** The parts were each checked by their checksum; what they became is checked by its size and by what it says of itself. */
async function makeVersion(wire: Wire, target: Target, parts: readonly SentPart[], { upload, content }: Expected): Promise<ObjectInfo> {
  const { bucket, key } = target;
  const versionId = await complete(wire, target, parts, upload);
  try {
    await retrying(WRITE_ATTEMPTS, undefined, () => tagWithHashes(wire, { bucket, key, versionId }, content));
    const info = await retrying(WRITE_ATTEMPTS, undefined, () => headVersion(wire, bucket, key, versionId));
    if (info === undefined) throw new Error(`${bucket}/${key} is not there after its upload was complete`);
    assertSame(info, content, `${bucket}/${key}`);
    return info;
  } catch (error) {
    await retrying(READ_ATTEMPTS, undefined, () => deleteVersion(wire, { bucket, key, versionId })).catch(() => undefined);
    throw error;
  }
}

/**
 * The answer may get lost after the server has done it: then the upload is gone and the version is there.
 * @returns version id
 */
async function complete(wire: Wire, target: Target, parts: readonly SentPart[], upload: Upload): Promise<string> {
  const { bucket, key, uploadId } = target;
  const elements = parts.map(
    ({ etag, crc32 }, index) =>
      `<Part><PartNumber>${index + 1}</PartNumber><ETag>${etag}</ETag><ChecksumCRC32>${crc32}</ChecksumCRC32></Part>`,
  );
  const content = `<CompleteMultipartUpload>${elements.join("")}</CompleteMultipartUpload>`;
  const body = { content, size: Buffer.byteLength(content), sha256: sha256Hex(content) };
  return retrying(WRITE_ATTEMPTS, upload.signal, async () => {
    const own = async () => {
      const latest = await headVersion(wire, bucket, key);
      return latest?.run === upload.run && latest.storedAt === upload.storedAt ? latest.versionId : undefined;
    };
    try {
      const { headers } = await wire.answer({ method: "POST", bucket, key, query: { uploadId }, body, signal: upload.signal });
      const versionId = headers["x-amz-version-id"] ?? (await own());
      if (versionId === undefined) throw new Error(`${bucket}/${key} is not there after its upload was complete`);
      return versionId;
    } catch (error) {
      const versionId = error instanceof S3Failure && error.code === "NoSuchUpload" ? await own() : undefined;
      if (versionId === undefined) throw error;
      return versionId;
    }
  });
}

/** Idempotent, and not patient: what is left is noted. @throws EdaError when the store does not answer */
async function abortUpload(wire: Wire, { bucket, key, uploadId }: Target): Promise<void> {
  await retrying(READ_ATTEMPTS, undefined, async () => {
    try {
      await wire.command({ method: "DELETE", bucket, key, query: { uploadId } });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  });
}

/** Aborts what a killed process left. @throws EdaError when the store does not answer */
export async function abortLeftover(wire: Wire, { bucket, key, storedAt, uploadId }: NotedUpload): Promise<void> {
  const ids = uploadId === undefined ? await uploadsOf(wire, bucket, key) : [uploadId];
  for (const id of ids) await abortUpload(wire, { bucket, key, uploadId: id });
  await retrying(WRITE_ATTEMPTS, undefined, async () => {
    const latest = await headVersion(wire, bucket, key);
    // Completed, and not told its hashes any more.
    if (latest?.storedAt === storedAt && latest.sha256 === "") await deleteVersion(wire, latest);
  });
}

/** MinIO answers for whole keys only, which is what is wanted. */
async function uploadsOf(wire: Wire, bucket: BucketName, key: string): Promise<string[]> {
  const listed = await retrying(WRITE_ATTEMPTS, undefined, () =>
    wire.query({ method: "GET", bucket, query: { uploads: "", prefix: key } }),
  );
  const uploads = (listed["Upload"] ?? []) as readonly XmlElement[];
  return uploads.filter((upload) => textOf(upload["Key"]) === key).map((upload) => textOf(upload["UploadId"]));
}
