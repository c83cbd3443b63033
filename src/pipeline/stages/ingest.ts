/** Stage 2: from `eda/raw-data/<project>/` to bucket `raw-data`: hashes, uniqueness, upload, verification, provenance. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import mime from "mime-types";
import pLimit from "p-limit";
import { type InputAsset, localUri, objectUri, type OutputObject } from "../../domain/asset.ts";
import { EdaError, type ErrorDetails, toEdaError } from "../../domain/errors.ts";
import { RAW_DATA_FOLDER } from "../../domain/governed.ts";
import type { StoredInventoryRow } from "../../domain/inventory.ts";
import type { JsonObject } from "../../domain/json.ts";
import { objectKey, printable } from "../../domain/names.ts";
import type { CapturedFile, StatCacheEntry } from "../../ports/inventory.ts";
import { inBatches } from "../batches.ts";
import { hashFile } from "../outputs.ts";
import { assertReadable, type RawFile, walkRawFolder } from "../raw-folder.ts";
import type { StageContext, StageDefinition, Unit, UnitResult, UnitResults } from "../stage-definition.ts";

/** Concurrent hashes and uploads of a unit. More than the thread pool's four only queues, a few more hide latency. */
const CONCURRENT_FILES = 8;

interface HashedFile extends StatCacheEntry {
  readonly diskPath: string;
}

type NewRow = UnitResult["rows"][number];

export const ingestStage: StageDefinition = {
  id: "ingest",

  async plan(context) {
    const { inventory } = context.services;
    const project = context.request.project;
    const root = rawFolder(context);
    await mkdir(root, { recursive: true });
    const [folder, cache] = await Promise.all([walkRawFolder(root, context.signal), inventory.statCache(project)]);
    if (folder.files.length === 0 && folder.unreadable.length === 0) {
      throw new EdaError("terminal", "no-raw-files", `There is no file in ${RAW_DATA_FOLDER}/${project}.`, {
        todo: `Capture the data first: eda run capture --project ${project}`,
      });
    }
    const changed = folder.files.filter((file) => context.request.force || !isUnchanged(file, cache.get(file.path)));
    await refuseUnreadable(root, project, folder.unreadable, changed);
    refuseCollisions(project, folder.files);
    for (const file of changed) objectKey(project, file.path);
    return {
      inputs: changed.map(
        (file): InputAsset => ({ uri: `local:${RAW_DATA_FOLDER}/${project}/${file.path}`, name: file.path, size: file.size, sha256: null }),
      ),
      code: [],
      config: {},
      units: inBatches(changed, (file) => file.size).map(
        (batch, index): Unit => ({ id: `files-${index}`, label: `${batch.length} file(s)`, data: { files: batch.map((file) => ({ ...file })) } }),
      ),
      nothingToDo: changed.length === 0,
      notices: folder.refused.map(({ path, reason }) => `refused: ${printable(path)}: ${reason}`),
    };
  },

  async execute(unit, earlier, context) {
    const files = unit.data.files as unknown as RawFile[];
    const hashed = await hashAll(files, context);
    const stored = await storedContents(hashed, earlier, context);
    const captured = await capturedByPath(context);
    const written: OutputObject[] = [];
    const limit = pLimit(CONCURRENT_FILES);
    const total = hashed.reduce((bytes, file) => bytes + file.size, 0);
    let done = 0;
    const newContents = new Map<string, HashedFile>();
    for (const file of hashed) if (!stored.has(file.sha256) && !newContents.has(file.sha256)) newContents.set(file.sha256, file);
    await Promise.all(
      [...newContents.values()].map((file) =>
        limit(async () => {
          const object = await upload(file, context);
          stored.set(file.sha256, object);
          written.push(object);
          done += file.size;
          context.progress({ done, total, unit: "bytes", label: printable(file.path) });
        }),
      ),
    );
    written.sort((a, b) => (a.key < b.key ? -1 : 1));
    const rows: NewRow[] = [];
    const edges: { from: string; to: string }[] = [];
    for (const file of hashed) {
      const object = stored.get(file.sha256) as OutputObject;
      const origin = captured.get(file.path);
      if (origin !== undefined && origin.sha256 !== file.sha256) {
        context.log("warn", `${printable(file.path)} was changed here after it was captured: its Drive origin is not claimed`);
      }
      rows.push(rawRow(file, object, origin));
      edges.push({ from: localUri(`${RAW_DATA_FOLDER}/${context.request.project}/${file.path}`, file.sha256), to: objectUri(object) });
    }
    return { written, rows, edges, statCache: hashed.map(({ diskPath: _, ...entry }) => entry) };
  },

  async conclude(results, context) {
    const rows = Object.values(results).flatMap((result) => result.rows);
    const untouched: StoredInventoryRow[] = [];
    const changed = new Set(rows.map((row) => row.name));
    for await (const row of context.services.inventory.currentRows("raw", context.request.project)) {
      if (!changed.has(row.name)) untouched.push(row);
    }
    return assignHolders(rows, untouched);
  },
};

