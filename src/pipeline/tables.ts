/** What staging, curation and datasets share: tables as inputs of a unit, tables as its outputs. */
import { join } from "node:path";
import { mkdir } from "node:fs/promises";
import { codeUri, type InputAsset, objectUri, type OutputRole } from "../domain/asset.ts";
import { EdaError, toEdaError } from "../domain/errors.ts";
import { projectFilePath } from "../domain/governed.ts";
import type { InventoryRow, StoredInventoryRow } from "../domain/inventory.ts";
import { type JsonObject, sha256Hex } from "../domain/json.ts";
import { objectKey } from "../domain/names.ts";
import { type BucketName, type InventoryId, stageOf } from "../domain/stage.ts";
import type { EngineContext, WrittenTable } from "../ports/engine.ts";
import { storeOutput } from "./outputs.ts";
import type { StageContext, UnitResult, UnitResults } from "./stage-definition.ts";

export const PARQUET = "application/vnd.apache.parquet";

/** An object a unit reads, under the name a person knows: plain, so that it survives a restart. */
export type UnitInput = Pick<InventoryRow, "name" | "bucket" | "key" | "versionId" | "size" | "md5" | "sha256">;

type NewRow = UnitResult["rows"][number];

export function unitInput({ name, bucket, key, versionId, size, md5, sha256 }: UnitInput): UnitInput {
  return { name, bucket, key, versionId, size, md5, sha256 };
}

export function inputAsset(input: UnitInput): InputAsset {
  return { uri: objectUri(input), name: input.name, size: input.size, sha256: input.sha256 };
}

/** A local file with the object's bytes, never to be written to. */
export async function materialize({ bucket, key, versionId, size, md5, sha256 }: UnitInput, context: StageContext): Promise<string> {
  const folder = join(context.workDir, "inputs");
  await mkdir(folder, { recursive: true });
  return context.services.objects.materialize({ bucket, key, versionId }, { size, md5, sha256 }, folder, context.signal);
}

/** The table that an earlier unit of this run made. */
export function madeEarlier(unit: string, earlier: UnitResults): UnitInput {
  const row = earlier[unit]?.rows.find((candidate) => candidate.role === "data");
  if (row === undefined) throw new TypeError(`unit ${unit} has made no table`);
  return unitInput(row);
}

/** Current tables of a stage's inventory. */
export async function currentTables(inventory: InventoryId, context: StageContext): Promise<StoredInventoryRow[]> {
  const rows: StoredInventoryRow[] = [];
  for await (const row of context.services.inventory.currentRows(inventory, context.request.project)) {
    if (row.role === "data") rows.push(row);
  }
  return rows;
}

/** What the engine gets of a unit's context: a folder of its own, and rows as progress. @param total rows expected; 0 when unknown */
export async function engineContext(label: string, total: number, context: StageContext): Promise<EngineContext> {
  const workDir = join(context.workDir, "engine");
  await mkdir(workDir, { recursive: true });
  let done = 0;
  return {
    workDir,
    signal: context.signal,
    onRows: (rows) => {
      done += rows;
      context.progress({ done, total: Math.max(total, done), unit: "rows", label });
    },
  };
}

export interface TableOutput {
  readonly bucket: BucketName;
  readonly inventory: InventoryId;
  /** Name in the inventory. */
  readonly name: string;
  /** Key below the project's prefix. */
  readonly path: string;
  readonly role: OutputRole;
  readonly mediaType: string;
  readonly file: string;
  readonly rows: number | null;
  readonly details: JsonObject;
}

/** Stores a file and makes its row; `written` is empty when the current version already has these bytes. */
export async function storeTable(output: TableOutput, context: StageContext): Promise<{ row: NewRow; written: UnitResult["written"] }> {
  const { bucket, inventory, name, path, role, mediaType, file, rows, details } = output;
  const { object, isNew } = await storeOutput(
    {
      bucket,
      key: objectKey(context.request.project, path),
      file,
      role,
      mediaType,
      ...(rows === null ? {} : { rows }),
      current: { inventory, name },
    },
    context,
  );
  const { key, versionId, size, md5, sha256 } = object;
  const row = { inventory, name, role, mediaType, rows, aliasOf: null, details, bucket, key, versionId, size, md5, sha256 };
  return { row, written: isNew ? [object] : [] };
}

/** Columns as an inventory row keeps them. */
export function columnDetails({ columns }: WrittenTable): JsonObject[] {
  return columns.map(({ name, type }) => ({ nome: name, tipo: type }));
}

/** An edge from everything read to everything made. */
export function edgesBetween(from: readonly string[], to: readonly string[]): UnitResult["edges"] {
  return to.flatMap((made) => from.map((read) => ({ from: read, to: made })));
}

export async function codeFileUri(path: string, context: StageContext): Promise<string> {
  return codeUri(path, sha256Hex(await context.readCode(path)));
}

/** Names that were current and that this run no longer makes. */
export async function namesNoLongerMade(inventory: InventoryId, results: UnitResults, context: StageContext): Promise<string[]> {
  const made = new Set(Object.values(results).flatMap((result) => result.rows.map((row) => row.name)));
  const gone: string[] = [];
  for await (const row of context.services.inventory.currentRows(inventory, context.request.project)) {
    if (!made.has(row.name)) gone.push(row.name);
  }
  return gone;
}

/** @throws EdaError `precondition` `stage-not-configured` located at the project file */
export function notConfigured(section: string, context: StageContext): EdaError {
  const file = projectFilePath(context.request.project);
  return new EdaError("precondition", "stage-not-configured", `${file} has no ${section} section.`, {
    todo: `Add ${section} to it; the editor's schema says what it holds.`,
    at: { file },
  });
}

/** The stage before this one has made nothing yet. */
export function upstreamMissing(context: StageContext): EdaError {
  const { project, stage } = context.request;
  const upstream = stageOf(stage).upstream as string;
  return new EdaError("terminal", "inputs-missing", `Stage ${stage} of ${project} has nothing to read: ${upstream} has not run.`, {
    todo: `Run it first: eda run ${upstream} --project ${project}`,
  });
}

/** A failure without a place is about what the project file says. */
export async function locatedInProjectFile<T>(context: StageContext, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const failure = toEdaError(error);
    if (failure.at !== undefined || failure.code === "unexpected" || failure.kind === "cancelled") throw error;
    const { kind, code, message, todo, findings } = failure;
    const at = { file: projectFilePath(context.request.project) };
    throw new EdaError(kind, code, message, {
      at,
      cause: error,
      ...(todo === undefined ? {} : { todo }),
      ...(findings === undefined ? {} : { findings }),
    });
  }
}
