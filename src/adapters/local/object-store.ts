/**
 * Objects in a folder. A version is a folder of its own, made aside with its bytes and metadata, both safe on disk, and moved into place by one
 * rename: it is there whole or not at all. See object-layout.ts for where it lies.
 *
 * Durability: the bytes, the metadata and the folder that the rename changed are each synchronised before a put answers, so that no
 * inventory row survives a power loss without its object. Puts at the same time share the file system's journal commits: on ext4 it
 * costs a third of the rate of small files.
 *
 * One process writes at a time (the host is one a workspace); any number may read.
 */
import { inGroups } from "../../domain/groups.ts";
import { randomUUID } from "node:crypto";
import { mkdir, open, readdir, rename, rm, rmdir, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { ContentHash, ObjectRef } from "../../domain/asset.ts";
import { EdaError, throwIfAborted } from "../../domain/errors.ts";
import { printable } from "../../domain/printable.ts";
import { BUCKETS, type BucketName } from "../../domain/stage.ts";
import type { ListItem, ListRequest, ObjectInfo, ObjectStore, PreparedObject, PutRequest } from "../../ports/object-store.ts";
import { copyHashed } from "./copy-file.ts";
import { createKeyedLock, type KeyedLock } from "./keyed-lock.ts";
import { assertKey, DATA_FILE, keyFolder, METADATA_FILE } from "./object-layout.ts";
import { isVersionId, nextVersionId, readMetadata, versionIds } from "./object-versions.ts";
import { type Walked, walkKeys } from "./object-walk.ts";
import { openScratchFolder } from "./scratch.ts";
import { isMissing, systemCode, writeFailure } from "./system-errors.ts";

/** Keys whose metadata is read at the same time while listing. */
const CONCURRENT_READS = 32;

/** A folder may vanish between its making and the rename into it, when the last version of a neighbour is removed. */
const RENAME_ATTEMPTS = 20;

interface Folder {
  readonly root: string;
  /** Where versions are made, on the same file system. */
  readonly scratch: string;
  readonly lock: KeyedLock;
}

/**
 * Opens, making it when missing, and removes what killed processes left half-made.
 * @param root folder for buckets; versions in it are read-only files
 * @throws EdaError `terminal` `disk-full` or `not-writable`
 */
export function openFolderStore(root: string): ObjectStore {
  const folder: Folder = { root, scratch: makeScratch(root), lock: createKeyedLock() };
  const prepare = (request: PutRequest) => prepareVersion(folder, request);
  return {
    ensureBuckets: async (buckets) => {
      for (const bucket of buckets) await writing(root, mkdir(join(root, bucket), { recursive: true }));
    },
    prepare,
    put: async (request) => {
      const prepared = await prepare(request);
      try {
        return await prepared.commit();
      } finally {
        await prepared.discard();
      }
    },
    head: (bucket, key, versionId) => head(folder, bucket, key, versionId),
    read: async (ref, signal) => {
      const file = dataFile(folder, ref);
      const handle = await open(file).catch((error: unknown) => {
        throw isMissing(error) ? notFound(ref) : error;
      });
      return handle.createReadStream({ highWaterMark: 1 << 20, ...(signal === undefined ? {} : { signal }) });
    },
    materialize: async (ref, expected) => {
      await assertStored(folder, ref, expected);
      return dataFile(folder, ref);
    },
    removeVersion: (ref) => removeVersion(folder, ref),
    listBuckets: async () => {
      const present = new Set(await readdir(root));
      return BUCKETS.filter((bucket) => present.has(bucket));
    },
    list: (request) => list(folder, request),
    versions: (bucket, prefix) => allVersions(folder, bucket, prefix),
  };
}

function makeScratch(root: string): string {
  try {
    return openScratchFolder(join(root, ".tmp"));
  } catch (error) {
    throw writeFailure(error, root);
  }
}

async function prepareVersion(folder: Folder, request: PutRequest): Promise<PreparedObject> {
  const { bucket, key, expected, signal } = request;
  assertKey(key);
  throwIfAborted(signal);
  const scratch = join(folder.scratch, randomUUID());
  let isCommitted = false;
  const discard = async () => {
    if (!isCommitted) await rm(scratch, { recursive: true, force: true });
  };
  try {
    await mkdir(scratch, { recursive: true });
    const content = await copyHashed(request.file, join(scratch, DATA_FILE), {
      signal,
      mode: 0o444,
      ...(request.onBytes === undefined ? {} : { onBytes: request.onBytes }),
    });
    if (expected !== undefined) assertSame(content, expected, `${bucket}/${key}`);
    return {
      content,
      commit: () =>
        folder.lock(`${bucket}/${key}`, async () => {
          throwIfAborted(signal);
          const info = await writing(folder.root, commitVersion(folder, request, content, scratch));
          isCommitted = true;
          return info;
        }),
      discard,
    };
  } catch (error) {
    await discard();
    throw writeFailure(error, folder.root);
  }
}

async function commitVersion(folder: Folder, request: PutRequest, content: ContentHash, scratch: string): Promise<ObjectInfo> {
  const { bucket, key, mediaType, run } = request;
  const target = join(folder.root, bucket, keyFolder(key));
  const latest = (await versionIds(target)).at(-1);
  if (latest !== undefined) {
    // A version whose metadata is damaged is no obstacle to a new one.
    const info = await readMetadata(target, { bucket, key, versionId: latest }).catch(() => undefined);
    if (info?.run === run && info.sha256 === content.sha256) {
      await rm(scratch, { recursive: true });
      return info;
    }
  }
  const versionId = nextVersionId(latest);
  const info: ObjectInfo = { bucket, key, versionId, ...content, mediaType, run, storedAt: new Date().toISOString() };
  await writeFile(join(scratch, METADATA_FILE), `${JSON.stringify(info)}\n`, { flush: true, mode: 0o444 });
  await moveIntoPlace(scratch, target, versionId);
  return info;
}

async function moveIntoPlace(scratch: string, target: string, versionId: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    await mkdir(target, { recursive: true });
    try {
      await rename(scratch, join(target, versionId));
      break;
    } catch (error) {
      if (systemCode(error) !== "ENOENT" || attempt === RENAME_ATTEMPTS) throw error;
    }
  }
  await using handle = await open(target);
  await handle.sync();
}