/**
 * One row of equal content holds the object, the others are its aliases: an untouched row that holds it already, else the first by
 * name. Untouched aliases whose holder moved on to other content are registered again.
 */
export function assignHolders(rows: readonly NewRow[], untouched: readonly StoredInventoryRow[]): NewRow[] {
  const holders = new Map<string, string>();
  for (const row of untouched) if (row.aliasOf === null) holders.set(row.sha256, row.name);
  const orphaned = untouched.filter((row) => row.aliasOf !== null && holders.get(row.sha256) !== row.aliasOf);
  const candidates = [...rows, ...orphaned.map(withoutHistory)].sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const row of candidates) if (!holders.has(row.sha256)) holders.set(row.sha256, row.name);
  return candidates.map((row) => {
    const holder = holders.get(row.sha256) as string;
    return { ...row, aliasOf: holder === row.name ? null : holder };
  });
}

function withoutHistory({ inventory, name, role, mediaType, rows, aliasOf, details, ...content }: StoredInventoryRow): NewRow {
  return { ...objectFields(content), inventory, name, role, mediaType, rows, aliasOf, details };
}

function rawFolder(context: StageContext): string {
  return join(context.services.workspace, RAW_DATA_FOLDER, context.request.project);
}

function isUnchanged(file: RawFile, known: StatCacheEntry | undefined): boolean {
  return (
    known !== undefined &&
    known.size === file.size &&
    known.mtimeNs === file.mtimeNs &&
    known.ctimeNs === file.ctimeNs &&
    known.inode === file.inode
  );
}

/** All unreadable files are found before anything is stored, so that one message names them all. */
async function refuseUnreadable(
  root: string,
  project: string,
  found: readonly { readonly path: string; readonly reason: string }[],
  files: readonly RawFile[],
): Promise<void> {
  const unreadable = [...found];
  const limit = pLimit(CONCURRENT_FILES);
  await Promise.all(
    files.map((file) =>
      limit(() => assertReadable(root, file)).catch((error: unknown) => {
        unreadable.push({ path: file.path, reason: toEdaError(error).message });
      }),
    ),
  );
  if (unreadable.length === 0) return;
  throw new EdaError("terminal", "unreadable-files", `${unreadable.length} raw file(s) cannot be read; nothing was ingested.`, {
    todo: "Make them readable for the user that runs eda, or move them away.",
    findings: unreadable.map(({ path, reason }) => ({
      message: `${printable(path)}: ${reason}`,
      at: { file: `${RAW_DATA_FOLDER}/${project}/${path}` },
    })),
  });
}

