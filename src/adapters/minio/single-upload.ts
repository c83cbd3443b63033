/** Files that go in one request. The server checks the md5, which is signed, before it keeps anything. */
import { EdaError } from "../../domain/errors.ts";
import { printable } from "../../domain/printable.ts";
import type { ObjectInfo } from "../../ports/object-store.ts";
import { S3Failure } from "./failures.ts";
import { metadataHeaders, versionIdOf } from "./metadata.ts";
import { retrying, WRITE_ATTEMPTS } from "./retry.ts";
import type { SourceFile } from "./source-file.ts";
import { isSameWrite, type Upload } from "./upload-request.ts";
import { deleteVersion, headVersion } from "./versions.ts";
import type { S3Response, Wire } from "./wire.ts";

/** Larger bodies are not sent only to find out what the server can do. */
const MOST_PROBE_BYTES = 256 * 1024;

export type SingleUpload = (upload: Upload, source: SourceFile) => Promise<ObjectInfo>;

/**
 * A put is idempotent within its run, which takes knowing the latest version of the key. Asking first would be a second request for every
 * file, and most keys are new: so the file is sent on condition that the key is (`If-None-Match: *`), and only a refusal asks. Where one
 * key was not new the next is likely not to be either: then asking comes first, until one is. Whether the server knows that condition is
 * found out once, on the first small file: it is sent again on that condition, which must be refused.
 */
export function createSingleUpload(wire: Wire): SingleUpload {
  let condition: "untried" | "kept" | "ignored" = "untried";
  let isLikelyNew = true;

  async function probe(upload: Upload, source: SourceFile): Promise<void> {
    // While it is found out, others ask first.
    condition = "ignored";
    const headers = await putIfNew(wire, upload, source);
    if (headers === undefined) condition = "kept";
    else await deleteVersion(wire, { bucket: upload.bucket, key: upload.key, versionId: versionIdOf(upload.bucket, headers) });
  }

  return (upload, source) =>
    retrying(WRITE_ATTEMPTS, upload.signal, async (attempt) => {
      if (attempt === 1 && condition === "kept" && isLikelyNew) {
        const headers = await putIfNew(wire, upload, source);
        if (headers !== undefined) return stored(wire, upload, source, headers);
      }
      const latest = await headVersion(wire, upload.bucket, upload.key, undefined, upload.signal);
      isLikelyNew = latest === undefined;
      if (latest !== undefined && isSameWrite(latest, upload, source.content)) return latest;
      const info = await stored(wire, upload, source, await put(wire, upload, source));
      if (condition === "untried" && info.size <= MOST_PROBE_BYTES) await probe(upload, source).catch(() => undefined);
      return info;
    });
}

/** Undefined when the key exists. */
async function putIfNew(wire: Wire, upload: Upload, source: SourceFile): Promise<S3Response["headers"] | undefined> {
  try {
    return await put(wire, upload, source, { "if-none-match": "*" });
  } catch (error) {
    if (error instanceof S3Failure && error.status === 412) return undefined;
    throw error;
  }
}

function put(
  wire: Wire,
  upload: Upload,
  { content, lend }: SourceFile,
  condition: Readonly<Record<string, string>> = {},
): Promise<S3Response["headers"]> {
  const { bucket, key, signal } = upload;
  return lend((bytes) =>
    wire.command({
      method: "PUT",
      bucket,
      key,
      headers: { ...metadataHeaders(upload, content), "content-md5": Buffer.from(content.md5, "hex").toString("base64") },
      unsignedHeaders: condition,
      body: { content: bytes, size: content.size },
      signal,
    }),
  );
}

async function stored(wire: Wire, upload: Upload, { content }: SourceFile, headers: S3Response["headers"]): Promise<ObjectInfo> {
  const { bucket, key, mediaType, run, storedAt, onSent } = upload;
  const versionId = versionIdOf(bucket, headers);
  const etag = headers["etag"]?.replaceAll('"', "") ?? "";
  const isEncrypted = headers["x-amz-server-side-encryption"] !== undefined;
  // Servers that encrypt, or are told to, answer something else than the md5; the hashes they were sent with still hold.
  if (/^[0-9a-f]{32}$/u.test(etag) && etag !== content.md5 && !isEncrypted) {
    await deleteVersion(wire, { bucket, key, versionId });
    throw new EdaError("terminal", "hash-mismatch", `The object store kept other bytes of ${bucket}/${printable(key)} than it was sent.`, {
      todo: "Check the object store's disks and memory, then run again.",
    });
  }
  onSent(content.size);
  return { bucket, key, versionId, ...content, mediaType, run, storedAt };
}
