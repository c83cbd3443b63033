import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { objectUri } from "../../src/domain/asset.ts";
import { upstreamOf } from "../../src/domain/lineage.ts";
import { captureStage } from "../../src/pipeline/stages/capture.ts";
import { ingestStage } from "../../src/pipeline/stages/ingest.ts";
import { stagingStage } from "../../src/pipeline/stages/staging.ts";
import { collect } from "../support/collect.ts";
import { query } from "../support/parquet.ts";
import { openTestServices, type TestServices } from "../support/services.ts";
import { orders, SHOPS, SMALL_DRIVE, SMALL_PROJECT, writeFiles } from "../support/small-project.ts";
import { createWorkspace, type TestWorkspace } from "../support/workspace.ts";

const PROJECT_FILE = "configs/projects/lojas.yaml";

describe("staging", () => {
  let workspace: TestWorkspace;
  let test: TestServices;
  let original: string;

  beforeAll(async () => {
    workspace = createWorkspace("staging");
    original = readFileSync(join(workspace.folder, PROJECT_FILE), "utf8");
    test = await openTestServices(workspace);
    await loadRaw({ "pedidos.csv": orders(40) });
  });
  afterAll(async () => {
    await test.close();
    workspace.remove();
  });

  async function loadRaw(files: Readonly<Record<string, string>>): Promise<void> {
    writeFiles(join(workspace.folder, SMALL_DRIVE), files);
    for (const stage of [captureStage, ingestStage]) expect((await test.run(stage)).state).toMatch(/succeeded|unchanged/u);
  }

  const editProject = (edit: (text: string) => string) => writeFileSync(join(workspace.folder, PROJECT_FILE), edit(original));
  const withGroups = (text: string) => text.replace('decimalChar: ","', 'decimalChar: ",", groupChar: "."');
  const current = () => collect(test.services.inventory.currentRows("staging", SMALL_PROJECT), (row) => row);
  async function tableOf(name: string) {
    const row = (await current()).find((candidate) => candidate.name === name);
    if (row === undefined) throw new Error(`no current row ${name}`);
    const file = await test.services.objects.materialize(row, row, join(workspace.folder, ".eda"), new AbortController().signal);
    return query(`SELECT * FROM read_parquet('${file}')`);
  }

  it("makes typed tables in foreign-key order and registers them", async () => {
    const record = await test.run(stagingStage);
    expect(record).toMatchObject({
      state: "succeeded",
      details: { tables: { lojas: { rows: 2, rejected: 0 }, pedidos: { rows: 40, rejected: 0, reasons: {} } } },
    });
    expect(await current()).toMatchObject([
      { name: "lojas", bucket: "staging-data", key: "lojas/lojas.parquet", role: "data", rows: 2 },
      {
        name: "pedidos",
        key: "lojas/pedidos.parquet",
        rows: 40,
        details: {
          colunas: [{ nome: "pedido", tipo: "BIGINT" }, { nome: "loja" }, { nome: "valor", tipo: "DOUBLE" }, { nome: "dia", tipo: "DATE" }],
          rejeitadas: 0,
        },
      },
    ]);
    expect((await tableOf("pedidos"))[1]).toEqual({ pedido: "2", loja: "B", valor: 1.5, dia: "2026-11-02" });
  });

  it("has nothing to do when files and schema are unchanged", async () => {
    expect(await test.run(stagingStage)).toMatchObject({ state: "unchanged" });
  });

  it("leads from a table back to raw object, project file and referenced table", async () => {
    const rows = await current();
    const [shops, pedidos] = rows as [(typeof rows)[number], (typeof rows)[number]];
    const graph = await test.services.inventory.lineage(objectUri(pedidos));
    const upstream = upstreamOf(graph);
    expect(upstream).toContain(objectUri(shops));
    expect(upstream.some((uri) => uri.startsWith("object:raw-data/lojas/pedidos.csv@"))).toBe(true);
    expect(upstream.some((uri) => uri.startsWith(`code:${PROJECT_FILE}@`))).toBe(true);
    expect(upstream.some((uri) => uri.startsWith("drive:"))).toBe(true);
  });

  it("keeps the versions of tables that come out the same, also when every step is done twice", async () => {
    const before = (await current()).map(objectUri);
    expect(await test.run(stagingStage, { force: true, twice: true })).toMatchObject({ state: "succeeded" });
    expect((await current()).map(objectUri)).toEqual(before);
    expect(await collect(test.services.objects.versions("staging-data", ""), ({ key }) => key)).toHaveLength(2);
  });

  it("loads the same content under two matching names once, and new files after the old", async () => {
    await loadRaw({ "pedidos-2.csv": "pedido;loja;valor;dia\n99;A;1.000,5;01/12/2026\n", "pedidos-cópia.csv": orders(40) });
    editProject(withGroups);
    expect(await test.run(stagingStage)).toMatchObject({ state: "succeeded", details: { tables: { pedidos: { rows: 41, rejected: 0 } } } });
    expect((await tableOf("pedidos"))[0]).toMatchObject({ pedido: "99", valor: 1000.5 });
  });

  it("quarantines rows within the limit, with reason, file and line", async () => {
    await loadRaw({
      "pedidos-3.csv": "pedido;loja;valor;dia\n200;A;-1;01/12/2026\n201;Z;1;31/02/2026\n202;Z;1;01/12/2026\n1;A;1;01/12/2026\n",
    });
    expect(await test.run(stagingStage)).toMatchObject({ state: "succeeded" });
    const rows = await current();
    expect(rows.map(({ name, role, rows: count }) => [name, role, count])).toEqual([
      ["_quarentena/pedidos", "quarantine", 4],
      ["lojas", "data", 2],
      ["pedidos", "data", 41],
    ]);
    expect(rows[0]).toMatchObject({ key: "lojas/_quarentena/pedidos.parquet" });
    expect(await tableOf("_quarentena/pedidos")).toMatchObject([
      { pedido: "200", valor: "-1", _motivo: "valor: minimum 0", _arquivo: "pedidos-3.csv", _linha: "2" },
      { dia: "31/02/2026", _motivo: "dia: not a date", _linha: "3" },
      { _motivo: "loja: foreignKey lojas", _linha: "4" },
      { pedido: "1", _motivo: "pedido: primaryKey", _arquivo: "pedidos.csv", _linha: "2" },
    ]);
  });

  it("fails over the limit with counts, keeps the rejected rows aside and publishes nothing", async () => {
    const before = await current();
    editProject((text) => text.replace("maxCount: 5", "maxCount: 1"));
    const record = await test.run(stagingStage);
    expect(record).toMatchObject({ state: "failed", error: { kind: "terminal", code: "too-many-rejects", at: { file: PROJECT_FILE } } });
    expect(record.error?.message).toContain("maxCount 1");
    expect(record.error?.findings).toContainEqual({ message: "valor: minimum 0: 1 row(s)" });
    const kept = join(workspace.folder, ".eda", "quarantine", record.run, "pedidos.parquet");
    expect(await query(`SELECT count(*)::INTEGER AS n FROM read_parquet('${kept}')`)).toEqual([{ n: expect.any(Number) }]);
    expect(await current()).toEqual(before);
  });

  it("retires tables and quarantines that are no longer made", async () => {
    await loadRaw({ "pedidos-3.csv": "pedido;loja;valor;dia\n200;A;1;01/12/2026\n", "novas.csv": SHOPS });
    editProject((text) =>
      withGroups(text)
        .replace(/ {4}- name: lojas\n[\s\S]*?(?= {4}- name: pedidos)/u, "")
        .replace(/ {8}foreignKeys:[\s\S]*?\n(?= {6}rejects)/u, ""),
    );
    expect(await test.run(stagingStage)).toMatchObject({ state: "succeeded" });
    expect((await current()).map((row) => row.name)).toEqual(["pedidos"]);
  });

  it.each([
    ["names a column that a file lacks", (text: string) => text.replace("name: cidade", "name: cidades"), "missing-column", "lojas.csv"],
    ["names a glob that no file matches", (text: string) => text.replace('"lojas.csv"', '"shops.csv"'), "no-matching-files", PROJECT_FILE],
    ["locates a schema that cannot work", (text: string) => text.replace("%d/%m/%Y", "%Q"), "invalid-schema", PROJECT_FILE],
    [
      "refuses a project file without staging",
      (text: string) => text.replace(/staging:\n[\s\S]*?(?=datasets:)/u, ""),
      "stage-not-configured",
      PROJECT_FILE,
    ],
  ])("%s", async (_, edit, code, file) => {
    editProject(edit);
    const record = await test.run(stagingStage);
    expect(record).toMatchObject({ state: "failed", error: { code, at: { file } } });
  });

  it("names the circle that foreign keys make", async () => {
    editProject((text) =>
      text.replace(
        "        primaryKey: [loja]\n",
        "        primaryKey: [loja]\n        foreignKeys:\n          - fields: [loja]\n            reference: { table: pedidos, fields: [loja] }\n",
      ),
    );
    const record = await test.run(stagingStage);
    expect(record).toMatchObject({ state: "failed", error: { kind: "precondition", code: "foreign-key-cycle" } });
    expect(record.error?.message).toContain("lojas → pedidos → lojas");
  });
});