/** Two spellings (NFC and NFD) of one name would be one object key. */
function refuseCollisions(project: string, files: readonly RawFile[]): void {
  const pairs = files.filter((file, index) => index > 0 && files[index - 1]?.path === file.path);
  if (pairs.length === 0) return;
  const details: ErrorDetails = {
    todo: "Rename one of each pair: they differ only in how accents are encoded (NFC and NFD).",
    findings: pairs.map((file) => ({ message: printable(file.path), at: { file: `${RAW_DATA_FOLDER}/${project}/${file.path}` } })),
  };
  throw new EdaError("terminal", "name-collision", `${pairs.length} raw file name(s) exist twice.`, details);
}

async function hashAll(files: readonly RawFile[], context: StageContext): Promise<HashedFile[]> {
  const limit = pLimit(CONCURRENT_FILES);
  const root = rawFolder(context);
  return Promise.all(
    files.map(({ path, diskPath, size, mtimeNs, ctimeNs, inode }) =>
      limit(async () => {
        const hash = await hashFile(join(root, diskPath), context.signal);
        if (hash.size !== size) {
          throw new EdaError("transient", "file-changed", `${printable(path)} changed while it was read.`, {
            todo: "Wait until nothing writes to it and run again.",
          });
        }
        return { path, diskPath, size, mtimeNs, ctimeNs, inode, md5: hash.md5, sha256: hash.sha256 };
      }),
    ),
  );
}

/** Contents that need no upload: a current row holds them, or an earlier unit of this run stored them. By sha256. */
async function storedContents(files: readonly HashedFile[], earlier: UnitResults, context: StageContext): Promise<Map<string, OutputObject>> {
  const wanted = new Set(files.map((file) => file.sha256));
  const known = await context.services.inventory.findByContent("raw", context.request.project, [...wanted]);
  const stored = new Map([...known].map(([sha256, row]) => [sha256, objectOf(row)]));
  for (const result of Object.values(earlier)) {
    for (const row of result.rows) if (wanted.has(row.sha256)) stored.set(row.sha256, objectOf(row));
  }
  return stored;
}

async function capturedByPath(context: StageContext): Promise<Map<string, CapturedFile>> {
  const captured = await context.services.inventory.captured(context.request.project);
  return new Map([...captured.values()].map((file) => [file.path, file]));
}

async function upload(file: HashedFile, context: StageContext): Promise<OutputObject> {
  const { size, md5, sha256 } = file;
  const info = await context.services.objects.put({
    bucket: "raw-data",
    key: objectKey(context.request.project, file.path),
    file: join(rawFolder(context), file.diskPath),
    expected: { size, md5, sha256 },
    mediaType: mediaTypeOf(file.path),
    run: context.request.run,
    signal: context.signal,
  });
  return { ...objectFields(info), role: "data", mediaType: info.mediaType };
}

function rawRow(file: HashedFile, object: OutputObject, origin: CapturedFile | undefined): NewRow {
  const details: JsonObject = {
    modificado_em: new Date(Number(BigInt(file.mtimeNs) / 1_000_000n)).toISOString(),
    origem: origin === undefined || origin.sha256 !== file.sha256 ? null : driveOrigin(origin),
  };
  return {
    ...objectFields(object),
    inventory: "raw",
    name: file.path,
    role: "data",
    mediaType: mediaTypeOf(file.path),
    rows: null,
    aliasOf: null,
    details,
  };
}

function driveOrigin(file: CapturedFile): JsonObject {
  return {
    drive_id: file.driveId,
    versao: file.driveVersion,
    dono: file.owner,
    nome: file.driveName,
    modificado_em: file.modifiedAt,
    captura: file.run,
  };
}

function objectOf(row: NewRow): OutputObject {
  return { ...objectFields(row), role: row.role, mediaType: row.mediaType };
}

function objectFields<T extends Pick<OutputObject, "bucket" | "key" | "versionId" | "size" | "md5" | "sha256">>(from: T) {
  const { bucket, key, versionId, size, md5, sha256 } = from;
  return { bucket, key, versionId, size, md5, sha256 };
}

function mediaTypeOf(path: string): string {
  if (path.endsWith(".parquet")) return "application/vnd.apache.parquet";
  return mime.lookup(path) || "application/octet-stream";
}
