/** Stage 5: curated tables cut into train, validation and test, described as Croissant, and copied to Drive when asked. */
import { writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { driveUri, objectUri } from "../../domain/asset.ts";
import { EdaError, toEdaError } from "../../domain/errors.ts";
import { projectFilePath } from "../../domain/governed.ts";
import { nearest } from "../../domain/nearest.ts";
import type { DatasetSpec } from "../../domain/project.ts";
import type { SplitName, WrittenTable } from "../../ports/engine.ts";
import { CROISSANT_FILE, CROISSANT_MEDIA_TYPE, croissantText } from "../croissant.ts";
import type { StageContext, StageDefinition, Unit, UnitResult, UnitResults } from "../stage-definition.ts";
import {
  codeFileUri,
  columnDetails,
  currentTables,
  edgesBetween,
  engineContext,
  inputAsset,
  locatedInProjectFile,
  materialize,
  namesNoLongerMade,
  notConfigured,
  PARQUET,
  storeTable,
  type UnitInput,
  unitInput,
  upstreamMissing,
} from "../tables.ts";

const SPLITS: readonly SplitName[] = ["train", "validation", "test"];

/** The last unit: datasets are exported once all of them are made. No dataset can have this id. */
const EXPORT_UNIT = "_export";

export const datasetsStage: StageDefinition = {
  id: "datasets",

  async plan(context) {
    const { datasets, drive } = context.project;
    if (datasets === undefined) throw notConfigured("datasets", context);
    for (const dataset of datasets) assertOneWay(dataset, context);
    const exported = datasets.filter((dataset) => dataset.export).map(({ name }) => name);
    if (exported.length > 0 && drive.exportFolder === undefined) throw exportFolderMissing(exported, context);
    const curated = await currentTables("curated", context);
    if (curated.length === 0) throw upstreamMissing(context);
    const tables = new Map(curated.map((row) => [row.name, row]));
    const units = datasets.map((dataset): Unit => {
      const table = tables.get(dataset.from);
      if (table === undefined) throw unknownTable(dataset, [...tables.keys()], context);
      return { id: dataset.name, label: dataset.name, data: { table: unitInput(table), rows: table.rows } };
    });
    const used = new Set(datasets.map(({ from }) => from));
    return {
      inputs: curated.filter(({ name }) => used.has(name)).map(inputAsset),
      code: [],
      config: { datasets, ...(exported.length === 0 ? {} : { exportFolder: drive.exportFolder }) },
      units: exported.length === 0 ? units : [...units, { id: EXPORT_UNIT, label: "export to Drive", data: { datasets: exported } }],
    };
  },

  async execute(unit, earlier, context) {
    if (unit.id === EXPORT_UNIT) return exportToDrive(unit.data.datasets as string[], earlier, context);
    const dataset = context.project.datasets?.find(({ name }) => name === unit.id);
    if (dataset === undefined) throw notConfigured("datasets", context);
    const table = unit.data.table as unknown as UnitInput;
    const input = await materialize(table, context);
    const parts = await locatedInProjectFile(context, async () => {
      const made = await context.services.engine.split(
        { dataset, input },
        await engineContext(`rows of ${dataset.name}`, Number(unit.data.rows ?? 0), context),
      );
      reportEmptySplits(dataset, made, context);
      return made;
    });
    const stored = [];
    for (const split of SPLITS) stored.push(await storeSplit(dataset, split, parts[split], table, context));
    stored.push(await storeCroissant(dataset, parts, stored, context));
    const rows = stored.map(({ row }) => row);
    const read = [objectUri(table), await codeFileUri(projectFilePath(context.request.project), context)];
    return {
      written: stored.flatMap(({ written }) => written),
      rows,
      edges: edgesBetween(read, rows.map(objectUri)),
      details: { datasets: { [dataset.name]: Object.fromEntries(SPLITS.map((split) => [split, parts[split].rows])) } },
    };
  },

  retired: (results, context) => namesNoLongerMade("datasets", results, context),
};

/** Hash, strata, groups and time each decide the split alone: two of them would contradict each other. */
function assertOneWay(dataset: DatasetSpec, context: StageContext): void {
  const ways = (["stratify", "group", "time"] as const).filter((way) => dataset[way] !== undefined);
  if (ways.length < 2) return;
  throw new EdaError("precondition", "invalid-config", `Dataset "${dataset.name}" is split by ${ways.join(" and ")} at once.`, {
    todo: "Keep one of them.",
    at: { file: projectFilePath(context.request.project) },
  });
}

function exportFolderMissing(datasets: readonly string[], context: StageContext): EdaError {
  const file = projectFilePath(context.request.project);
  return new EdaError("precondition", "export-folder-missing", `${file} exports ${datasets.join(", ")}, but has no drive.exportFolder.`, {
    todo: "Say where datasets go in Drive (drive.exportFolder), or do not export.",
    at: { file },
  });
}

function exportFolderNotFound(folder: string, context: StageContext, cause: unknown): EdaError {
  return new EdaError("terminal", "drive-folder-not-found", `The Drive folder ${folder} does not exist.`, {
    todo: "Make it, or correct drive.exportFolder in the project file: a missing folder may be a drive that is not mounted.",
    at: { file: projectFilePath(context.request.project) },
    cause,
  });
}

function unknownTable(dataset: DatasetSpec, known: readonly string[], context: StageContext): EdaError {
  const near = nearest(dataset.from, known);
  return new EdaError(
    "terminal",
    "unknown-table",
    `Dataset "${dataset.name}" is made from "${dataset.from}", which is not a curated table.`,
    {
      todo: `${near === undefined ? "" : `Did you mean ${near}? `}Curated tables: ${known.join(", ")}.`,
      at: { file: projectFilePath(context.request.project) },
    },
  );
}

function reportEmptySplits(dataset: DatasetSpec, parts: Readonly<Record<SplitName, WrittenTable>>, context: StageContext): void {
  if (parts.train.rows === 0) {
    throw new EdaError("terminal", "empty-split", `Dataset "${dataset.name}" has no row in train.`, {
      todo: "Check the curated table, the ratios and the time cut: nothing could be learned from it.",
    });
  }
  for (const split of SPLITS) {
    const isWanted = dataset.time !== undefined || dataset.splits[split] > 0;
    if (isWanted && parts[split].rows === 0) context.log("warn", `${dataset.name}: no row falls into ${split}`);
  }
}

function storeSplit(dataset: DatasetSpec, split: SplitName, part: WrittenTable, table: UnitInput, context: StageContext) {
  return storeTable(
    {
      bucket: "datasets",
      inventory: "datasets",
      name: `${dataset.name}/${split}`,
      path: `${dataset.name}/${split}.parquet`,
      role: "data",
      mediaType: PARQUET,
      file: part.file,
      rows: part.rows,
      details: { colunas: columnDetails(part), particao: split, tabela: table.name, chave: dataset.key, semente: dataset.seed },
    },
    context,
  );
}

async function storeCroissant(
  dataset: DatasetSpec,
  parts: Readonly<Record<SplitName, WrittenTable>>,
  stored: readonly { readonly row: UnitResult["rows"][number] }[],
  context: StageContext,
) {
  const file = join(context.workDir, CROISSANT_FILE);
  const splits = SPLITS.map((split, at) => {
    const { size, sha256 } = (stored[at] as (typeof stored)[number]).row;
    return { split, columns: parts[split].columns, rows: parts[split].rows, size, sha256 };
  });
  await writeFile(file, croissantText({ project: context.project, dataset, splits }));
  return storeTable(
    {
      bucket: "datasets",
      inventory: "datasets",
      name: `${dataset.name}/${CROISSANT_FILE}`,
      path: `${dataset.name}/${CROISSANT_FILE}`,
      role: "metadata",
      mediaType: CROISSANT_MEDIA_TYPE,
      file,
      rows: null,
      details: { dataset: dataset.name },
    },
    context,
  );
}

/**
 * Copies to Drive before the publication, because lineage must name the files it made there. Uploads are idempotent; a run that fails
 * after them leaves files that the next one finds in place.
 */
async function exportToDrive(datasets: readonly string[], earlier: UnitResults, context: StageContext): Promise<UnitResult> {
  const folder = context.project.drive.exportFolder as string;
  const rows = datasets.flatMap((name) => earlier[name]?.rows ?? []);
  const edges: { from: string; to: string }[] = [];
  for (const [index, row] of rows.entries()) {
    context.progress({ done: index, total: rows.length, unit: "files", label: `export ${row.name}` });
    const segments = [row.name.split("/")[0] as string, basename(row.key)];
    const file = await materialize(unitInput(row), context);
    const { id, version } = await context.services.drive.upload(folder, segments, file, context.signal).catch((error: unknown) => {
      throw toEdaError(error).code === "drive-folder-not-found" ? exportFolderNotFound(folder, context, error) : error;
    });
    edges.push({ from: objectUri(row), to: driveUri(id, version) });
  }
  context.log("info", `Exported ${rows.length} file(s) to ${folder}`);
  return { written: [], rows: [], edges, details: { exported: { folder, files: rows.length } } };
}
