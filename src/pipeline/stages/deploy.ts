/**
 * Stage 7: registers what the newest training job made. Model files go to bucket `models`, `<project>/<model>/…`; other results to
 * bucket `outputs`, `<project>/deploy/…`. Keys stay the same from version to version, because buckets keep versions; the model's
 * number (1, 2, …) rises whenever a file of it changes.
 */
import picomatch from "picomatch";
import { objectUri } from "../../domain/asset.ts";
import { EdaError } from "../../domain/errors.ts";
import { projectFilePath } from "../../domain/governed.ts";
import type { StoredInventoryRow } from "../../domain/inventory.ts";
import type { JsonObject } from "../../domain/json.ts";
import { objectKey } from "../../domain/names.ts";
import type { DeploySpec } from "../../domain/project.ts";
import type { JobArtefact, JobRecord } from "../../ports/inventory.ts";
import { storeOutput, type StoredOutput } from "../outputs.ts";
import type { StageContext, StageDefinition, UnitResult } from "../stage-definition.ts";
import { codeFileUri, edgesBetween, inputAsset, materialize, namesNoLongerMade, notConfigured, upstreamMissing } from "../tables.ts";

/** First part of an output's name in the inventory; a model's name is the first part of its files'. */
const OUTPUTS_NAME = "outputs";

interface Chosen {
  readonly artefact: JobArtefact;
  readonly role: "model" | "output";
  /** In the inventory. */
  readonly name: string;
}

export const deployStage: StageDefinition = {
  id: "deploy",

  async plan(context) {
    const spec = deploySpec(context);
    const job = await newestJob(context);
    const chosen = chooseArtefacts(spec, job);
    const unmatched = spec.outputs.filter((glob) => !job.artefacts.some(({ name }) => matches(glob, name)));
    return {
      inputs: chosen.map(({ artefact, name }) => inputAsset({ ...artefact, name })),
      code: [],
      config: { deploy: spec },
      units: [{ id: "register", label: `${spec.model.name} from job ${job.job}`, data: { job: job.job } }],
      notices: unmatched.map((glob) => `deploy.outputs: no result of job ${job.job} matches ${glob}`),
    };
  },

  async execute(unit, _earlier, context) {
    const spec = deploySpec(context);
    const job = await context.services.inventory.job(String(unit.data.job));
    if (job === undefined) throw new TypeError(`job vanished: ${unit.data.job}`);
    const chosen = chooseArtefacts(spec, job);
    const stored: { readonly item: Chosen; readonly output: StoredOutput }[] = [];
    for (const item of chosen) {
      context.progress({ done: stored.length, total: chosen.length, unit: "files", label: item.name });
      stored.push({ item, output: await copyToItsBucket(item, spec, context) });
    }
    const current = await currentRows(context);
    const models = stored.filter(({ item }) => item.role === "model");
    const version = versionOf(models, current);
    const details = await detailsOf(spec, job, version, context);
    context.log("info", `${spec.model.name} v${version}: ${models.length} model file(s), ${stored.length - models.length} output(s)`);
    return {
      written: stored.filter(({ output }) => output.isNew).map(({ output }) => output.object),
      rows: stored.map(({ item, output }): UnitResult["rows"][number] => ({
        ...output.object,
        rows: null,
        inventory: "models",
        name: item.name,
        aliasOf: null,
        details,
      })),
      edges: await edgesOf(stored, context),
      details: { model: spec.model.name, version, job: job.job, metrics: job.metrics },
    };
  },

  retired: (results, context) => namesNoLongerMade("models", results, context),
};

function deploySpec(context: StageContext): DeploySpec {
  const spec = context.project.deploy;
  if (spec === undefined) throw notConfigured("deploy", context);
  if (spec.model.name === OUTPUTS_NAME) {
    throw new EdaError("precondition", "reserved-model-name", `A model cannot be called "${OUTPUTS_NAME}".`, {
      todo: "Give it another name in deploy.model.name.",
      at: { file: projectFilePath(context.request.project) },
    });
  }
  return spec;
}

