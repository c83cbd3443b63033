/** The contents of raw files: read once each, stored once however many files have them. */
import { join } from "node:path";
import pLimit from "p-limit";
import type { OutputObject } from "../domain/asset.ts";
import { EdaError, type ErrorKind, toEdaError } from "../domain/errors.ts";
import { objectKey } from "../domain/names.ts";
import { printable } from "../domain/printable.ts";
import type { PreparedObject, PutRequest } from "../ports/object-store.ts";
import { objectFields } from "./outputs.ts";
import { type RawFile, rawFolder } from "./raw-folder.ts";
import { mediaTypeOf, type RawRow } from "./raw-rows.ts";
import type { StageContext, UnitResult, UnitResults } from "./stage-definition.ts";

/** Files read or stored at the same time. More than the thread pool's four only queue, a few more hide latency. */
const CONCURRENT_FILES = 8;

export interface PlannedFile extends RawFile {
  /** See {@link PutRequest}. */
  readonly isLikelyNew?: boolean;
}

export interface PreparedFile extends PreparedObject {
  readonly file: PlannedFile;
}

type Failure = NonNullable<UnitResult["failures"]>[number];

export interface PreparedFiles {
  readonly prepared: readonly PreparedFile[];
  readonly failures: readonly Failure[];
}

/** Files that are prepared while those before them are stored: enough to keep both busy, few enough to be held. */
const GROUP_FILES = 64;

/**
 * Reads every file once, in groups, each while its consumer is at work with the one before: reading and hashing are this machine's work,
 * storing is the store's. The consumer ends what it was given; a group that it never asked for is discarded.
 */
export async function* prepareFiles(files: readonly PlannedFile[], context: StageContext): AsyncGenerator<PreparedFiles> {
  const total = files.reduce((bytes, file) => bytes + file.size, 0);
  let done = 0;
  const onBytes = (file: PlannedFile, bytes: number) => {
    done += bytes;
    context.progress({ done, total, unit: "bytes", label: printable(file.path) });
  };
  const start = (from: number) => {
    const group = files.slice(from, from + GROUP_FILES);
    const preparing = group.length === 0 ? undefined : prepareGroup(group, context, onBytes);
    // Its failure is met when it is this group's turn.
    preparing?.catch(() => undefined);
    return preparing;
  };
  let ahead = start(0);
  try {
    for (let from = GROUP_FILES; ahead !== undefined; from += GROUP_FILES) {
      const group: PreparedFiles = await ahead;
      ahead = start(from);
      yield group;
    }
  } finally {
    const { prepared = [] } = (await ahead?.catch(() => undefined)) ?? {};
    await discardAll(prepared);
  }
}

export async function discardAll(files: readonly PreparedFile[]): Promise<void> {
  await Promise.all(files.map((file) => file.discard()));
}

async function prepareGroup(
  files: readonly PlannedFile[],
  context: StageContext,
  onBytes: (file: PlannedFile, bytes: number) => void,
): Promise<PreparedFiles> {
  const limit = pLimit(CONCURRENT_FILES);
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
export async function storedContents(
  files: readonly PreparedFile[],
  earlier: UnitResults,
  context: StageContext,
): Promise<Map<string, OutputObject>> {
  const wanted = new Set(files.map((file) => file.content.sha256));
  const known = await context.services.inventory.findByContent("raw", context.request.project, [...wanted]);
  const stored = new Map([...known].map(([sha256, row]) => [sha256, objectOf(row)]));
  for (const result of Object.values(earlier)) {
    for (const row of result.rows) if (wanted.has(row.sha256)) stored.set(row.sha256, objectOf(row));
  }
  return stored;
}

/** Stores each content that is new, from the first file that has it, and adds it to those stored. */
export async function storeNewContents(files: readonly PreparedFile[], stored: Map<string, OutputObject>): Promise<OutputObject[]> {
  const limit = pLimit(CONCURRENT_FILES);
  const firsts = new Map<string, PreparedFile>();
  for (const file of files) {
    const { sha256 } = file.content;
    if (!stored.has(sha256) && !firsts.has(sha256)) firsts.set(sha256, file);
  }
  // Waits for all of them also when one fails: nothing may still be stored while the run is rolled back.
  const commits = await Promise.allSettled([...firsts.values()].map((file) => limit(() => file.commit())));
  const written = commits.map((commit): OutputObject => {
    if (commit.status === "rejected") throw commit.reason;
    return { ...objectFields(commit.value), role: "data", mediaType: commit.value.mediaType };
  });
  for (const object of written) stored.set(object.sha256, object);
  return written.sort((a, b) => (a.key < b.key ? -1 : 1));
}

function objectOf(row: RawRow): OutputObject {
  return { ...objectFields(row), role: row.role, mediaType: row.mediaType };
}
