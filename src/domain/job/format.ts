/**
 * What lies in a job folder (docs/job-format.md), version 1. Each document is sealed (see seal.ts). Members that this version does not know
 * are ignored; what a runtime wrote is untrusted, so every text and list has an end.
 */
import { z } from "zod";
import { openSealed } from "./seal.ts";
import { jobLimitsSchema } from "./limits.ts";

/** Names in the folder. */
export const JOB_FILES = {
  job: "job.json",
  notebook: "notebook.ipynb",
  helper: "eda_job.py",
  data: "data",
  beats: "beats",
  logs: "logs",
  checkpoints: "checkpoints",
  results: "results",
  cancel: "CANCEL",
  done: "DONE.json",
} as const;

const MAX_TEXT = 4_000;
const sha256 = z.string().regex(/^[0-9a-f]{64}$/u, { error: "must be 64 lower-case hexadecimal digits" });
const moment = z.iso.datetime({ error: "must be ISO 8601 in UTC" });
const bytes = z.int().nonnegative();
const count = z.int().nonnegative();
const reading = z.number().nullable();
const shortText = z.string().max(200);
const relativePath = z
  .string()
  .max(1_000)
  .regex(/^(?!\.\.?(?:\/|$))[^/\\\p{Cc}]+(?:\/(?!\.\.?(?:\/|$))[^/\\\p{Cc}]+)*$/u, {
    error: "must be a relative path without '..'",
  });
const jobId = z.string().regex(/^[0-9a-z][0-9a-z-]{0,62}$/u, { error: "must be lower-case letters, digits and '-'" });
/** Number of the attempt, from 1, and eight random digits: two that begin at once are told apart. */
const attemptId = z.string().regex(/^\d{3}-[0-9a-f]{8}$/u, { error: "must be like 001-9f3a1c7e" });
/** By name. Null is a number that JSON does not know: NaN or an infinity. */
const metrics = z.record(z.string().max(100), z.number().nullable());

const file = z.object({ path: relativePath, size: bytes, sha256 });

export const jobDocumentSchema = z
  .object({
    format: z.literal("eda-job"),
    version: z.literal(1),
    job: jobId,
    project: shortText,
    run: shortText.describe("Run that made the job · Execução que criou o trabalho"),
    createdAt: moment,
    inputs: z
      .array(
        file.extend({
          from: z
            .string()
            .max(1_000)
            .regex(/^[^/\\]/u, { error: "must be relative to the job folder" })
            .optional()
            .describe("Where the bytes lie, when not under path · Onde estão os bytes, se não em path"),
          asset: z.string().max(2_000).optional().describe("Asset URI · URI do ativo"),
        }),
      )
      .describe("Datasets, verified before they are used · Datasets, verificados antes do uso"),
    parameters: z.record(z.string(), z.json()).describe("Of the notebook's parameters cell · Da célula parameters"),
    notebook: z.object({
      path: shortText.describe("Governed notebook · Notebook governado"),
      sha256: sha256.describe("Of the governed notebook · Do notebook governado"),
      prepared: sha256.describe("Of notebook.ipynb as prepared · De notebook.ipynb preparado"),
    }),
    commit: z
      .string()
      .regex(/^[0-9a-f]{40}([0-9a-f]{24})?$/u)
      .nullable()
      .describe("Commit the code is read from · Commit do código"),
    helper: z.object({ sha256 }).describe("eda_job.py"),
    accelerator: z.object({
      wanted: z.enum(["cpu", "T4"]),
      allowOthers: z.boolean().default(false).describe("Train on what there is · Treinar com o que houver"),
    }),
    limits: jobLimitsSchema,
  })
  .describe("job.json");

const acceleratorSchema = z.object({
  kind: z.enum(["cpu", "gpu", "tpu"]),
  name: shortText,
  uuid: shortText.nullable(),
  memoryMiB: reading,
});

const gpu = z.object({
  name: shortText,
  uuid: shortText,
  utilization: reading.describe("Percent · Por cento"),
  memoryUtilization: reading.describe("Percent · Por cento"),
  memoryUsedMiB: reading,
  memoryTotalMiB: reading,
  temperatureC: reading,
  powerW: reading,
  powerLimitW: reading,
});

const failure = z.object({
  type: shortText,
  message: z.string().max(MAX_TEXT),
  todo: z.string().max(MAX_TEXT).nullable(),
  traceback: z.array(z.string().max(MAX_TEXT)).max(50),
});

const checkpointName = z.object({ name: relativePath, step: count, score: reading });