async function newestJob(context: StageContext): Promise<JobRecord> {
  const jobs = await context.services.inventory.jobs(context.request.project);
  const job = jobs.find(({ state }) => state === "succeeded");
  if (job === undefined) throw upstreamMissing(context);
  return job;
}

/** @throws EdaError `terminal` `model-file-missing` naming the pattern that matches nothing, and what there is */
function chooseArtefacts(spec: DeploySpec, job: JobRecord): Chosen[] {
  for (const glob of spec.model.files) {
    if (job.artefacts.some(({ name }) => matches(glob, name))) continue;
    throw new EdaError("terminal", "model-file-missing", `No result of job ${job.job} matches ${glob} (deploy.model.files).`, {
      todo: `It made: ${job.artefacts.map(({ name }) => name).join(", ") || "nothing"}.`,
    });
  }
  return job.artefacts.flatMap((artefact): Chosen[] => {
    if (spec.model.files.some((glob) => matches(glob, artefact.name))) {
      return [{ artefact, role: "model", name: `${spec.model.name}/${artefact.name}` }];
    }
    if (spec.outputs.some((glob) => matches(glob, artefact.name))) {
      return [{ artefact, role: "output", name: `${OUTPUTS_NAME}/${artefact.name}` }];
    }
    return [];
  });
}

function matches(glob: string, name: string): boolean {
  return picomatch.isMatch(name, glob, { dot: true });
}

async function copyToItsBucket({ artefact, role, name }: Chosen, spec: DeploySpec, context: StageContext): Promise<StoredOutput> {
  const { project } = context.request;
  const target = role === "model" ? `${spec.model.name}/${artefact.name}` : `deploy/${artefact.name}`;
  return storeOutput(
    {
      bucket: role === "model" ? "models" : "outputs",
      key: objectKey(project, target),
      file: await materialize(artefact, context),
      role,
      mediaType: artefact.mediaType,
      current: { inventory: "models", name },
    },
    context,
  );
}

/** The version that the model has, or the next one when any of its files is new, changed or gone. */
function versionOf(
  models: readonly { readonly item: Chosen; readonly output: StoredOutput }[],
  current: readonly StoredInventoryRow[],
): number {
  const prefix = models[0]?.item.name.split("/", 1)[0];
  const before = current.filter((row) => row.role === "model" && row.name.split("/", 1)[0] === prefix);
  const last = Math.max(0, ...before.map((row) => Number(row.details.versao ?? 0)));
  const same = before.length === models.length && models.every(({ output }) => !output.isNew);
  return same ? last : last + 1;
}

async function currentRows(context: StageContext): Promise<StoredInventoryRow[]> {
  const rows: StoredInventoryRow[] = [];
  for await (const row of context.services.inventory.currentRows("models", context.request.project)) rows.push(row);
  return rows;
}

async function detailsOf(spec: DeploySpec, job: JobRecord, version: number, context: StageContext): Promise<JsonObject> {
  const training = await context.services.inventory.getRun(job.run);
  return {
    modelo: spec.model.name,
    versao: version,
    servico: spec.servingName ?? null,
    metricas: job.metrics,
    acelerador: job.accelerator,
    treinador: job.trainer,
    parametros: job.parameters,
    dataset: training?.details.dataset ?? null,
    job: job.job,
    execucao_modelagem: job.run,
  };
}

async function edgesOf(
  stored: readonly { readonly item: Chosen; readonly output: StoredOutput }[],
  context: StageContext,
): Promise<UnitResult["edges"]> {
  const code = await codeFileUri(projectFilePath(context.request.project), context);
  return stored.flatMap(({ item, output }) => edgesBetween([objectUri(item.artefact), code], [objectUri(output.object)]));
}
