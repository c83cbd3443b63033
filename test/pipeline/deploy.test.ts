/** Stage 7 on real stores; training is stood in for by a trainer that writes what the test says, because no kernel matters here. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { objectUri } from "../../src/domain/asset.ts";
import { upstreamOf } from "../../src/domain/lineage.ts";
import { captureStage } from "../../src/pipeline/stages/capture.ts";
import { curationStage } from "../../src/pipeline/stages/curation.ts";
import { datasetsStage } from "../../src/pipeline/stages/datasets.ts";
import { deployStage } from "../../src/pipeline/stages/deploy.ts";
import { ingestStage } from "../../src/pipeline/stages/ingest.ts";
import { modelingStage } from "../../src/pipeline/stages/modeling.ts";
import { stagingStage } from "../../src/pipeline/stages/staging.ts";
import { collect } from "../support/collect.ts";
import { writingTrainer } from "../support/memory-trainer.ts";
import { openTestServices, type TestServices } from "../support/services.ts";
import { SMALL_PROJECT } from "../support/small-project.ts";
import { createWorkspace, type TestWorkspace } from "../support/workspace.ts";

const PROJECT_FILE = "configs/projects/lojas.yaml";

const FIRST = { "model.json": "1", "metrics.json": '{"mae":0.5}', "plots/erro.csv": "a,b\n", "sobra.tmp": "x" };

describe("deploy", () => {
  let workspace: TestWorkspace;
  let test: TestServices;
  let original: string;

  beforeAll(async () => {
    workspace = createWorkspace("deploy");
    original = readFileSync(join(workspace.folder, PROJECT_FILE), "utf8").replace('["metrics.json"]', '["*.json", "plots/**", "nada/*"]');
    editProject((text) => text);
    test = await openTestServices(workspace);
    for (const stage of [captureStage, ingestStage, stagingStage, curationStage, datasetsStage]) {
      expect(await test.run(stage)).toMatchObject({ state: "succeeded" });
    }
  });
  afterAll(async () => {
    await test.close();
    workspace.remove();
  });

  const editProject = (edit: (text: string) => string) => writeFileSync(join(workspace.folder, PROJECT_FILE), edit(original));
  const current = () => collect(test.services.inventory.currentRows("models", SMALL_PROJECT), (row) => row);
  const trainOn = async (files: Readonly<Record<string, string>>) => {
    const services = { ...test.services, trainer: () => writingTrainer(files) };
    expect(await test.run(modelingStage, { services, force: true })).toMatchObject({ state: "succeeded" });
  };
  const contentOf = async (name: string) => {
    const row = (await current()).find((each) => each.name === name);
    if (row === undefined) throw new Error(`no current row ${name}`);
    return readFileSync(
      await test.services.objects.materialize(row, row, join(workspace.folder, ".eda"), new AbortController().signal),
      "utf8",
    );
  };

  it("says that nothing has been trained yet", async () => {
    expect(await test.run(deployStage)).toMatchObject({ state: "failed", error: { code: "inputs-missing" } });
  });

  it("registers model and outputs of the newest job with version, metrics and what trained it", async () => {
    await trainOn(FIRST);
    const record = await test.run(deployStage);
    expect(record).toMatchObject({ state: "succeeded", details: { model: "media", version: 1, metrics: { mae: 0.5 } } });
    const rows = await current();
    expect(rows.map(({ name, bucket, key, role }) => [name, bucket, key, role])).toEqual([
      ["media/model.json", "models", "lojas/media/model.json", "model"],
      ["outputs/metrics.json", "outputs", "lojas/deploy/metrics.json", "output"],
      ["outputs/plots/erro.csv", "outputs", "lojas/deploy/plots/erro.csv", "output"],
    ]);
    expect(rows[0]?.details).toMatchObject({
      modelo: "media",
      versao: 1,
      metricas: { mae: 0.5 },
      acelerador: "cpu, test",
      treinador: "test",
      dataset: "vendas",
      parametros: { wait_seconds: 0 },
    });
    expect(workspace.commits().at(-1)?.subject).toBe("feat: deploy e outputs finalizados");
  });

  it("leads from the deployed model back to the Drive files, through every stage", async () => {
    const [model] = await current();
    if (model === undefined) throw new Error("no model");
    const graph = await test.services.inventory.lineage(objectUri(model));
    const upstream = upstreamOf(graph);
    for (const prefix of [
      "object:outputs/lojas/jobs/",
      "job:",
      "object:datasets/",
      "object:curated-data/",
      "object:staging-data/",
      "object:raw-data/",
      "local:",
      "drive:",
    ]) {
      expect(
        upstream.some((uri) => uri.startsWith(prefix)),
        prefix,
      ).toBe(true);
    }
    expect(new Set(graph.runs.map((run) => run.stage))).toEqual(
      new Set(["capture", "ingest", "staging", "curation", "datasets", "modeling", "deploy"]),
    );
  });

  it("has nothing to do when another job made the same files", async () => {
    await trainOn(FIRST);
    expect(await test.run(deployStage)).toMatchObject({ state: "unchanged" });
  });

  it("keeps versions and objects when it is forced, also when every step is done twice", async () => {
    const before = (await current()).map(objectUri);
    expect(await test.run(deployStage, { force: true, twice: true })).toMatchObject({ state: "succeeded", details: { version: 1 } });
    expect((await current()).map(objectUri)).toEqual(before);
  });

  it("keeps the model's version when only an output changes", async () => {
    await trainOn({ ...FIRST, "metrics.json": '{"mae":0.4}' });
    expect(await test.run(deployStage)).toMatchObject({ state: "succeeded", details: { version: 1 } });
    expect(await contentOf("outputs/metrics.json")).toBe('{"mae":0.4}');
  });

  it("raises the version when the model changes, under the same key, and retires outputs that are no longer made", async () => {
    await trainOn({ "model.json": "2", "metrics.json": '{"mae":0.4}' });
    expect(await test.run(deployStage, { twice: true })).toMatchObject({ state: "succeeded", details: { version: 2 } });
    expect((await current()).map(({ name, key, details }) => [name, key, details.versao])).toEqual([
      ["media/model.json", "lojas/media/model.json", 2],
      ["outputs/metrics.json", "lojas/deploy/metrics.json", 2],
    ]);
    expect(await contentOf("media/model.json")).toBe("2");
    expect(await collect(test.services.objects.versions("models", ""), ({ key }) => key)).toEqual([
      "lojas/media/model.json",
      "lojas/media/model.json",
    ]);
  });

  it("names the model file that no result matches, and what there is", async () => {
    editProject((text) => text.replace('["model.json"]', '["*.onnx"]'));
    expect(await test.run(deployStage)).toMatchObject({
      state: "failed",
      error: { kind: "terminal", code: "model-file-missing", todo: "It made: metrics.json, model.json." },
    });
    expect((await current())[0]?.details.versao).toBe(2);
  });

  it.each([
    ["no deploy section", (text: string) => text.replace(/deploy:[\s\S]*/u, ""), "stage-not-configured"],
    ["a model whose name the outputs have", (text: string) => text.replace("name: media,", "name: outputs,"), "reserved-model-name"],
  ])("refuses %s", async (_what, edit, code) => {
    editProject(edit);
    expect(await test.run(deployStage)).toMatchObject({ state: "failed", commitBefore: null, error: { kind: "precondition", code } });
  });
});
