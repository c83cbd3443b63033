import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { driveUri, objectUri } from "../../src/domain/asset.ts";
import { upstreamOf } from "../../src/domain/lineage.ts";
import { captureStage } from "../../src/pipeline/stages/capture.ts";
import { curationStage } from "../../src/pipeline/stages/curation.ts";
import { datasetsStage } from "../../src/pipeline/stages/datasets.ts";
import { ingestStage } from "../../src/pipeline/stages/ingest.ts";
import { stagingStage } from "../../src/pipeline/stages/staging.ts";
import { collect } from "../support/collect.ts";
import { query, sha256Of } from "../support/parquet.ts";
import { openTestServices, type TestServices } from "../support/services.ts";
import { SMALL_PROJECT } from "../support/small-project.ts";
import { createWorkspace, type TestWorkspace } from "../support/workspace.ts";

const PROJECT_FILE = "configs/projects/lojas.yaml";

describe("datasets", () => {
  let workspace: TestWorkspace;
  let test: TestServices;
  let original: string;

  beforeAll(async () => {
    workspace = createWorkspace("datasets");
    original = readFileSync(join(workspace.folder, PROJECT_FILE), "utf8");
    test = await openTestServices(workspace);
    for (const stage of [captureStage, ingestStage, stagingStage, curationStage]) {
      expect(await test.run(stage)).toMatchObject({ state: "succeeded" });
    }
  });
  afterAll(async () => {
    await test.close();
    workspace.remove();
  });

  const editProject = (edit: (text: string) => string) => writeFileSync(join(workspace.folder, PROJECT_FILE), edit(original));
  const current = () => collect(test.services.inventory.currentRows("datasets", SMALL_PROJECT), (row) => row);
  async function fileOf(name: string): Promise<string> {
    const row = (await current()).find((candidate) => candidate.name === name);
    if (row === undefined) throw new Error(`no current row ${name}`);
    return test.services.objects.materialize(row, row, join(workspace.folder, ".eda"), new AbortController().signal);
  }

  it("makes train, validation and test, without a key in two of them, and describes them", async () => {
    const record = await test.run(datasetsStage);
    expect(record).toMatchObject({ state: "succeeded" });
    expect((await current()).map(({ name, key, role }) => [name, key, role])).toEqual([
      ["vendas/croissant.json", "lojas/vendas/croissant.json", "metadata"],
      ["vendas/test", "lojas/vendas/test.parquet", "data"],
      ["vendas/train", "lojas/vendas/train.parquet", "data"],
      ["vendas/validation", "lojas/vendas/validation.parquet", "data"],
    ]);
    const files = await Promise.all(["train", "validation", "test"].map((split) => fileOf(`vendas/${split}`)));
    const [counts] = await query(
      `SELECT count(*)::INTEGER AS rows, count(DISTINCT pedido)::INTEGER AS keys FROM read_parquet([${files.map((file) => `'${file}'`).join(", ")}])`,
    );
    expect(counts).toEqual({ rows: 40, keys: 40 });
  });

  it("has nothing to do when tables and splits are unchanged", async () => {
    expect(await test.run(datasetsStage)).toMatchObject({ state: "unchanged" });
  });

  it("describes each file by its sha256 and each column by its type, in Croissant 1.0", async () => {
    const document = JSON.parse(readFileSync(await fileOf("vendas/croissant.json"), "utf8"));
    expect(document).toMatchObject({ "@type": "sc:Dataset", conformsTo: "http://mlcommons.org/croissant/1.0", name: "lojas_vendas" });
    for (const split of ["train", "validation", "test"]) {
      const object = document.distribution.find((each: { "@id": string }) => each["@id"] === `${split}.parquet`);
      expect(object).toMatchObject({
        "@type": "cr:FileObject",
        encodingFormat: "application/x-parquet",
        sha256: await sha256Of(await fileOf(`vendas/${split}`)),
      });
      const records = document.recordSet.find((each: { "@id": string }) => each["@id"] === split);
      expect(records.key).toEqual({ "@id": `${split}/pedido` });
      expect(records.field.map((field: { name: string; dataType: string }) => [field.name, field.dataType])).toEqual([
        ["pedido", "sc:Integer"],
        ["loja", "sc:Text"],
        ["cidade", "sc:Text"],
        ["valor", "sc:Float"],
        ["dia", "sc:Date"],
      ]);
      expect(records.field[0].source).toEqual({ fileObject: { "@id": `${split}.parquet` }, extract: { column: "pedido" } });
    }
  });

  it("leads from a split back to Drive", async () => {
    const train = (await current()).find((row) => row.name === "vendas/train");
    const upstream = upstreamOf(await test.services.inventory.lineage(objectUri(train as NonNullable<typeof train>)));
    for (const start of [
      "object:curated-data/lojas/vendas.parquet@",
      `code:${PROJECT_FILE}@`,
      "code:sql/lojas/curated/vendas.sql@",
      "drive:",
    ]) {
      expect(
        upstream.some((uri) => uri.startsWith(start)),
        start,
      ).toBe(true);
    }
  });

  it("keeps versions when it is forced, and when every step is done twice", async () => {
    const before = (await current()).map(objectUri);
    expect(await test.run(datasetsStage, { force: true, twice: true })).toMatchObject({ state: "succeeded" });
    expect((await current()).map(objectUri)).toEqual(before);
  });

  it("exports to Drive when asked, with lineage to the files there", async () => {
    editProject((text) =>
      text.replace("    seed: 7\n", "    seed: 7\n    export: true\n").replace("drive:\n", "drive:\n  exportFolder: .eda/exportados\n"),
    );
    expect(await test.run(datasetsStage)).toMatchObject({
      state: "failed",
      error: { code: "drive-folder-not-found", at: { file: PROJECT_FILE } },
    });
    mkdirSync(join(workspace.folder, ".eda", "exportados"));
    expect(await test.run(datasetsStage, { twice: true })).toMatchObject({
      state: "succeeded",
      details: { exported: { folder: ".eda/exportados", files: 4 } },
    });
    const exported = join(workspace.folder, ".eda", "exportados", "vendas");
    expect(await sha256Of(join(exported, "train.parquet"))).toBe(await sha256Of(await fileOf("vendas/train")));
    expect(JSON.parse(readFileSync(join(exported, "croissant.json"), "utf8")).name).toBe("lojas_vendas");
    // The folder adapter's id is the path, its version changes with the content: the newest is asked for by what lies there.
    const folder = await test.services.drive.list(".eda/exportados", new AbortController().signal);
    expect(folder.files.map((file) => file.segments.join("/"))).toEqual([
      "vendas/croissant.json",
      "vendas/test.parquet",
      "vendas/train.parquet",
      "vendas/validation.parquet",
    ]);
    const train = (await current()).find((row) => row.name === "vendas/train");
    const exportedTrain = folder.files.find((file) => file.segments.at(-1) === "train.parquet");
    const graph = await test.services.inventory.lineage(driveUri(exportedTrain?.id as string, exportedTrain?.version as string));
    expect(upstreamOf(graph)).toContain(objectUri(train as NonNullable<typeof train>));
  });

  it("retires what a renamed dataset leaves behind", async () => {
    editProject((text) =>
      text.replace("  - name: vendas\n    from", "  - name: novas\n    from").replace("dataset: vendas", "dataset: novas"),
    );
    expect(await test.run(datasetsStage)).toMatchObject({ state: "succeeded" });
    expect([...new Set((await current()).map(({ name }) => name.split("/")[0]))]).toEqual(["novas"]);
  });

  it.each([
    ["an unknown table, with the nearest one", (text: string) => text.replace("from: vendas", "from: venda"), "unknown-table"],
    ["a key that does not identify rows", (text: string) => text.replace("key: [pedido]", "key: [loja]"), "split-key-not-unique"],
    ["a key that is no column", (text: string) => text.replace("key: [pedido]", "key: [pedidos]"), "missing-column"],
    [
      "two ways to split at once",
      (text: string) => text.replace("    seed: 7\n", "    seed: 7\n    group: loja\n    stratify: cidade\n"),
      "invalid-config",
    ],
    [
      "an export without a folder",
      (text: string) => text.replace("    seed: 7\n", "    seed: 7\n    export: true\n"),
      "export-folder-missing",
    ],
    [
      "a time cut that leaves train empty",
      (text: string) => text.replace("    seed: 7\n", '    time: { column: dia, validationFrom: "2020-01-01", testFrom: "2021-01-01" }\n'),
      "empty-split",
    ],
    ["a project file without datasets", (text: string) => text.replace(/datasets:\n[\s\S]*/u, ""), "stage-not-configured"],
  ])("refuses %s at the project file, and publishes nothing", async (_, edit, code) => {
    const before = await current();
    editProject(edit);
    expect(await test.run(datasetsStage)).toMatchObject({ state: "failed", error: { code, at: { file: PROJECT_FILE } } });
    expect(await current()).toEqual(before);
  });
});
