/**
 * Stage 6: the project's notebook trains on the splits of one dataset. It gets its parameters as papermill gives them: those of the
 * project file, and `eda_data_dir` (holds `<split>.parquet`) and `eda_results_dir` (takes the model, `metrics.json` and whatever else
 * is worth keeping), both relative to the folder it runs in.
 */
import { constants, copyFile, mkdir, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import mime from "mime-types";
import { formatAssetUri, objectUri, type OutputObject } from "../../domain/asset.ts";
import { EdaError, toEdaError } from "../../domain/errors.ts";
import { projectFilePath, STATE_FOLDER } from "../../domain/governed.ts";
import { type JsonObject, sha256Hex } from "../../domain/json.ts";
import { objectKey } from "../../domain/names.ts";
import { parseNotebook } from "../../domain/notebook.ts";
import type { ModelingSpec } from "../../domain/project.ts";
import type { JobArtefact, JobRecord } from "../../ports/inventory.ts";
import type { TrainingResult } from "../../ports/trainer.ts";
import { storeOutput } from "../outputs.ts";
import type { StageContext, StageDefinition, UnitResult } from "../stage-definition.ts";
import {
  codeFileUri,
  currentTables,
  edgesBetween,
  inputAsset,
  materialize,
  notConfigured,
  PARQUET,
  type UnitInput,
  unitInput,
  upstreamMissing,
} from "../tables.ts";

const DATA_FOLDER = "data";
const RESULTS_FOLDER = "results";
const EXECUTED_NOTEBOOK = "executed.ipynb";

/** Parameters that the stage sets itself. */
const RESERVED_PARAMETERS = { eda_data_dir: DATA_FOLDER, eda_results_dir: RESULTS_FOLDER } as const;

export const modelingStage: StageDefinition = {
  id: "modeling",

  async plan(context) {
    const spec = modelingSpec(context);
    const notebook = await context.readCode(spec.notebook);
    parseNotebook(spec.notebook, notebook);
    const splits = await splitsOf(spec.dataset, context);
    const { timeoutMinutes: _, ...config } = spec;
    return {
      inputs: splits.map(inputAsset),
      code: [{ path: spec.notebook, sha256: sha256Hex(notebook) }],
      config: { modeling: config },
      units: [{ id: "train", label: spec.notebook, data: { splits: splits.map((split) => ({ ...split })) } }],
    };
  },

  async execute(unit, _earlier, context) {
    const spec = modelingSpec(context);
    const splits = unit.data.splits as unknown as UnitInput[];
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
  if (spec === undefined) throw notConfigured("modeling", context);
  const reserved = Object.keys(RESERVED_PARAMETERS).find((name) => name in spec.parameters);
  if (reserved !== undefined) {
    throw new EdaError("precondition", "reserved-parameter", `modeling.parameters sets ${reserved}, which the stage sets itself.`, {
      todo: "Remove it from the project file.",
      at: { file: projectFilePath(context.request.project) },
    });
  }
  return spec;
}

/** The splits of a dataset, by name. */
async function splitsOf(dataset: string, context: StageContext): Promise<UnitInput[]> {
  const rows = (await currentTables("datasets", context)).filter((row) => row.name.startsWith(`${dataset}/`));
  if (rows.length === 0) throw upstreamMissing(context);
  return rows.map(unitInput);
}

/** The job folder: any trainer can carry it. Data are copies, because a notebook may write to what it reads. */
async function prepareFolder(spec: ModelingSpec, splits: readonly UnitInput[], context: StageContext): Promise<void> {
  const folder = context.workDir;
  await writeFile(join(folder, "notebook.ipynb"), await context.readCode(spec.notebook));
  await mkdir(join(folder, DATA_FOLDER));
  for (const split of splits) {
    const source = await materialize(split, context);
    await copyFile(source, join(folder, DATA_FOLDER, `${basename(split.name)}.parquet`), constants.COPYFILE_FICLONE);
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
  splits: readonly UnitInput[],
  objects: readonly OutputObject[],
  context: StageContext,
): Promise<UnitResult["edges"]> {
  const { project, run } = context.request;
  const job = formatAssetUri({ kind: "job", name: `${project}/modeling`, version: run });
  const read = [...splits.map(objectUri), await codeFileUri(spec.notebook, context)];
  return [...edgesBetween(read, [job]), ...edgesBetween([job], objects.map(objectUri))];
}

function mediaTypeOf(path: string): string {
  if (path.endsWith(".ipynb")) return "application/x-ipynb+json";
  if (path.endsWith(".parquet")) return PARQUET;
  return mime.lookup(path) || "application/octet-stream";
}
