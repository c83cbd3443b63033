/**
 * Copying every version of every object. Both stores list by key, so the two listings are walked side by side; what an interrupted copy
 * brought over is known by the run and the content of each version, in their order, and needs no notes of its own.
 */
import type { MigratedVersion } from "../../adapters/postgres/migrated-versions.ts";
import { EdaError, throwIfAborted } from "../../domain/errors.ts";
import { printable } from "../../domain/printable.ts";
import { BUCKETS, type BucketName } from "../../domain/stage.ts";
import type { ObjectInfo, ObjectStore } from "../../ports/object-store.ts";

/** Keys at work at the same time; the versions of one key go in their order. */
const CONCURRENT_KEYS = 8;
/** Versions whose new ids are written down together. */
const RECORDED_TOGETHER = 500;
const NAMED_STRANGERS = 3;

/** A key's versions here and there, oldest first. */
interface KeyPair {
  readonly source: readonly ObjectInfo[];
  readonly target: readonly ObjectInfo[];
}

export interface ObjectSurvey {
  readonly versions: number;
  readonly bytes: number;
  /** Of these, there already. */
  readonly copiedBytes: number;
}

/** @throws EdaError `precondition` `target-not-empty` when the target holds what is not of the source */
export async function surveyObjects(source: ObjectStore, target: ObjectStore, signal: AbortSignal): Promise<ObjectSurvey> {
  let [versions, bytes, copiedBytes] = [0, 0, 0];
  const strangers: ObjectInfo[] = [];
  for await (const pair of allPairs(source, target)) {
    throwIfAborted(signal);
    versions += pair.source.length;
    bytes += sizeOf(pair.source);
    const strange = pair.target.slice(copiedOf(pair).length);
    strangers.push(...strange);
    copiedBytes += sizeOf(pair.target) - sizeOf(strange);
    if (strangers.length >= NAMED_STRANGERS) break;
  }
  if (strangers.length > 0) throw notEmpty(strangers);
  return { versions, bytes, copiedBytes };
}

export interface CopyOptions {
  readonly source: ObjectStore;
  readonly target: ObjectStore;
  readonly signal: AbortSignal;
  /** Idempotent. */
  readonly record: (versions: readonly MigratedVersion[]) => Promise<void>;
  readonly onBytes: (bytes: number, key: string) => void;
}

/** After {@link surveyObjects}. What is there already is only recorded again. */
export async function copyObjects({ source, target, signal, record, onBytes }: CopyOptions): Promise<void> {
  let moved: MigratedVersion[] = [];
  const writeDown = async () => {
    const group = moved;
    moved = [];
    await record(group);
  };
  const copyKey = async (pair: KeyPair) => {
    const copied = copiedOf(pair);
    for (const [index, info] of pair.source.entries()) {
      throwIfAborted(signal);
      const { versionId: storedId } = copied[index] ?? (await copyVersion(source, target, info, signal, onBytes));
      moved.push({ bucket: info.bucket, key: info.key, versionId: info.versionId, storedId });
    }
    if (moved.length >= RECORDED_TOGETHER) await writeDown();
  };
  await forEachOf(allPairs(source, target), CONCURRENT_KEYS, copyKey);
  await writeDown();
}

/** The source's files are its own: they are read, and checked against what it says of them. */
async function copyVersion(
  source: ObjectStore,
  target: ObjectStore,
  info: ObjectInfo,
  signal: AbortSignal,
  onBytes: CopyOptions["onBytes"],
): Promise<ObjectInfo> {
  const { bucket, key, mediaType, run, size, md5, sha256 } = info;
  const expected = { size, md5, sha256 };
  const file = await source.materialize(info, expected, "", signal);
  return target.put({ bucket, key, file, expected, mediaType, run, signal, onBytes: (bytes) => onBytes(bytes, `${bucket}/${key}`) });
}

/** The target's first versions of a key that are the source's first ones. */
function copiedOf({ source, target }: KeyPair): readonly ObjectInfo[] {
  const different = target.findIndex((info, index) => info.run !== source[index]?.run || info.sha256 !== source[index]?.sha256);
  return different === -1 ? target : target.slice(0, different);
}

async function* allPairs(source: ObjectStore, target: ObjectStore): AsyncGenerator<KeyPair, void, undefined> {
  for (const bucket of BUCKETS) yield* pairs(keysOf(source, bucket), keysOf(target, bucket));
}

async function* pairs(
  source: AsyncGenerator<readonly ObjectInfo[], void, undefined>,
  target: AsyncGenerator<readonly ObjectInfo[], void, undefined>,
): AsyncGenerator<KeyPair, void, undefined> {
  let [ours, theirs] = [await source.next(), await target.next()];
  while (ours.done !== true || theirs.done !== true) {
    const order = ours.done === true ? 1 : theirs.done === true ? -1 : compareKeys(ours.value, theirs.value);
    const pair = { source: order <= 0 ? (ours.value ?? []) : [], target: order >= 0 ? (theirs.value ?? []) : [] };
    if (order <= 0) ours = await source.next();
    if (order >= 0) theirs = await target.next();
    yield pair;
  }
}

async function* keysOf(store: ObjectStore, bucket: BucketName): AsyncGenerator<readonly ObjectInfo[], void, undefined> {
  let group: ObjectInfo[] = [];
  for await (const info of store.versions(bucket, "")) {
    if (group.length > 0 && group[0]?.key !== info.key) {
      yield group;
      group = [];
    }
    group.push(info);
  }
  if (group.length > 0) yield group;
}

function compareKeys([a]: readonly ObjectInfo[], [b]: readonly ObjectInfo[]): number {
  return Buffer.compare(Buffer.from(a?.key ?? ""), Buffer.from(b?.key ?? ""));
}

function sizeOf(infos: readonly ObjectInfo[]): number {
  return infos.reduce((sum, { size }) => sum + size, 0);
}

/** At most so many at a time; the first failure ends it once those at work have ended. */
async function forEachOf<T>(items: AsyncIterable<T>, atOnce: number, work: (item: T) => Promise<void>): Promise<void> {
  const working = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  for await (const item of items) {
    if (failure !== undefined) break;
    const one = work(item)
      .catch((error: unknown) => {
        failure ??= { error };
      })
      .finally(() => working.delete(one));
    working.add(one);
    if (working.size >= atOnce) await Promise.race(working);
  }
  await Promise.all(working);
  if (failure !== undefined) throw failure.error;
}

function notEmpty(strangers: readonly ObjectInfo[]): EdaError {
  const names = strangers.slice(0, NAMED_STRANGERS).map(({ bucket, key }) => `${bucket}/${printable(key)}`);
  return new EdaError("precondition", "target-not-empty", `The object store holds other data: ${names.join(", ")} …`, {
    todo: "Move to a server whose buckets hold nothing else, or remove these objects if nobody needs them. Nothing was changed.",
  });
}
