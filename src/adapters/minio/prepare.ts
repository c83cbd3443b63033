/** The way of a file into the store: its content becomes known, is taken in as far as that goes, and becomes a version on commit. */
import type { FileHandle } from "node:fs/promises";
import type { ContentHash } from "../../domain/asset.ts";
import { throwIfAborted } from "../../domain/errors.ts";
import type { ObjectInfo, PreparedObject, PutRequest } from "../../ports/object-store.ts";
import { fileChanged, fill, openSource, sizeOf } from "./local-file.ts";
import { openAllowance } from "./memory.ts";
import { assertSame } from "./metadata.ts";
import { type PartsTools, sendInParts } from "./multipart-upload.ts";
import { createPassMeter, type PassMeter } from "./progress.ts";
import { retrying, WRITE_ATTEMPTS } from "./retry.ts";
import { createSingleUpload } from "./single-upload.ts";
import { readSource } from "./source-file.ts";
import { createTurns } from "./upload.ts";
import { isSameWrite, type Upload } from "./upload-request.ts";
import { assertKey, headVersion } from "./versions.ts";

/** Of all files that were read and wait to be sent. */
const KEPT_BYTES = 32 * 1024 * 1024;

export type Prepare = (request: PutRequest) => Promise<PreparedObject>;

/** What is known and taken in; see {@link PreparedObject}. */
interface Taken {
  readonly content: ContentHash;
  /** Makes it a version. */
  store(): Promise<ObjectInfo>;
  /** Idempotent. */
  release(): Promise<void>;
}

export function createPreparation(tools: PartsTools): Prepare {
  const { wire, hashing, blocks } = tools;
  const memory = { hashing, blocks, kept: openAllowance(KEPT_BYTES) };
  const storeInOne = createSingleUpload(wire);
  const inTurn = createTurns(wire);

  /** Goes in one request. Undefined when the file has become longer. */
  async function takeSmall(upload: Upload, size: number, meter: PassMeter): Promise<Taken | undefined> {
    const source = await readSource(memory, { ...upload, onRead: meter.advance }, size);
    if (source === undefined) return undefined;
    const { content } = source;
    return {
      content,
      store: () => inTurn(upload, content, () => storeInOne(upload, source)),
      release: async () => source.release(),
    };
  }

  /** Only read: it may well be a content that the store has. */
  async function takeLarge(upload: Upload, meter: PassMeter): Promise<Taken> {
    await using handle = await openSource(upload.file);
    const content = await hashFile(handle, upload.signal, meter);
    const store = async () => {
      const latest = await latestOf(upload);
      if (latest !== undefined && isSameWrite(latest, upload, content)) return latest;
      const sent = await sendInParts(tools, upload, () => undefined);
      if (sent.content.sha256 === content.sha256) return sent.complete();
      await sent.abort();
      throw fileChanged(upload.file);
    };
    return { content, store: () => inTurn(upload, content, store), release: async () => undefined };
  }

  /** Sent while it is read. */
  async function sendLarge(upload: Upload, meter: PassMeter): Promise<Taken> {
    const sent = await sendInParts(tools, upload, meter.advance);
    const { content } = sent;
    const store = async () => {
      const latest = await latestOf(upload);
      if (latest === undefined || !isSameWrite(latest, upload, content)) return sent.complete();
      await sent.abort();
      return latest;
    };
    return { content, store: () => inTurn(upload, content, store), release: sent.abort };
  }

  function hashFile(handle: FileHandle, signal: AbortSignal, meter: PassMeter): Promise<ContentHash> {
    let position = 0;
    return hashing.hashBlocks(async (block) => {
      throwIfAborted(signal);
      const bytes = await fill(handle, block, position);
      position += bytes;
      meter.advance(bytes);
      return bytes;
    });
  }

  const latestOf = ({ bucket, key, signal }: Upload) =>
    retrying(WRITE_ATTEMPTS, signal, () => headVersion(wire, bucket, key, undefined, signal));

  async function take(upload: Upload, size: number, meter: PassMeter, isLikelyNew: boolean): Promise<Taken | undefined> {
    if (size <= blocks.blockBytes) return takeSmall(upload, size, meter);
    // Of the same size: the same run was here before, or the file was only touched.
    const isNew = isLikelyNew && (await latestOf(upload))?.size !== size;
    return isNew ? sendLarge(upload, meter) : takeLarge(upload, meter);
  }

  return async ({ bucket, key, file, size, expected, mediaType, run, signal, onBytes, isLikelyNew = false }) => {
    assertKey(key);
    throwIfAborted(signal);
    const bytes = size ?? (await sizeOf(file));
    const meter = createPassMeter(onBytes, bytes);
    const storedAt = new Date().toISOString();
    const upload: Upload = { bucket, key, file, mediaType, run, storedAt, signal, onSent: meter.advance };
    const taken = await take(upload, bytes, meter, isLikelyNew);
    if (taken === undefined) throw fileChanged(file);
    const release = async () => {
      await taken.release();
      meter.finish();
    };
    if (expected !== undefined) {
      try {
        assertSame(taken.content, expected, `${bucket}/${key}`);
      } catch (error) {
        await taken.release();
        throw error;
      }
    }
    return {
      content: taken.content,
      async commit() {
        const info = await taken.store();
        await release();
        return info;
      },
      discard: release,
    };
  };
}