async function head({ root }: Folder, bucket: BucketName, key: string, versionId?: string): Promise<ObjectInfo | undefined> {
  assertKey(key);
  const target = join(root, bucket, keyFolder(key));
  const wanted = versionId ?? (await versionIds(target)).at(-1);
  return wanted === undefined || !isVersionId(wanted) ? undefined : readMetadata(target, { bucket, key, versionId: wanted });
}

/** Size and hashes as stored; the bytes themselves are re-read only by verification. */
async function assertStored(folder: Folder, ref: ObjectRef, expected: ContentHash): Promise<void> {
  const info = await head(folder, ref.bucket, ref.key, ref.versionId);
  if (info === undefined) throw notFound(ref);
  const { size } = await stat(dataFile(folder, ref)).catch((error: unknown) => {
    throw isMissing(error) ? notFound(ref) : error;
  });
  assertSame({ size, md5: info.md5, sha256: info.sha256 }, expected, `${ref.bucket}/${ref.key}`);
}

/** Aside first, so that a version is never seen half-removed; then the folders that became empty. */
async function removeVersion(folder: Folder, ref: ObjectRef): Promise<void> {
  assertKey(ref.key);
  if (!isVersionId(ref.versionId)) return;
  const target = join(folder.root, ref.bucket, keyFolder(ref.key));
  const aside = join(folder.scratch, randomUUID());
  try {
    await rename(join(target, ref.versionId), aside);
  } catch (error) {
    if (isMissing(error)) return;
    throw writeFailure(error, folder.root);
  }
  await rm(aside, { recursive: true, force: true });
  for (let path = target; path !== join(folder.root, ref.bucket); path = dirname(path)) {
    try {
      await rmdir(path);
    } catch {
      // Not empty, or gone already.
      return;
    }
  }
}

async function list({ root }: Folder, { bucket, prefix, hierarchical, cursor, limit, signal }: ListRequest) {
  const items: ListItem[] = [];
  const after = cursor === undefined ? undefined : Buffer.from(cursor, "base64url").toString();
  const walked = walkKeys(join(root, bucket), { prefix, hierarchical, ...(after === undefined ? {} : { after }) });
  for await (const group of inGroups(walked, Math.min(CONCURRENT_READS, limit + 1))) {
    signal?.throwIfAborted();
    const found = await Promise.all(group.map((each) => itemOf(bucket, each)));
    for (const item of found) {
      if (item === undefined) continue;
      if (items.length === limit) return { items, cursor: Buffer.from(nameOf(items.at(-1) as ListItem)).toString("base64url") };
      items.push(item);
    }
  }
  return { items };
}

function nameOf(item: ListItem): string {
  return item.type === "prefix" ? item.prefix : item.info.key;
}

/** Undefined for a folder without versions: one being filled or emptied. */
async function itemOf(bucket: BucketName, { type, name, folder }: Walked): Promise<ListItem | undefined> {
  if (type === "prefix") return (await holdsVersions(folder)) ? { type, prefix: name } : undefined;
  const versionId = (await versionIds(folder)).at(-1);
  const info = versionId === undefined ? undefined : await readMetadata(folder, { bucket, key: name, versionId });
  return info === undefined ? undefined : { type, info };
}

async function holdsVersions(folder: string): Promise<boolean> {
  for await (const { folder: keys } of walkKeys(folder, { prefix: "", hierarchical: false })) {
    if ((await versionIds(keys)).length > 0) return true;
  }
  return false;
}

async function* allVersions({ root }: Folder, bucket: BucketName, prefix: string): AsyncGenerator<ObjectInfo> {
  for await (const group of inGroups(walkKeys(join(root, bucket), { prefix, hierarchical: false }), CONCURRENT_READS)) {
    const found = await Promise.all(
      group.map(async ({ name: key, folder }) => {
        const ids = await versionIds(folder);
        return Promise.all(ids.map((versionId) => readMetadata(folder, { bucket, key, versionId })));
      }),
    );
    for (const info of found.flat()) if (info !== undefined) yield info;
  }
}

function dataFile({ root }: Folder, ref: ObjectRef): string {
  assertKey(ref.key);
  if (!isVersionId(ref.versionId)) throw notFound(ref);
  return join(root, ref.bucket, keyFolder(ref.key), ref.versionId, DATA_FILE);
}

function assertSame(found: ContentHash, expected: ContentHash, name: string): void {
  if (found.size === expected.size && found.md5 === expected.md5 && found.sha256 === expected.sha256) return;
  throw new EdaError(
    "terminal",
    "hash-mismatch",
    `${printable(name)} is not the expected content: ${found.size} bytes with sha256 ${found.sha256} instead of ${expected.size} bytes with sha256 ${expected.sha256}.`,
    {
      todo: "Find out what changed the file, then run again.",
    },
  );
}

function notFound({ bucket, key, versionId }: ObjectRef): EdaError {
  return new EdaError("terminal", "object-not-found", `There is no object ${bucket}/${printable(key)} in version ${printable(versionId)}.`);
}

async function writing<T>(root: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw writeFailure(error, root);
  }
}
