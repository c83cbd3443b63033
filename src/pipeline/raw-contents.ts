/** The contents of raw files: read once each, stored once however many files have them. */
import { join } from "node:path";
import pLimit, { type LimitFunction } from "p-limit";
import type { OutputObject } from "../domain/asset.ts";
import { EdaError, type ErrorKind, toEdaError } from "../domain/errors.ts";
import { objectKey } from "../domain/names.ts";
import { printable } from "../domain/printable.ts";
import type { PreparedObject, PutRequest } from "../ports/object-store.ts";
import { inBatches } from "./batches.ts";
import { rowsByContent } from "./earlier-contents.ts";
import { objectFields } from "./outputs.ts";
import { type RawFile, rawFolder } from "./raw-folder.ts";
import { mediaTypeOf, type RawRow } from "./raw-rows.ts";
import type { StageContext, UnitResult, UnitResults } from "./stage-definition.ts";

/** Files read at the same time. More than the thread pool's four only queue, a few more hide latency. */
const CONCURRENT_READS = 8;
/** Contents stored at the same time: a store's latency is hidden by more of them. */
const CONCURRENT_WRITES = 32;

export interface PlannedFile extends RawFile {
  /** See {@link PutRequest}. */
  readonly isLikelyNew?: boolean;
}

export interface PreparedFile extends PreparedObject {
  readonly file: PlannedFile;
}

type Failure = NonNullable<UnitResult["failures"]>[number];

interface PreparedFiles {
  readonly prepared: readonly PreparedFile[];
  readonly failures: readonly Failure[];
}

export interface StoredFiles {
  /** In the order they were asked for. */
  readonly files: readonly { readonly file: PlannedFile; readonly object: OutputObject }[];
  /** Objects that did not exist before. */
  readonly written: readonly OutputObject[];
  readonly failures: readonly Failure[];
}

/** Files that are looked up at once: a database is asked less often, and what is prepared can be held. */
const GROUP_LIMITS = { files: 64, bytes: 8 * 1024 * 1024 };
/** So that the end of one does not leave the store idle. */
const GROUPS_BEING_STORED = 2;

/**
 * Stores each content that is new, from the first file that has it. Reading and hashing are this machine's work, storing is the store's: both go on
 * at the same time. Nothing is being stored any more when this ends, however it does.
 */
export async function* storeFiles(files: readonly PlannedFile[], earlier: UnitResults, context: StageContext): AsyncGenerator<StoredFiles> {
  const limit = pLimit(CONCURRENT_WRITES);
  const contents = new Map<string, Promise<OutputObject>>();
  const underWay: Promise<StoredFiles>[] = [];
  try {
    for await (const group of prepareFiles(files, context)) {
      const known = await storedContents(group.prepared, earlier, context).catch(async (error: unknown) => {
        await discardAll(group.prepared);
        throw error;
      });
      const storing = storeGroup(group, known, contents, limit);
      // Its failure is met when it is this group's turn.
      storing.catch(() => undefined);
      underWay.push(storing);
      if (underWay.length === GROUPS_BEING_STORED) yield await (underWay.shift() as Promise<StoredFiles>);
    }
    for (const storing of underWay.splice(0)) yield await storing;
  } finally {
    await Promise.allSettled(underWay);
  }
}

/** Reads every file once, in groups, each while its consumer is at work with the one before. A group that was never asked for is discarded. */
async function* prepareFiles(files: readonly PlannedFile[], context: StageContext): AsyncGenerator<PreparedFiles> {
  const total = files.reduce((bytes, file) => bytes + file.size, 0);
  let done = 0;
  const onBytes = (file: PlannedFile, bytes: number) => {
    done += bytes;
    context.progress({ done, total, unit: "bytes", label: printable(file.path) });
  };
  const groups = inBatches(files, (file) => file.size, GROUP_LIMITS).values();
  const start = () => {
    const group = groups.next().value;
    const preparing = group === undefined ? undefined : prepareGroup(group, context, onBytes);
    preparing?.catch(() => undefined);
    return preparing;
  };
  let ahead = start();
  try {
    while (ahead !== undefined) {
      const group: PreparedFiles = await ahead;
      ahead = start();
      yield group;
    }
  } finally {
    const { prepared = [] } = (await ahead?.catch(() => undefined)) ?? {};
    await discardAll(prepared);
  }
}

async function discardAll(files: readonly PreparedFile[]): Promise<void> {
  await Promise.all(files.map((file) => file.discard()));
}

