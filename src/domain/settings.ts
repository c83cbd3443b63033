/** `configs/eda.yaml`: settings of the workspace. It is governed, so it never holds a secret. */
import { z } from "zod";
import { jobTimesSchema } from "./job/limits.ts";
import { storesSchema } from "./stores.ts";

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
    })
    .prefault({}),
  stores: storesSchema.prefault({}).describe("Servers behind the ports; taken at the host's start · Servidores; lidos no início do host"),
});

export type Settings = z.infer<typeof settingsSchema>;
