/**
 * Stage 6: the project's notebook trains on the splits of one dataset. It gets its parameters as papermill gives them: those of the
 * project file, and `eda_data_dir` (holds `<split>.parquet`) and `eda_results_dir` (takes the model, `metrics.json` and whatever else
 * is worth keeping), both relative to the folder it runs in.
 */
import { constants, copyFile, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import mime from "mime-types";
import { codeUri, formatAssetUri, type InputAsset, objectUri, type OutputObject } from "../../domain/asset.ts";
import { EdaError, toEdaError } from "../../domain/errors.ts";
import { projectFilePath, STATE_FOLDER } from "../../domain/governed.ts";
import type { InventoryRow, StoredInventoryRow } from "../../domain/inventory.ts";
import { type JsonObject, sha256Hex } from "../../domain/json.ts";
import { objectKey } from "../../domain/names.ts";
import { parseNotebook } from "../../domain/notebook.ts";
import type { ModelingSpec } from "../../domain/project.ts";
import type { JobArtefact, JobRecord } from "../../ports/inventory.ts";
import type { TrainingResult } from "../../ports/trainer.ts";
import { storeOutput } from "../outputs.ts";
import type { StageContext, StageDefinition, UnitResult } from "../stage-definition.ts";

const DATA_FOLDER = "data";
const RESULTS_FOLDER = "results";
const EXECUTED_NOTEBOOK = "executed.ipynb";

/** Parameters that the stage sets itself. */
const RESERVED_PARAMETERS = { eda_data_dir: DATA_FOLDER, eda_results_dir: RESULTS_FOLDER } as const;

/** An object as the unit needs it: plain, so that it survives a restart. */
type Split = Pick<InventoryRow, "bucket" | "key" | "versionId" | "size" | "md5" | "sha256"> & { readonly split: string };

export const modelingStage: StageDefinition = {
  id: "modeling",

  async plan(context) {
    const spec = modelingSpec(context);
    const notebook = await context.readCode(spec.notebook);
    parseNotebook(spec.notebook, notebook);
    const rows = await splitRows(spec.dataset, context);
    const splits = rows.map(
      ({ name, bucket, key, versionId, size, md5, sha256 }): Split => ({
        split: name.slice(spec.dataset.length + 1),
        ...{ bucket, key, versionId, size, md5, sha256 },
      }),
    );
    const { timeoutMinutes: _, ...config } = spec;
    return {
      inputs: rows.map((row): InputAsset => ({ uri: objectUri(row), name: row.name, size: row.size, sha256: row.sha256 })),
      code: [{ path: spec.notebook, sha256: sha256Hex(notebook) }],
      config: { modeling: config },
      units: [{ id: "train", label: spec.notebook, data: { splits } }],
    };
  },

  async execute(unit, _earlier, context) {
    const spec = modelingSpec(context);
    const splits = unit.data.splits as unknown as Split[];
    const startedAt = new Date().toISOString();
    await prepareFolder(spec, splits, context);
    const parameters: JsonObject = { ...spec.parameters, ...RESERVED_PARAMETERS };
    const result = await train(spec, parameters, context);
    context.log("info", `Trained on ${result.accelerator}: ${JSON.stringify(result.metrics)}`);
    const { objects, artefacts } = await storeResults(result, context);
    const job: JobRecord = {
      job: context.request.run,
      project: context.request.project,
      run: context.request.run,
      state: "succeeded",
      trainer: context.services.trainer.name,
      accelerator: result.accelerator,
      metrics: result.metrics,
      parameters,
      artefacts,
      startedAt,
      finishedAt: new Date().toISOString(),
    };
    return {
      written: objects,
      rows: [],
      edges: await jobEdges(spec, splits, objects, context),
      job,
      details: {
        accelerator: result.accelerator,
        trainer: job.trainer,
        job: job.job,
        dataset: spec.dataset,
        metrics: result.metrics,
        artefacts: artefacts.length,
      },
    };
  },
};

function modelingSpec(context: StageContext): ModelingSpec {
  const spec = context.project.modeling;
  const file = projectFilePath(context.request.project);
  if (spec === undefined) {
    throw new EdaError("precondition", "stage-not-configured", `${file} has no modeling section.`, {
      todo: "Add modeling with its notebook and dataset.",
      at: { file },
    });
  }
  const reserved = Object.keys(RESERVED_PARAMETERS).find((name) => name in spec.parameters);
  if (reserved !== undefined) {
    throw new EdaError("precondition", "reserved-parameter", `modeling.parameters sets ${reserved}, which the stage sets itself.`, {
      todo: "Remove it from the project file.",
      at: { file },
    });
  }
  return spec;
}

async function splitRows(dataset: string, context: StageContext): Promise<StoredInventoryRow[]> {
  const { project } = context.request;
  const rows: StoredInventoryRow[] = [];
  for await (const row of context.services.inventory.currentRows("datasets", project)) {
    if (row.role === "data" && row.name.startsWith(`${dataset}/`)) rows.push(row);
  }
  if (rows.length > 0) return rows;
  throw new EdaError("terminal", "dataset-missing", `The inventory has no dataset ${dataset} of ${project}.`, {
    todo: `Make it first: eda run datasets --project ${project}`,
  });
}

/** The job folder: any trainer can carry it. Data are copies, because a notebook may write to what it reads. */
async function prepareFolder(spec: ModelingSpec, splits: readonly Split[], context: StageContext): Promise<void> {
  const folder = context.workDir;
  await writeFile(join(folder, "notebook.ipynb"), await context.readCode(spec.notebook));
  const downloads = join(folder, "downloads");
  await mkdir(join(folder, DATA_FOLDER));
  await mkdir(downloads);
  for (const { split, bucket, key, versionId, ...content } of splits) {
    const source = await context.services.objects.materialize({ bucket, key, versionId }, content, downloads, context.signal);
    await copyFile(source, join(folder, DATA_FOLDER, `${split}.parquet`), constants.COPYFILE_FICLONE);
  }
}

async function train(spec: ModelingSpec, parameters: JsonObject, context: StageContext): Promise<TrainingResult> {
  const { trainer } = context.services;
  try {
    return await trainer.train(
      {
        job: context.request.run,
        project: context.request.project,
        folder: context.workDir,
        parameters,
        accelerator: spec.accelerator,
        timeoutMs: spec.timeoutMinutes * 60_000,
      },
      {
        signal: context.signal,
        onOutput: (line) => context.log("info", line),
        onCell: (done, total) => context.progress({ done, total, unit: "steps", label: `${spec.notebook}: cells` }),
      },
    );
  } catch (error) {
    throw await withNotebook(toEdaError(error), spec, context);
  }
}

/** What failed in the notebook is located there, and its outputs stay at hand though nothing of the run is published. */
async function withNotebook(failure: EdaError, spec: ModelingSpec, context: StageContext): Promise<EdaError> {
  if (failure.kind !== "terminal") return failure;
  const kept = join(STATE_FOLDER, "jobs", context.request.run, EXECUTED_NOTEBOOK);
  const target = join(context.services.workspace, kept);
  const copied = await mkdir(dirname(target), { recursive: true })
    .then(() => copyFile(join(context.workDir, EXECUTED_NOTEBOOK), target))
    .then(
      () => true,
      () => false,
    );
  const see = copied ? ` What it put out is in ${kept}.` : "";
  return new EdaError(failure.kind, failure.code, failure.message, {
    todo: `${failure.todo ?? "Correct the cause and run again."}${see}`,
    at: failure.at === undefined || failure.at.file === "notebook.ipynb" ? { ...failure.at, file: spec.notebook } : failure.at,
    ...(failure.findings === undefined ? {} : { findings: failure.findings }),
    cause: failure,
  });
}

async function storeResults(result: TrainingResult, context: StageContext): Promise<{ objects: OutputObject[]; artefacts: JobArtefact[] }> {
  const { project, run } = context.request;
  const objects: OutputObject[] = [];
  const artefacts: JobArtefact[] = [];
  const files = [EXECUTED_NOTEBOOK, ...result.artefacts.map((artefact) => `${RESULTS_FOLDER}/${artefact}`)];
  for (const path of files) {
    const { object } = await storeOutput(
      {
        bucket: "outputs",
        key: objectKey(project, `jobs/${run}/${path}`),
        file: join(context.workDir, path),
        role: "output",
        mediaType: mediaTypeOf(path),
      },
      context,
    );
    objects.push(object);
    const { role: _role, ...stored } = object;
    if (path !== EXECUTED_NOTEBOOK) artefacts.push({ name: path.slice(RESULTS_FOLDER.length + 1), ...stored });
  }
  return { objects, artefacts };
}

/** What was read → the job → what it made. */
async function jobEdges(
  spec: ModelingSpec,
  splits: readonly Split[],
  objects: readonly OutputObject[],
  context: StageContext,
): Promise<UnitResult["edges"]> {
  const { project, run } = context.request;
  const job = formatAssetUri({ kind: "job", name: `${project}/modeling`, version: run });
  const notebook = codeUri(spec.notebook, sha256Hex(await context.readCode(spec.notebook)));
  return [
    ...[...splits.map(objectUri), notebook].map((from) => ({ from, to: job })),
    ...objects.map((object) => ({ from: job, to: objectUri(object) })),
  ];
}

function mediaTypeOf(path: string): string {
  if (path.endsWith(".ipynb")) return "application/x-ipynb+json";
  if (path.endsWith(".parquet")) return "application/vnd.apache.parquet";
  return mime.lookup(path) || "application/octet-stream";
}