async function prepareGroup(
  files: readonly PlannedFile[],
  context: StageContext,
  onBytes: (file: PlannedFile, bytes: number) => void,
): Promise<PreparedFiles> {
  const limit = pLimit(CONCURRENT_READS);
  let stopped: EdaError | undefined;
  const attempt = async (file: PlannedFile): Promise<PreparedFile | Failure | undefined> => {
    if (stopped !== undefined) return undefined;
    try {
      return await prepareFile(file, context, (bytes) => onBytes(file, bytes));
    } catch (error) {
      const failure = toEdaError(error);
      if (isAboutTheRun(failure)) stopped = failure;
      return { name: file.path, message: failure.message };
    }
  };
  const attempts = (await Promise.all(files.map((file) => limit(attempt, file)))).filter((each) => each !== undefined);
  const prepared = attempts.filter((each) => "content" in each);
  if (stopped !== undefined) {
    await discardAll(prepared);
    throw stopped;
  }
  return { prepared, failures: attempts.filter((each) => "message" in each) };
}

const KINDS_OF_THE_RUN: readonly ErrorKind[] = ["cancelled", "unavailable", "transient", "precondition"];

/** What is about the whole run (cancelled, store away, shaky or refusing, disk full) stops it; what is about one file lets the others go on. */
function isAboutTheRun({ kind, code }: EdaError): boolean {
  return KINDS_OF_THE_RUN.includes(kind) || code === "disk-full" || code === "not-writable";
}

async function prepareFile(file: PlannedFile, context: StageContext, onBytes: (bytes: number) => void): Promise<PreparedFile> {
  const prepared = await context.services.objects.prepare({
    bucket: "raw-data",
    key: objectKey(context.request.project, file.path),
    file: join(rawFolder(context.services.workspace, context.request.project), file.diskPath),
    size: file.size,
    mediaType: mediaTypeOf(file.path),
    run: context.request.run,
    isLikelyNew: file.isLikelyNew === true,
    signal: context.signal,
    onBytes,
  });
  if (prepared.content.size === file.size) return { file, ...prepared };
  await prepared.discard();
  throw new EdaError("terminal", "file-changed", "it changed while it was read: wait until nothing writes to it");
}

/** Contents that need no upload: a current row holds them, or an earlier unit of this run stored them. By sha256. */
async function storedContents(
  files: readonly PreparedFile[],
  earlier: UnitResults,
  context: StageContext,
): Promise<Map<string, OutputObject>> {
  const wanted = new Set(files.map((file) => file.content.sha256));
  const known = await context.services.inventory.findByContent("raw", context.request.project, [...wanted]);
  const stored = new Map([...known].map(([sha256, row]) => [sha256, objectOf(row)]));
  const ours = rowsByContent(earlier);
  for (const sha256 of wanted) {
    const row = ours.get(sha256);
    if (row !== undefined) stored.set(sha256, objectOf(row));
  }
  return stored;
}

/** @param contents by sha256, of all groups so far: those that are new to the store are added */
async function storeGroup(
  { prepared, failures }: PreparedFiles,
  known: ReadonlyMap<string, OutputObject>,
  contents: Map<string, Promise<OutputObject>>,
  limit: LimitFunction,
): Promise<StoredFiles> {
  const firsts: Promise<OutputObject>[] = [];
  const objects = prepared.map((file): OutputObject | Promise<OutputObject> => {
    const { sha256 } = file.content;
    const stored = known.get(sha256) ?? contents.get(sha256);
    if (stored !== undefined) return stored;
    const first = limit(async () => {
      const info = await file.commit();
      return { ...objectFields(info), role: "data" as const, mediaType: info.mediaType };
    });
    contents.set(sha256, first);
    firsts.push(first);
    return first;
  });
  try {
    // Waits for all of them also when one fails: nothing may still be stored while the run is rolled back.
    await Promise.allSettled(objects);
    const written = await Promise.all(firsts);
    return {
      files: await Promise.all(prepared.map(async ({ file }, index) => ({ file, object: await (objects[index] as OutputObject) }))),
      written: written.sort((a, b) => (a.key < b.key ? -1 : 1)),
      failures,
    };
  } finally {
    await discardAll(prepared);
  }
}

function objectOf(row: RawRow): OutputObject {
  return { ...objectFields(row), role: row.role, mediaType: row.mediaType };
}
