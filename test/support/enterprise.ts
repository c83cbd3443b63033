/** The trainer of Colab Enterprise against the fake of Google Cloud, with quick retries. */
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { SendToCloud } from "../../src/adapters/colab/cloud.ts";
import { type EnterpriseTrainerOptions, openEnterpriseTrainer } from "../../src/adapters/colab/enterprise-trainer.ts";
import type { JobLimits } from "../../src/domain/job/limits.ts";
import { jobLimitsSchema } from "../../src/domain/job/limits.ts";
import { sha256Hex } from "../../src/domain/json.ts";
import { openCloudAccess } from "../../src/host/cloud-access.ts";
import type { JobParcel, JobTrainer } from "../../src/ports/job-trainer.ts";
import { notebookOf, type TestCell } from "./notebooks.ts";
import type { Runtime } from "./vertex-server/executions.ts";
import { BUCKET, PROJECT, REGION, startVertexServer, type VertexServer } from "./vertex-server/server.ts";

const NOTEBOOKS = join(import.meta.dirname, "..", "..", "notebooks");
export const HOST_ACCOUNT = `eda-host@${PROJECT}.iam.gserviceaccount.com`;
export const RUNTIME_ACCOUNT = `treino@${PROJECT}.iam.gserviceaccount.com`;
export const JOB = "job-1";
/** Where its folder lies in the bucket. */
export const FOLDER = `projetos/eda/jobs/${JOB}`;

export interface EnterpriseBench {
  readonly server: VertexServer;
  readonly root: string;
  readonly trainer: JobTrainer;
  /** Addresses as the trainer asked for them, with the method. */
  readonly asked: readonly string[];
  /** As a later life of the host has it. */
  another(change?: Partial<EnterpriseTrainerOptions>): JobTrainer;
  parcel(cells: readonly (string | TestCell)[], limits?: Partial<JobLimits>, data?: string | Buffer): Promise<JobParcel>;
  close(): Promise<void>;
}

/** @param runtime runs the notebooks; the folder is for what it makes */
export async function openEnterpriseBench(runtime: (root: string) => (server: VertexServer) => Runtime): Promise<EnterpriseBench> {
  const root = await mkdtemp(join(tmpdir(), "eda-enterprise-"));
  const server = await startVertexServer(runtime(root));
  const send = openCloudAccess({
    EDA_GOOGLE_CREDENTIALS_FILE: await server.writeKey(root, HOST_ACCOUNT),
    EDA_GOOGLE_CLOUD_ROOT: server.url,
    EDA_GOOGLE_OAUTH_ROOT: server.url,
  });
  const asked: string[] = [];
  const noting: SendToCloud = (request) => {
    asked.push(`${request.method} ${request.url}`);
    return send(request);
  };
  const another: EnterpriseBench["another"] = (change = {}) =>
    openEnterpriseTrainer({
      send: noting,
      project: PROJECT,
      region: REGION,
      bucket: BUCKET,
      prefix: "projetos",
      machineType: "n1-standard-4",
      serviceAccount: RUNTIME_ACCOUNT,
      carrier: readFileSync(join(NOTEBOOKS, "eda_job_gcs.py"), "utf8"),
      pollMs: 50,
      retries: { attempts: 4, baseMs: 5, capMs: 20 },
      releaseGraceMs: 30_000,
      stopMs: 20_000,
      stopPollMs: 50,
      ...change,
    });
  return {
    server,
    root,
    trainer: another(),
    asked,
    another,
    async parcel(cells, limits = {}, data = "rows") {
      const file = join(root, "train.csv");
      await writeFile(file, data);
      return {
        request: {
          job: JOB,
          project: "p",
          run: JOB,
          createdAt: "2026-11-24T12:00:00.000Z",
          inputs: [{ path: "data/train.csv", size: Buffer.byteLength(data), sha256: sha256Hex(data) }],
          parameters: {},
          notebook: { path: "notebooks/p/n.ipynb", text: notebookOf(...cells) },
          helper: readFileSync(join(NOTEBOOKS, "eda_job.py"), "utf8"),
          commit: null,
          accelerator: { wanted: "T4", allowOthers: false },
          limits: jobLimitsSchema.parse({ beatSeconds: 0.4, ...limits }),
        },
        data: new Map([["data/train.csv", file]]),
      };
    },
    async close() {
      await server.close();
      await rm(root, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Waits until it holds, for as long as a loaded machine may take. */
export async function until(holds: () => boolean | Promise<boolean>, withinMs = 120_000): Promise<void> {
  const end = Date.now() + withinMs;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`not within ${withinMs} ms: ${holds}`);
    await delay(50);
  }
}
