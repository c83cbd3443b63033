/** Stage 6 on real stores and a real kernel. */
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { openJupyterTrainer } from "../../src/adapters/jupyter/trainer.ts";
import { objectUri } from "../../src/domain/asset.ts";
import { upstreamOf } from "../../src/domain/lineage.ts";
import { captureStage } from "../../src/pipeline/stages/capture.ts";
import { curationStage } from "../../src/pipeline/stages/curation.ts";
import { datasetsStage } from "../../src/pipeline/stages/datasets.ts";
import { ingestStage } from "../../src/pipeline/stages/ingest.ts";
import { modelingStage } from "../../src/pipeline/stages/modeling.ts";
import { stagingStage } from "../../src/pipeline/stages/staging.ts";
import { collect } from "../support/collect.ts";
import { notebookOf, WRITE_METRICS } from "../support/notebooks.ts";
import { describeWithPython } from "../support/python.ts";
import { openTestServices, type TestRunOptions, type TestServices } from "../support/services.ts";
import { SMALL_PROJECT } from "../support/small-project.ts";
import { createWorkspace, type TestWorkspace } from "../support/workspace.ts";

const PROJECT_FILE = "configs/projects/lojas.yaml";
const NOTEBOOK = "notebooks/lojas/media.ipynb";
/** Each run starts a server and a kernel. */
const TEST_TIMEOUT_MS = 120_000;

