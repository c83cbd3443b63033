/**
 * Stage 6: the project's notebook trains on the splits of one dataset. It gets its parameters as papermill gives them: those of the
 * project file, and `eda_data_dir` (holds `<split>.parquet`) and `eda_results_dir` (takes the model, `metrics.json` and whatever else
 * is worth keeping), both relative to the folder it runs in.
 */
import { basename, join } from "node:path";
import mime from "mime-types";
import { formatAssetUri, objectUri, type OutputObject } from "../../domain/asset.ts";
import { EdaError, toEdaError } from "../../domain/errors.ts";
import { projectFilePath } from "../../domain/governed.ts";
import { JOB_FILES } from "../../domain/job/format.ts";
import { type JobLimits, jobLimitsSchema } from "../../domain/job/limits.ts";
import { JOB_PARAMETERS } from "../../domain/job/prepare.ts";
import { type JsonObject, sha256Hex } from "../../domain/json.ts";
import { objectKey } from "../../domain/names.ts";
import { parseNotebook } from "../../domain/notebook.ts";
import type { ModelingSpec } from "../../domain/project.ts";
import type { JobArtefact, JobRecord } from "../../ports/inventory.ts";
import type { JobTrainer } from "../../ports/job-trainer.ts";
import { openJobMirror } from "../jobs/mirror.ts";
import type { JobOrder } from "../jobs/session.ts";
import { discardJob, EXECUTED_NOTEBOOK, type TrainedJob, trainJob } from "../jobs/train.ts";
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

export const modelingStage: StageDefinition = {
  id: "modeling",

  async plan(context) {
    const spec = modelingSpec(context);
    const notebook = await context.readCode(spec.notebook);
    parseNotebook(spec.notebook, notebook);
    const splits = await splitsOf(spec.dataset, context);
    limitsOf(spec, context.services.trainer(spec.trainer), context);
    const { timeoutMinutes: _, attempts: __, limits: ___, ...config } = spec;
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
    const order = await orderOf(spec, splits, context);
    const trained = await trainJob(order, context).catch((error: unknown) => {
      throw atNotebook(toEdaError(error), spec);
    });
    const { done, accelerator, attempts } = trained;
    context.log("info", `Trained on ${accelerator}: ${JSON.stringify(done.metrics)}`);
    const { objects, artefacts } = await storeResults(trained, context);
    const job: JobRecord = {
      job: context.request.run,
      project: context.request.project,
      run: context.request.run,
      state: "succeeded",
      trainer: order.trainer.name,
      accelerator,
      metrics: done.metrics as JsonObject,
      parameters: { ...spec.parameters, ...JOB_PARAMETERS },
      artefacts,
      attempt: done.attempt,
      attempts,
      startedAt: trained.createdAt,
      finishedAt: done.at,
    };
    return {
      written: objects,
      rows: [],
      edges: await jobEdges(spec, splits, objects, context),
      job,
      details: {
        accelerator,
        trainer: job.trainer,
        job: job.job,
        attempt: done.attempt,
        attempts,
        dataset: spec.dataset,
        metrics: job.metrics,
        artefacts: artefacts.length,
      },
    };
  },

  async settle(_results, context) {
    const { services, request } = context;
    try {
      await discardJob(services.trainer(modelingSpec(context).trainer), openJobMirror(services.workspace, request.run));
    } catch (error) {
      // The results are published; what is left over only takes room.
      context.log("warn", `Files of the job could not be removed: ${toEdaError(error).message}`);
    }
  },
};

function modelingSpec(context: StageContext): ModelingSpec {
  const spec = context.project.modeling;
  if (spec === undefined) throw notConfigured("modeling", context);
  const reserved = Object.keys(JOB_PARAMETERS).find((name) => name in spec.parameters);
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

async function orderOf(spec: ModelingSpec, splits: readonly UnitInput[], context: StageContext): Promise<JobOrder> {
  const { services, request } = context;
  const trainer = services.trainer(spec.trainer);
  const limits = limitsOf(spec, trainer, context);
  const inputs = splits.map(({ name, size, sha256, bucket, key, versionId }) => ({
    name,
    size,
    sha256,
    object: { bucket, key, versionId },
  }));
  return {
    trainer,
    limits,
    attempts: spec.attempts,
    inputs,
    parcel: async (createdAt) => ({
      request: {
        job: request.run,
        project: request.project,
        run: request.run,
        createdAt,
        inputs: splits.map((split) => ({ path: dataPath(split), size: split.size, sha256: split.sha256, asset: objectUri(split) })),
        parameters: spec.parameters,
        notebook: { path: spec.notebook, text: await context.readCode(spec.notebook) },
        helper: services.jobs.helper,
        commit: (await services.inventory.getRun(request.run))?.commitBefore ?? null,
        accelerator: { wanted: spec.accelerator, allowOthers: spec.allowOthers ?? false },
        limits,
      },
      data: new Map(await Promise.all(splits.map(async (split) => [dataPath(split), await materialize(split, context)] as const))),
    }),
  };
}

/** The project file's times before the workspace's, those before the trainer's. */
function limitsOf(spec: ModelingSpec, trainer: JobTrainer, { request, services }: StageContext): JobLimits {
  const limits = jobLimitsSchema.safeParse({
    ...trainer.limits,
    ...services.settings.jobs.limits,
    ...spec.limits,
    attemptSeconds: spec.timeoutMinutes * 60,
  });
  if (limits.success) return limits.data;
  const issue = limits.error.issues[0];
  throw new EdaError("precondition", "invalid-job-limits", `modeling.limits: ${issue?.path.join(".")} ${issue?.message}.`, {
    todo: "Correct it in the project file, or jobs.limits in configs/eda.yaml.",
    at: { file: projectFilePath(request.project) },
  });
}

/** A mistake in the notebook is located where the person wrote it. */
function atNotebook(failure: EdaError, { notebook }: ModelingSpec): EdaError {
  if (failure.at?.file !== JOB_FILES.notebook && failure.code !== "notebook-failed") return failure;
  const { kind, code, message, todo, findings } = failure;
  return new EdaError(kind, code, message, {
    ...(todo === undefined ? {} : { todo }),
    ...(findings === undefined ? {} : { findings }),
    at: { ...failure.at, file: notebook },
    cause: failure,
  });
}

async function storeResults(trained: TrainedJob, context: StageContext): Promise<{ objects: OutputObject[]; artefacts: JobArtefact[] }> {
  const { project, run } = context.request;
  const store = async (path: string, file: string) => {
    const key = objectKey(project, `jobs/${run}/${path}`);
    return (await storeOutput({ bucket: "outputs", key, file, role: "output", mediaType: mediaTypeOf(path) }, context)).object;
  };
  const objects: OutputObject[] = [];
  const artefacts: JobArtefact[] = [];
  if (trained.executed !== null) objects.push(await store(EXECUTED_NOTEBOOK, trained.executed));
  for (const { name } of trained.done.artefacts) {
    const object = await store(`results/${name}`, join(trained.results, name));
    objects.push(object);
    const { role: _role, ...stored } = object;
    artefacts.push({ name, ...stored });
  }
  return { objects, artefacts };
}

function dataPath(split: UnitInput): string {
  return `${JOB_PARAMETERS.eda_data_dir}/${basename(split.name)}.parquet`;
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