export const beatSchema = z
  .object({
    format: z.literal("eda-beat"),
    version: z.literal(1),
    job: jobId,
    attempt: attemptId,
    sequence: count.describe("Of the attempt, from 1 · Da tentativa, a partir de 1"),
    at: moment.describe("By the runtime's clock · Pelo relógio do ambiente de execução"),
    phase: z.enum(["starting", "training", "finishing", "failed", "cancelled", "superseded"]),
    runtime: shortText.describe("Colab, Jupyter or Python · Colab, Jupyter ou Python"),
    accelerator: acceleratorSchema.nullable(),
    step: count.nullable(),
    epoch: z.number().nullable(),
    total: count.nullable().describe("Steps in all · Total de passos"),
    metrics: metrics.describe("Latest value of each · Último valor de cada"),
    points: z
      .array(z.object({ step: count, epoch: z.number().nullable(), at: moment, values: metrics }))
      .max(2_000)
      .describe("Since the beat before · Desde a batida anterior"),
    dropped: count.describe("Points thinned out · Pontos descartados"),
    gpus: z.array(gpu).max(16),
    process: z.object({ residentBytes: bytes, peakBytes: bytes, cpuSeconds: z.number() }).nullable(),
    machine: z.object({ memoryTotalBytes: bytes, memoryAvailableBytes: bytes, load: z.number() }).nullable(),
    disk: z.object({ freeBytes: bytes, totalBytes: bytes }).nullable(),
    log: file.nullable().describe("Output since the beat before · Saída desde a batida anterior"),
    checkpoint: checkpointName.nullable().describe("Last good one · Último bom"),
    resumedFrom: checkpointName.nullable(),
    error: failure.nullable(),
  })
  .describe("beats/<attempt>-<sequence>.json");

export const checkpointSchema = z
  .object({
    format: z.literal("eda-checkpoint"),
    version: z.literal(1),
    job: jobId,
    attempt: attemptId,
    step: count,
    score: reading.describe("Larger is better · Maior é melhor"),
    at: moment,
    files: z.array(file),
  })
  .describe("checkpoints/<name>/manifest.json");

export const doneSchema = z
  .object({
    format: z.literal("eda-done"),
    version: z.literal(1),
    job: jobId,
    attempt: attemptId,
    at: moment,
    startedAt: moment,
    runtime: shortText,
    accelerator: acceleratorSchema.describe("What really trained · O que de fato treinou"),
    step: count.nullable(),
    metrics: z.record(z.string(), z.json()),
    resumedFrom: checkpointName.nullable(),
    environment: z.record(z.string(), shortText),
    artefacts: z
      .array(file.extend({ name: relativePath.describe("Below the attempt's results"), role: z.enum(["model", "result", "metrics"]) }))
      .max(100_000),
  })
  .describe("DONE.json");

/** Everything that carries a `format`. */
export const jobFolderSchema = z.discriminatedUnion("format", [jobDocumentSchema, beatSchema, checkpointSchema, doneSchema]);

export type JobDocument = z.infer<typeof jobDocumentSchema>;
export type Beat = z.infer<typeof beatSchema>;
export type Done = z.infer<typeof doneSchema>;

/** `whole` as it was written; `partial` when a later read may do (not yet synced); `invalid` when it is whole and not of this format. */
export type Reading<T> =
  | { readonly kind: "whole"; readonly document: T }
  | { readonly kind: "partial" }
  | { readonly kind: "invalid"; readonly problem: string };

export const readJobDocument = (text: string): Reading<JobDocument> => read(text, jobDocumentSchema);
export const readBeat = (text: string): Reading<Beat> => read(text, beatSchema);
export const readDone = (text: string): Reading<Done> => read(text, doneSchema);

function read<T>(text: string, schema: z.ZodType<T>): Reading<T> {
  const value = openSealed(text);
  if (value === undefined) return { kind: "partial" };
  const parsed = schema.safeParse(value);
  if (parsed.success) return { kind: "whole", document: parsed.data };
  const issue = parsed.error.issues[0];
  return { kind: "invalid", problem: `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "unknown"}` };
}

/** DONE.json, also under the names that Drive's clients give a second file of the same name. */
export function isDoneName(name: string): boolean {
  return /^DONE(?: ?\(\d+\))?\.json$/u.test(name);
}

/** As a commit's trailer says it: `Tesla T4, Colab`. */
export function acceleratorText(done: Pick<Done, "accelerator" | "runtime">): string {
  return `${done.accelerator.name}, ${done.runtime}`;
}