describeWithPython("modeling", (python) => {
  let workspace: TestWorkspace;
  let test: TestServices;
  let originals: Record<string, string>;

  beforeAll(async () => {
    workspace = createWorkspace("modeling");
    originals = Object.fromEntries([PROJECT_FILE, NOTEBOOK].map((path) => [path, readFileSync(join(workspace.folder, path), "utf8")]));
    test = await openTestServices(workspace);
    for (const stage of [captureStage, ingestStage, stagingStage, curationStage]) {
      expect(await test.run(stage)).toMatchObject({ state: "succeeded" });
    }
  }, TEST_TIMEOUT_MS);
  afterAll(async () => {
    await test.close();
    workspace.remove();
  });
  afterEach(() => {
    for (const [path, text] of Object.entries(originals)) write(path, text);
  });

  const write = (path: string, text: string) => writeFileSync(join(workspace.folder, path), text);
  const editProject = (edit: (text: string) => string) => write(PROJECT_FILE, edit(originals[PROJECT_FILE] as string));
  const run = (options: TestRunOptions = {}) => {
    const trainer = openJupyterTrainer({ stateFolder: join(workspace.folder, ".eda"), env: { ...process.env, EDA_PYTHON: python } });
    return test.run(modelingStage, { services: { ...test.services, trainer: () => trainer }, ...options });
  };
  const keys = () => collect(test.services.objects.versions("outputs", ""), ({ key }) => key);
  const newestJob = async () => (await test.services.inventory.jobs(SMALL_PROJECT))[0];

  it("says that there is nothing to train on before datasets has run", async () => {
    expect(await run()).toMatchObject({ state: "failed", error: { code: "inputs-missing" } });
    expect(await test.run(datasetsStage)).toMatchObject({ state: "succeeded" });
  });

  it(
    "keeps metrics, artefacts and executed notebook of the job, and what trained it in the commit",
    async () => {
      const record = await run();
      expect(record).toMatchObject({
        state: "succeeded",
        details: { accelerator: "cpu, jupyter local", dataset: "vendas", metrics: { mae: 0.5, baseline_mae: 0.7 } },
      });
      const job = await newestJob();
      expect(job).toMatchObject({
        job: record.run,
        state: "succeeded",
        accelerator: "cpu, jupyter local",
        parameters: { wait_seconds: 0, eda_data_dir: "data", eda_results_dir: "results" },
        artefacts: [
          { name: "metrics.json", bucket: "outputs", key: `lojas/jobs/${record.run}/results/metrics.json` },
          { name: "model.json", mediaType: "application/json" },
        ],
      });
      expect(await keys()).toEqual([
        `lojas/jobs/${record.run}/executed.ipynb`,
        `lojas/jobs/${record.run}/results/metrics.json`,
        `lojas/jobs/${record.run}/results/model.json`,
      ]);
      const after = workspace.commits().at(-1);
      expect(after).toMatchObject({
        subject: "feat: pipeline de modelagem no Colab com GPU",
        trailers: { Acelerador: "cpu, jupyter local", Execucao: record.run },
      });
      expect(workspace.status()).toEqual([]);
    },
    TEST_TIMEOUT_MS,
  );

  it("leads from the model back to the splits, the notebook and the Drive files", async () => {
    const model = (await newestJob())?.artefacts.find(({ name }) => name === "model.json");
    if (model === undefined) throw new Error("no model");
    const upstream = upstreamOf(await test.services.inventory.lineage(objectUri(model)));
    for (const prefix of ["job:lojas/modeling@", "object:datasets/lojas/vendas/train.parquet@", `code:${NOTEBOOK}@`, "drive:"]) {
      expect(
        upstream.some((uri) => uri.startsWith(prefix)),
        prefix,
      ).toBe(true);
    }
  });

  it("has nothing to do when data, notebook and parameters are unchanged, whatever time it is given", async () => {
    editProject((text) => text.replace("dataset: vendas", "dataset: vendas\n  timeoutMinutes: 5"));
    expect(await run()).toMatchObject({ state: "unchanged" });
  });

  it(
    "leaves one set of objects when every step is done twice",
    async () => {
      const before = await keys();
      const record = await run({ force: true, twice: true });
      expect(record).toMatchObject({ state: "succeeded" });
      expect((await keys()).filter((key) => !before.includes(key))).toHaveLength(3);
      expect(await keys()).toHaveLength(before.length + 3);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    "shows a failing cell at the notebook, keeps its outputs at hand and publishes nothing",
    async () => {
      const before = { keys: await keys(), job: await newestJob() };
      write(NOTEBOOK, notebookOf("print('até aqui')", "raise ValueError('dados tortos')"));
      const record = await run();
      expect(record).toMatchObject({
        state: "failed",
        error: { code: "notebook-failed", message: "Code cell 2 of 2 raised ValueError: dados tortos", at: { file: NOTEBOOK } },
      });
      const kept = `.eda/jobs/${record.run}/executed.ipynb`;
      expect(record.error?.todo).toContain(kept);
      expect(readFileSync(join(workspace.folder, kept), "utf8")).toContain("até aqui");
      expect({ keys: await keys(), job: await newestJob() }).toEqual(before);
      expect(workspace.commits().at(-1)?.subject).toBe("docs: falha registrada na etapa modeling do projeto lojas");
    },
    TEST_TIMEOUT_MS,
  );

  it(
    "is trained by a second attempt when its kernel dies, if the project file allows one",
    async () => {
      editProject((text) => text.replace("dataset: vendas\n", "dataset: vendas\n  attempts: 2\n"));
      write(
        NOTEBOOK,
        notebookOf("import os, signal\nif job.attempt.startswith('001'): os.kill(os.getpid(), signal.SIGKILL)", WRITE_METRICS),
      );
      const record = await run();
      expect(record).toMatchObject({ state: "succeeded", details: { attempts: 2, attempt: expect.stringMatching(/^002-/u) } });
    },
    TEST_TIMEOUT_MS,
  );

  it(
    "is cancelled in the middle of a cell, leaving no server, no object and no job",
    async () => {
      const before = { keys: await keys(), job: await newestJob() };
      const started = join(workspace.folder, "..", "iniciado");
      rmSync(started, { force: true });
      write(NOTEBOOK, notebookOf(`import time\nopen(${JSON.stringify(started)}, "w").close()\ntime.sleep(600)`));
      const controller = new AbortController();
      const watch = setInterval(() => existsSync(started) && controller.abort(), 100);
      const record = await run({ signal: controller.signal });
      clearInterval(watch);
      expect(record).toMatchObject({ state: "cancelled" });
      expect({ keys: await keys(), job: await newestJob() }).toEqual(before);
      expect(existsSync(join(workspace.folder, ".eda", "jupyter", record.run))).toBe(false);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    "does not let a notebook change the data it trains on",
    async () => {
      const stored = await test.services.objects.head("datasets", "lojas/vendas/train.parquet");
      if (stored === undefined) throw new Error("no split");
      const file = await test.services.objects.materialize(stored, stored, join(workspace.folder, ".eda"), new AbortController().signal);
      const before = readFileSync(file);
      write(NOTEBOOK, notebookOf(`open("data/train.parquet", "ab").write(b"x")`, `open("results/metrics.json", "w").write("{}")`));
      expect(await run()).toMatchObject({ state: "succeeded" });
      expect(readFileSync(file).equals(before)).toBe(true);
    },
    TEST_TIMEOUT_MS,
  );

  it.each([
    ["no modeling section", (text: string) => text.replace(/modeling:[\s\S]*?(?=deploy:)/u, ""), "stage-not-configured"],
    ["a parameter that the stage sets", (text: string) => text.replace("wait_seconds: 0", "eda_data_dir: fora"), "reserved-parameter"],
    ["a notebook that is not there", (text: string) => text.replace("media.ipynb", "falta.ipynb"), "missing-file"],
  ])("refuses %s before anything is committed", async (_what, edit, code) => {
    const commits = workspace.commits().length;
    editProject(edit);
    expect(await run()).toMatchObject({ state: "failed", commitBefore: null, error: { kind: "precondition", code } });
    expect(workspace.commits()).toHaveLength(commits);
  });

  it("refuses a notebook that is not one, at the line", async () => {
    write(NOTEBOOK, "{\n  cells: []\n}\n");
    expect(await run()).toMatchObject({ state: "failed", error: { code: "invalid-notebook", at: { file: NOTEBOOK, line: 2 } } });
  });
});
