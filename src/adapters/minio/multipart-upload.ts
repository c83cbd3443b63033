/** Files that go in parts, several at a time; no version until the last part is there. */
import pLimit from "p-limit";
import { sha256Hex } from "../../domain/json.ts";
import type { BucketName } from "../../domain/stage.ts";
import type { ObjectInfo } from "../../ports/object-store.ts";
import { isNotFound, S3Failure } from "./failures.ts";
import { assertSame, metadataHeaders } from "./metadata.ts";
import { retrying, WRITE_ATTEMPTS } from "./retry.ts";
import type { SourcePart } from "./source-file.ts";
import { isSameWrite, type Upload } from "./upload-request.ts";
import type { NotedUpload, UploadNotes } from "./upload-notes.ts";
import { deleteVersion, headVersion } from "./versions.ts";
import { textOf, type Wire, type XmlElement } from "./wire.ts";

/** Of one file. More only wait for each other's disk. */
const PARALLEL_PARTS = 4;

interface Target {
  readonly bucket: BucketName;
  readonly key: string;
  readonly uploadId: string;
}

export async function storeInParts(wire: Wire, notes: UploadNotes, upload: Upload): Promise<ObjectInfo> {
  const { bucket, key, signal, source, mediaType, run, storedAt } = upload;
  const latest = await retrying(WRITE_ATTEMPTS, signal, () => headVersion(wire, bucket, key, undefined, signal));
  if (latest !== undefined && isSameWrite(latest, upload)) return latest;
  const note = await notes.begin(bucket, key);
  const headers = metadataHeaders(source.content, mediaType, run, storedAt);
  let target: Target | undefined;
  try {
    const begun = await retrying(WRITE_ATTEMPTS, signal, () =>
      wire.query({ method: "POST", bucket, key, query: { uploads: "" }, headers, signal }),
    );
    target = { bucket, key, uploadId: textOf(begun["UploadId"]) };
    await note.started(target.uploadId);
    await complete(wire, target, await sendParts(wire, target, upload), upload);
  } catch (error) {
    // Where the store does not answer the note stays, for the next start to act on.
    if (target !== undefined) await abortUpload(wire, target).then(note.end, () => undefined);
    throw error;
  }
  await note.end();
  return verified(wire, upload);
}

/** @returns the parts' ETags, in order */
async function sendParts(wire: Wire, target: Target, { source, signal, onSent }: Upload): Promise<string[]> {
  const limit = pLimit(PARALLEL_PARTS);
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const sent = source.parts.map((part, index) =>
    limit(async () => {
      try {
        const etag = await sendPart(wire, target, index + 1, part, either);
        onSent(part.size);
        return etag;
      } catch (error) {
        failed.abort();
        throw error;
      }
    }),
  );
  const etags = Promise.all(sent);
  etags.catch(() => undefined);
  // Nothing may still be on its way when the upload is aborted: the server could keep it.
  await Promise.allSettled(sent);
  return etags;
}

async function sendPart(
  wire: Wire,
  { bucket, key, uploadId }: Target,
  partNumber: number,
  part: SourcePart,
  signal: AbortSignal,
): Promise<string> {
  const headers = await retrying(WRITE_ATTEMPTS, signal, () =>
    part.lend(signal, (content) =>
      wire.command({
        method: "PUT",
        bucket,
        key,
        query: { partNumber: String(partNumber), uploadId },
        body: { content, size: part.size, sha256: part.sha256 },
        signal,
      }),
    ),
  );
  return headers["etag"] ?? "";
}

/** The answer may get lost after the server has done it: then the upload is gone and the version is there. */
async function complete(wire: Wire, { bucket, key, uploadId }: Target, etags: readonly string[], upload: Upload): Promise<void> {
  const parts = etags.map((etag, index) => `<Part><PartNumber>${index + 1}</PartNumber><ETag>${etag}</ETag></Part>`);
  const content = `<CompleteMultipartUpload>${parts.join("")}</CompleteMultipartUpload>`;
  const body = { content, size: Buffer.byteLength(content), sha256: sha256Hex(content) };
  await retrying(WRITE_ATTEMPTS, upload.signal, async () => {
    try {
      await wire.query({ method: "POST", bucket, key, query: { uploadId }, body, signal: upload.signal });
    } catch (error) {
      const isGone = error instanceof S3Failure && error.code === "NoSuchUpload";
      const latest = isGone ? await headVersion(wire, bucket, key) : undefined;
      if (latest === undefined || !isSameWrite(latest, upload)) throw error;
    }
  });
}

/** The parts were each checked by their hash; what they became is checked by its size and by what it says of itself. */
async function verified(wire: Wire, upload: Upload): Promise<ObjectInfo> {
  const { bucket, key, source } = upload;
  const info = await retrying(WRITE_ATTEMPTS, undefined, () => headVersion(wire, bucket, key));
  if (info === undefined || !isSameWrite(info, upload)) throw new Error(`${bucket}/${key} is not there after its upload was complete`);
  if (info.size !== source.content.size) await deleteVersion(wire, info);
  assertSame(info, source.content, `${bucket}/${key}`);
  return info;
}

/** Idempotent. @throws EdaError when the store does not answer */
async function abortUpload(wire: Wire, { bucket, key, uploadId }: Target): Promise<void> {
  await retrying(WRITE_ATTEMPTS, undefined, async () => {
    try {
      await wire.command({ method: "DELETE", bucket, key, query: { uploadId } });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  });
}

/** Aborts what a killed process left. @throws EdaError when the store does not answer */
export async function abortLeftover(wire: Wire, { bucket, key, uploadId }: NotedUpload): Promise<void> {
  const ids = uploadId === undefined ? await uploadsOf(wire, bucket, key) : [uploadId];
  for (const id of ids) await abortUpload(wire, { bucket, key, uploadId: id });
}

/** MinIO answers for whole keys only, which is what is wanted. */
async function uploadsOf(wire: Wire, bucket: BucketName, key: string): Promise<string[]> {
  const listed = await retrying(WRITE_ATTEMPTS, undefined, () =>
    wire.query({ method: "GET", bucket, query: { uploads: "", prefix: key } }),
  );
  const uploads = (listed["Upload"] ?? []) as readonly XmlElement[];
  return uploads.filter((upload) => textOf(upload["Key"]) === key).map((upload) => textOf(upload["UploadId"]));
}
