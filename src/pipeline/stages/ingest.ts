/** Stage 2: from `eda/raw-data/<project>/` to bucket `raw-data`: hashes, uniqueness, upload, verification, provenance. */
import { mkdir } from "node:fs/promises";
import pLimit from "p-limit";
import { type InputAsset, localUri, objectUri, type OutputObject } from "../../domain/asset.ts";
import { EdaError, type ErrorDetails, toEdaError } from "../../domain/errors.ts";
import { RAW_DATA_FOLDER } from "../../domain/governed.ts";
import type { StoredInventoryRow } from "../../domain/inventory.ts";
import { objectKey } from "../../domain/names.ts";
import { printable } from "../../domain/printable.ts";
import type { StatCacheEntry } from "../../ports/inventory.ts";
import { inBatches } from "../batches.ts";
import { type PlannedFile, storeFiles } from "../raw-contents.ts";
import { assertReadable, type RawFile, rawFolder, walkRawFolder } from "../raw-folder.ts";
import { assignHolders, type RawRow, rawRow, withOrigins } from "../raw-rows.ts";
import type { StageDefinition, Unit } from "../stage-definition.ts";

/** Files looked at at the same time. More than the thread pool's four only queue. */
const CONCURRENT_CHECKS = 8;

/** Smaller ones are read and sent in one go anyway. */
const LARGE_BYTES = 4 * 1024 * 1024;

export const ingestStage: StageDefinition = {
  id: "ingest",

  async plan(context) {
    const { inventory } = context.services;
    const project = context.request.project;
    const root = rawFolder(context.services.workspace, project);
    await mkdir(root, { recursive: true });
    const [folder, cache] = await Promise.all([walkRawFolder(root, context.signal), inventory.statCache(project)]);
    if (folder.files.length === 0 && folder.unreadable.length === 0) {
      throw new EdaError("terminal", "no-raw-files", `There is no file in ${RAW_DATA_FOLDER}/${project}.`, {
        todo: `Capture the data first: eda run capture --project ${project}`,
      });
    }
    const changed = folder.files.filter((file) => context.request.force || !isUnchanged(file, cache.get(file.path)));
    const doubtful = changed.filter((file) => folder.doubtful.has(file.diskPath));
    await refuseUnreadable(root, project, folder.unreadable, doubtful);
    refuseCollisions(project, folder.files);
    for (const file of changed) objectKey(project, file.path);
    return {
      inputs: changed.map(
        (file): InputAsset => ({ uri: `local:${RAW_DATA_FOLDER}/${project}/${file.path}`, name: file.path, size: file.size, sha256: null }),
      ),
      code: [],
      config: {},
      units: inBatches(withNovelty(changed, cache.values()), (file) => file.size).map(
        (batch, index): Unit => ({
          id: `files-${index}`,
          label: `${batch.length} file(s)`,
          data: { files: batch.map((file) => ({ ...file })) },
        }),
      ),
      nothingToDo: changed.length === 0,
      notices: folder.refused.map(({ path, reason }) => `refused: ${printable(path)}: ${reason}`),
    };
  },

  async execute(unit, earlier, context) {
    const files = unit.data.files as unknown as PlannedFile[];
    const written: OutputObject[] = [];
    const failures: { readonly name: string; readonly message: string }[] = [];
    const rows: RawRow[] = [];
    const edges: { from: string; to: string }[] = [];
    const statCache: StatCacheEntry[] = [];
    for await (const group of storeFiles(files, earlier, context)) {
      failures.push(...group.failures);
      written.push(...group.written);
      for (const { file, object } of group.files) {
        const { md5, sha256 } = object;
        rows.push(rawRow(file, object));
        edges.push({ from: localUri(`${RAW_DATA_FOLDER}/${context.request.project}/${file.path}`, sha256), to: objectUri(object) });
        const { diskPath: _, isLikelyNew: __, ...stats } = file;
        statCache.push({ ...stats, md5, sha256 });
      }
    }
    return { written, rows, edges, statCache, failures };
  },

  async conclude(results, context) {
    const rows = await withOrigins(
      Object.values(results).flatMap((result) => result.rows),
      context,
    );
    const untouched: StoredInventoryRow[] = [];
    const changed = new Set(rows.map((row) => row.name));
    for await (const row of context.services.inventory.currentRows("raw", context.request.project)) {
      if (!changed.has(row.name)) untouched.push(row);
    }
    return assignHolders(rows, untouched);
  },
};

function isUnchanged(file: RawFile, known: StatCacheEntry | undefined): boolean {
  return (
    known !== undefined &&
    known.size === file.size &&
    known.mtimeNs === file.mtimeNs &&
    known.ctimeNs === file.ctimeNs &&
    known.inode === file.inode
  );
}

/** A content of a size that no other has is no other's content: a large one need not be read before it is sent. */
function withNovelty(files: readonly RawFile[], known: Iterable<StatCacheEntry>): PlannedFile[] {
  const counts = new Map<number, number>();
  for (const { size } of [...known, ...files]) counts.set(size, (counts.get(size) ?? 0) + 1);
  return files.map((file) => (file.size >= LARGE_BYTES && counts.get(file.size) === 1 ? { ...file, isLikelyNew: true } : file));
}

/** All unreadable files are found before anything is stored, so that one message names them all. */
async function refuseUnreadable(
  root: string,
  project: string,
  found: readonly { readonly path: string; readonly reason: string }[],
  files: readonly RawFile[],
): Promise<void> {
  const unreadable = [...found];
  const limit = pLimit(CONCURRENT_CHECKS);
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
