/**
 * Training on Colab Enterprise from end to end: the built host, the fake of Google Cloud over HTTP, whose executions really run the notebook on a
 * Jupyter kernel. No GPU is there: nvidia-smi is a stand-in.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { call } from "../../src/protocol/client.ts";
import { type JobView, JobViewOf } from "../../src/protocol/jobs.ts";
import { HOST_ACCOUNT, RUNTIME_ACCOUNT, until } from "../support/enterprise.ts";
import { openTestHost, type TestHost } from "../support/host.ts";
import { notebookOf } from "../support/notebooks.ts";
import { describeWithPython } from "../support/python.ts";
import { rpcError } from "../support/vertex-server/answers.ts";
import { kernelRuntime } from "../support/vertex-server/kernel-runtime.ts";
import { BUCKET, PROJECT, startVertexServer, type VertexServer } from "../support/vertex-server/server.ts";
import { createWorkspace, type TestWorkspace } from "../support/workspace.ts";

const NOTEBOOK = "notebooks/lojas/media.ipynb";
const PROJECT_FILE = "configs/projects/lojas.yaml";
const TEST_TIMEOUT_MS = 240_000;
const TRAIN = notebookOf(
  { source: "epochs = 8", tags: ["parameters"] },
  `import time
import pandas as pd
mean = pd.read_parquet(job.data / "train.parquet")["valor"].astype(float).mean()
for epoch in range(epochs):
    job.stop_if_asked()
    job.log_metrics(step=epoch + 1, total=epochs, loss=1 / (epoch + 1))
    time.sleep(0.5)`,
  'job.save_model({"mean": mean}, "model.json")\njob.save_result({"mae": 0.5}, "metrics.json")',
);

describeWithPython("a T4 job on Colab Enterprise", (python) => {
  let root: string;
  let server: VertexServer;
  let workspace: TestWorkspace;
  let host: TestHost;
  let env: NodeJS.ProcessEnv;

  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), "eda-enterprise-"));
    server = await startVertexServer(kernelRuntime({ python, folder: join(root, "machines") }));
    env = {
      EDA_GOOGLE_CREDENTIALS_FILE: await server.writeKey(root, HOST_ACCOUNT),
      EDA_GOOGLE_CLOUD_ROOT: server.url,
      EDA_GOOGLE_OAUTH_ROOT: server.url,
    };
    workspace = createWorkspace("enterprise");
    const write = (path: string, text: string) => writeFileSync(join(workspace.folder, path), text);
    write(NOTEBOOK, TRAIN);
    const modeling = `modeling:\n  notebook: ${NOTEBOOK}\n  dataset: vendas\n  trainer: colab-enterprise\n  accelerator: T4\n  limits: { beatSeconds: 1, lateSeconds: 30, suspectSeconds: 40, lostSeconds: 50 }\n`;
    write(PROJECT_FILE, readFileSync(join(workspace.folder, PROJECT_FILE), "utf8").replace(/modeling:[\s\S]*?(?=deploy:)/u, modeling));
    const enterprise = `{ project: ${PROJECT}, bucket: ${BUCKET}, prefix: times/dados, serviceAccount: ${RUNTIME_ACCOUNT} }`;
    write("configs/eda.yaml", `engine:\n  threads: 1\njobs:\n  pollSeconds: 0.3\ncolab:\n  enterprise: ${enterprise}\n`);
    host = await openTestHost(workspace.folder, { env });
    for (const stage of ["capture", "ingest", "staging", "curation", "datasets"] as const) {
      const summary = await host.run(stage);
      expect(summary, JSON.stringify(summary.error)).toMatchObject({ state: "succeeded" });
    }
  }, TEST_TIMEOUT_MS);
  afterEach(() => server.heal());
  afterAll(async () => {
    await host?.stop();
    await server?.close();
    workspace?.remove();
    rmSync(root, { recursive: true, force: true, maxRetries: 5 });
  }, TEST_TIMEOUT_MS);

  const view = (job: string): Promise<JobView> => call(host.rpc.sendRequest(JobViewOf, { job }));
  const folderOf = (job: string) => `times/dados/eda/jobs/${job}/`;
  const executionsOf = (job: string) => server.executions.all.filter(({ request }) => request.labels?.["eda-job"] === job);
  const beats = (job: string) => server.objects.names(`${folderOf(job)}beats/`);

  it(
    "registers and commits what was trained there, with the accelerator that it really had; a host that was killed meanwhile asks for no second machine",
    async () => {
      const [job] = (await host.startRun("modeling", { force: true })) as [string];
      const interrupted = host.endOf(job).catch(() => undefined);
      await until(() => beats(job).length > 2);
      await host.kill();
      await interrupted;
      host = await openTestHost(workspace.folder, { env });
      const summary = await host.endOf(job);
      expect(summary, JSON.stringify(summary.error)).toMatchObject({ state: "succeeded" });

      expect(executionsOf(job).map(({ state }) => state)).toEqual(["JOB_STATE_SUCCEEDED"]);
      const done = await view(job);
      expect(done).toMatchObject({
        trainer: `Colab Enterprise, ${PROJECT} in us-central1`,
        accelerator: "Tesla T4 (stand-in), Colab Enterprise",
        status: { state: "succeeded", attempts: [{ done: { step: 8 } }] },
        commitAfter: summary.commitAfter,
      });
      expect(done.outputs.map(({ name }) => name)).toEqual(["metrics.json", "model.json"]);
      expect(workspace.commits().at(-1)).toMatchObject({
        subject: "feat: pipeline de modelagem no Colab com GPU",
        trailers: { Acelerador: "Tesla T4 (stand-in), Colab Enterprise" },
      });
      expect((await host.verify()).problems).toEqual([]);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    "leaves no machine when its run is cancelled",
    async () => {
      const [job] = (await host.startRun("modeling", { force: true })) as [string];
      const end = host.endOf(job);
      await until(() => beats(job).length > 1);
      await host.cancel(job);
      expect(await end).toMatchObject({ state: "cancelled" });
      expect(executionsOf(job).map(({ state }) => state)).toEqual(["JOB_STATE_CANCELLED"]);
      expect(server.objects.names(folderOf(job))).toContain(`${folderOf(job)}CANCEL`);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    "says what to do when the project has no quota for a T4",
    async () => {
      const answer = rpcError("RESOURCE_EXHAUSTED", "The following quota metrics exceed quota limits: nvidia_t4_gpus");
      server.fail({ on: /^POST .*notebookExecutionJobs\?/u, answer });
      const summary = await host.run("modeling", { force: true });
      expect(summary).toMatchObject({ state: "failed", error: { code: "cloud-quota", todo: expect.stringContaining("Quotas") } });
      expect(JSON.stringify(summary)).not.toMatch(/Bearer|fake\.[0-9a-f]/u);
    },
    TEST_TIMEOUT_MS,
  );
});
