/** `configs/eda.yaml`: settings of the workspace. It is governed, so it never holds a secret. */
import { z } from "zod";
import { jobTimesSchema } from "./job/limits.ts";
import { storesSchema } from "./stores.ts";

/** What becomes part of an address is held to what Google Cloud allows there. */
const enterpriseSchema = z.strictObject({
  project: z
    .string()
    .regex(/^[a-z][a-z0-9-]{4,28}[a-z0-9]$/u, { error: "is not the id of a Google Cloud project" })
    .describe("Google Cloud project · Projeto do Google Cloud"),
  region: z
    .string()
    .regex(/^[a-z]+-[a-z]+[0-9]+$/u, { error: "is not a region such as us-central1" })
    .default("us-central1")
    .describe("Region with T4 GPUs · Região com GPUs T4"),
  bucket: z
    .string()
    .regex(/^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/u, { error: "is not the name of a bucket (without gs://)" })
    .describe("Cloud Storage bucket of jobs and datasets · Bucket dos trabalhos e dos dados"),
  prefix: z
    .string()
    .regex(/^[\w-][\w.-]*(?:\/[\w-][\w.-]*)*$/u, { error: "is not a path without slashes at its ends" })
    .optional()
    .describe("Below which eda/ lies in the bucket · Abaixo do qual fica eda/ no bucket"),
  machineType: z
    .string()
    .regex(/^[a-z0-9-]+$/u, { error: "is not a machine type such as n1-standard-4" })
    .default("n1-standard-4")
    .describe("N1 for a T4 · N1 para uma T4"),
  serviceAccount: z.email().describe("Runs the notebook · Conta de serviço que executa o notebook"),
});

export const settingsSchema = z.strictObject({
  git: z
    .strictObject({
      maxFileBytes: z
        .int()
        .positive()
        .default(5 * 1024 * 1024)
        .describe("Largest governed file · Maior arquivo governado"),
      pushRemote: z.string().min(1).default("origin").describe("Remote to push to, when it exists · Remoto para push"),
    })
    .prefault({}),
  engine: z
    .strictObject({
      memoryLimitMiB: z.int().min(128).default(512).describe("Memory of the SQL engine · Memória do motor SQL"),
      threads: z.int().min(1).max(64).default(2),
    })
    .prefault({}),
  jupyter: z
    .strictObject({
      url: z.url().optional().describe("Jupyter server; a local one is started without it · Servidor Jupyter"),
    })
    .prefault({}),
  jobs: z
    .strictObject({
      limits: jobTimesSchema.prefault({}).describe("Times of training jobs, seconds · Tempos dos trabalhos, em segundos"),
      pollSeconds: z.number().positive().optional().describe("Between two looks into a job's folder · Entre duas leituras da pasta"),
    })
    .prefault({}),
  colab: z
    .strictObject({
      folder: z
        .string()
        .min(1)
        .optional()
        .describe("Folder of the Drive below which jobs lie, in eda/ · Pasta do Drive onde ficam os trabalhos, em eda/"),
      enterprise: enterpriseSchema.optional().describe("Colab Enterprise, for modeling.trainer: colab-enterprise"),
    })
    .prefault({}),
  stores: storesSchema.prefault({}).describe("Servers behind the ports; taken at the host's start · Servidores; lidos no início do host"),
});

export type Settings = z.infer<typeof settingsSchema>;
