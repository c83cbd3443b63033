/** Stage 3: from raw files to typed tables, by the Table Schema of the project file; what breaks it goes to quarantine. */
import { copyFile, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import picomatch from "picomatch";
import { objectUri } from "../../domain/asset.ts";
import { EdaError } from "../../domain/errors.ts";
import { projectFilePath, STATE_FOLDER } from "../../domain/governed.ts";
import type { StoredInventoryRow } from "../../domain/inventory.ts";
import { printable } from "../../domain/printable.ts";
import type { StagingTable } from "../../domain/project.ts";
import type { StageTableResult } from "../../ports/engine.ts";
import { dependencyOrder } from "../dependency-order.ts";
import type { StageContext, StageDefinition, Unit } from "../stage-definition.ts";
import {
  codeFileUri,
  columnDetails,
  currentTables,
  edgesBetween,
  engineContext,
  inputAsset,
  locatedInProjectFile,
  madeEarlier,
  materialize,
  namesNoLongerMade,
  notConfigured,
  PARQUET,
  storeTable,
  type UnitInput,
  unitInput,
  upstreamMissing,
} from "../tables.ts";

/** Reasons and files named in a message; the rest is counted. */
const SHOWN = 10;

export const stagingStage: StageDefinition = {
  id: "staging",

  async plan(context) {
    const { staging } = context.project;
    if (staging === undefined) throw notConfigured("staging", context);
    const raw = await currentTables("raw", context);
    if (raw.length === 0) throw upstreamMissing(context);
    const notices: string[] = [];
    const files = new Map(staging.tables.map((table) => [table.name, filesOf(table, raw, context, notices)]));
    const inputs = new Map([...files.values()].flat().map((file) => [file.name, inputAsset(file)]));
    return {
      inputs: [...inputs.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
      code: [],
      config: { staging },
      units: inReferenceOrder(staging.tables, context).map(
        (name): Unit => ({ id: name, label: name, data: { files: (files.get(name) as UnitInput[]).map((file) => ({ ...file })) } }),
      ),
      notices,
    };
  },

  async execute(unit, earlier, context) {
    const table = tableNamed(unit.id, context);
    const files = unit.data.files as unknown as UnitInput[];
    const referenced = referencesOf(table).map((name) => madeEarlier(name, earlier));
    const references: Record<string, string> = {};
    for (const input of referenced) references[input.name] = await materialize(input, context);
    const local: { readonly name: string; readonly file: string }[] = [];
    for (const file of files) local.push({ name: file.name, file: await materialize(file, context) });
    const made = await locatedInProjectFile(context, async () =>
      context.services.engine.stageTable({ table, files: local, references }, await engineContext(`rows of ${table.name}`, 0, context)),
    );
    await assertFewRejects(table, made, context);
    const { rows, written } = await store(table, made, files, context);
    const read = [...files, ...referenced].map(objectUri);
    return {
      written,
      rows,
      edges: edgesBetween([...read, await codeFileUri(projectFilePath(context.request.project), context)], rows.map(objectUri)),
      details: { tables: { [table.name]: { rows: made.data.rows, rejected: made.rejected, reasons: { ...made.reasons } } } },
    };
  },

  retired: (results, context) => namesNoLongerMade("staging", results, context),
};

function tableNamed(name: string, context: StageContext): StagingTable {
  const table = context.project.staging?.tables.find((candidate) => candidate.name === name);
  if (table === undefined) throw notConfigured("staging", context);
  return table;
}

/** Raw files of a table, by name. Content that comes twice under names of the globs is loaded once: an alias gives way to its holder. */
function filesOf(table: StagingTable, raw: readonly StoredInventoryRow[], context: StageContext, notices: string[]): UnitInput[] {
  const wanted = picomatch([...table.files], { dot: true });
  const matching = raw.filter((row) => wanted(row.name)).sort((a, b) => (a.name < b.name ? -1 : 1));
  const chosen = new Map<string, StoredInventoryRow>();
  for (const row of [...matching.filter(({ aliasOf }) => aliasOf === null), ...matching]) {
    const same = chosen.get(row.sha256);
    if (same === undefined) chosen.set(row.sha256, row);
    else if (same !== row)
      notices.push(`${table.name}: ${printable(row.name)} holds the same as ${printable(same.name)} and is loaded once`);
  }
  if (chosen.size === 0) {
    throw new EdaError(
      "terminal",
      "no-matching-files",
      `No raw file of ${context.request.project} matches the files of table "${table.name}": ${table.files.join(", ")}.`,
      {
        todo: "Correct the table's files in the project file, or capture and ingest the data.",
        at: { file: projectFilePath(context.request.project) },
        findings: raw.slice(0, SHOWN).map(({ name }) => ({ message: `there is: ${printable(name)}` })),
      },
    );
  }
  return [...chosen.values()].sort((a, b) => (a.name < b.name ? -1 : 1)).map(unitInput);
}

/** Other tables that a table's foreign keys refer to. */
function referencesOf(table: StagingTable): string[] {
  const names = (table.schema.foreignKeys ?? []).map(({ reference }) => reference.table);
  return [...new Set(names)].filter((name) => name !== table.name);
}

function inReferenceOrder(tables: readonly StagingTable[], context: StageContext): readonly string[] {
  const names = tables.map(({ name }) => name);
  const found = dependencyOrder(names, (name) => referencesOf(tables.find((table) => table.name === name) as StagingTable));
  if ("order" in found) return found.order;
  throw new EdaError("precondition", "foreign-key-cycle", `Foreign keys go in a circle: ${found.cycle.join(" → ")}.`, {
    todo: "Remove one of these foreign keys: a table must be there before another can refer to it.",
    at: { file: projectFilePath(context.request.project) },
  });
}

/** A failed run publishes nothing, so the rejected rows are kept aside for the person to look at. */
async function assertFewRejects(table: StagingTable, made: StageTableResult, context: StageContext): Promise<void> {
  const { maxShare, maxCount } = table.rejects;
  const total = made.data.rows + made.rejected;
  const share = total === 0 ? 0 : made.rejected / total;
  const broken = [
    ...(maxShare !== undefined && share > maxShare ? [`maxShare ${maxShare}`] : []),
    ...(maxCount !== undefined && made.rejected > maxCount ? [`maxCount ${maxCount}`] : []),
  ];
  if (broken.length === 0) return;
  const kept = join(STATE_FOLDER, "quarantine", context.request.run, `${table.name}.parquet`);
  const target = join(context.services.workspace, kept);
  await mkdir(dirname(target), { recursive: true });
  await copyFile(made.quarantine?.file as string, target);
  const reasons = Object.entries(made.reasons).sort(([, a], [, b]) => b - a);
  const shown = reasons.slice(0, SHOWN).map(([reason, rows]) => `${reason} (${rows})`);
  throw new EdaError(
    "terminal",
    "too-many-rejects",
    `Table "${table.name}": ${made.rejected} of ${total} rows are rejected (${percent(share)}), over ${broken.join(" and ")}: ${shown.join(", ")}.`,
    {
      todo: `Look at the rows in ${kept}; correct the data or the schema, or raise rejects for the table.`,
      at: { file: projectFilePath(context.request.project) },
      findings: reasons.map(([reason, rows]) => ({ message: `${reason}: ${rows} row(s)` })),
    },
  );
}

function percent(share: number): string {
  return `${(share * 100).toLocaleString("en-US", { maximumSignificantDigits: 3 })}%`;
}

async function store(table: StagingTable, made: StageTableResult, files: readonly UnitInput[], context: StageContext) {
  const common = { bucket: "staging-data", inventory: "staging", mediaType: PARQUET } as const;
  const data = await storeTable(
    {
      ...common,
      name: table.name,
      path: `${table.name}.parquet`,
      role: "data",
      file: made.data.file,
      rows: made.data.rows,
      details: {
        colunas: columnDetails(made.data),
        rejeitadas: made.rejected,
        motivos: { ...made.reasons },
        arquivos: files.slice(0, SHOWN).map(({ name }) => name),
        total_arquivos: files.length,
      },
    },
    context,
  );
  if (made.quarantine === null) return { rows: [data.row], written: data.written };
  context.log("warn", `${table.name}: ${made.rejected} row(s) in quarantine: ${Object.keys(made.reasons).slice(0, SHOWN).join(", ")}`);
  const quarantine = await storeTable(
    {
      ...common,
      name: `_quarentena/${table.name}`,
      path: `_quarentena/${table.name}.parquet`,
      role: "quarantine",
      file: made.quarantine.file,
      rows: made.quarantine.rows,
      details: { colunas: columnDetails(made.quarantine), motivos: { ...made.reasons }, tabela: table.name },
    },
    context,
  );
  return { rows: [data.row, quarantine.row], written: [...data.written, ...quarantine.written] };
}
