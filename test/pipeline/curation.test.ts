import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { objectUri } from "../../src/domain/asset.ts";
import { upstreamOf } from "../../src/domain/lineage.ts";
import { captureStage } from "../../src/pipeline/stages/capture.ts";
import { curationStage } from "../../src/pipeline/stages/curation.ts";
import { ingestStage } from "../../src/pipeline/stages/ingest.ts";
import { stagingStage } from "../../src/pipeline/stages/staging.ts";
import { collect } from "../support/collect.ts";
import { openTestServices, type TestServices } from "../support/services.ts";
import { SMALL_PROJECT, writeFiles } from "../support/small-project.ts";
import { createWorkspace, type TestWorkspace } from "../support/workspace.ts";

const FOLDER = "sql/lojas/curated";

describe("curation", () => {
  let workspace: TestWorkspace;
  let test: TestServices;

  beforeAll(async () => {
    workspace = createWorkspace("curation");
    test = await openTestServices(workspace);
    expect(await test.run(curationStage)).toMatchObject({ state: "failed", error: { code: "inputs-missing" } });
    for (const stage of [captureStage, ingestStage, stagingStage]) expect(await test.run(stage)).toMatchObject({ state: "succeeded" });
  });
  afterAll(async () => {
    await test.close();
    workspace.remove();
  });

  const write = (name: string, sql: string) => writeFiles(workspace.folder, { [`${FOLDER}/${name}`]: sql });
  const remove = (name: string) => rmSync(join(workspace.folder, FOLDER, name));
  const current = () => collect(test.services.inventory.currentRows("curated", SMALL_PROJECT), (row) => row);

  it("makes a table of each query, in the order of what they read", async () => {
    write(
      "a_resumo.sql",
      "-- Reads a table of another query, later in the alphabet.\nSELECT loja, avg(valor) AS media, count(*) AS pedidos FROM vendas GROUP BY loja;\n",
    );
    const record = await test.run(curationStage);
    expect(record).toMatchObject({
      state: "succeeded",
      details: { tables: { vendas: { rows: 40, reads: ["lojas", "pedidos"] }, a_resumo: { rows: 2, reads: ["vendas"] } } },
    });
    expect(await current()).toMatchObject([
      {
        name: "a_resumo",
        bucket: "curated-data",
        key: "lojas/a_resumo.parquet",
        rows: 2,
        details: { consulta: `${FOLDER}/a_resumo.sql`, le: ["vendas"] },
      },
      { name: "vendas", rows: 40 },
    ]);
  });

  it("has nothing to do when inputs and queries are unchanged", async () => {
    expect(await test.run(curationStage)).toMatchObject({ state: "unchanged" });
  });

  it("leads from a table back through other tables, queries and staging", async () => {
    const [summary] = await current();
    const upstream = upstreamOf(await test.services.inventory.lineage(objectUri(summary as NonNullable<typeof summary>)));
    for (const start of [
      `code:${FOLDER}/a_resumo.sql@`,
      `code:${FOLDER}/vendas.sql@`,
      "object:curated-data/lojas/vendas.parquet@",
      "object:staging-data/lojas/pedidos.parquet@",
      "drive:",
    ]) {
      expect(
        upstream.some((uri) => uri.startsWith(start)),
        start,
      ).toBe(true);
    }
  });

  it("keeps the version of a table whose query only reads otherwise", async () => {
    const before = (await current()).map(objectUri);
    write("vendas.sql", `-- The same, said otherwise.\n${readFileSync(join(workspace.folder, FOLDER, "vendas.sql"), "utf8")}`);
    expect(await test.run(curationStage, { twice: true })).toMatchObject({ state: "succeeded" });
    expect((await current()).map(objectUri)).toEqual(before);
  });

  it("retires a table whose query is gone", async () => {
    remove("a_resumo.sql");
    expect(await test.run(curationStage)).toMatchObject({ state: "succeeded" });
    expect((await current()).map((row) => row.name)).toEqual(["vendas"]);
  });

  it.each([
    [
      "an unknown table, with the nearest one",
      "x.sql",
      "SELECT * FROM pedido",
      "unknown-table",
      'reads "pedido", which is not a table. Did you mean pedidos?',
    ],
    ["a circle", "x.sql", "SELECT * FROM x", "sql-cycle", "x → x"],
    ["a function that gives another result every time", "x.sql", "SELECT now() AS t FROM pedidos", "nondeterministic-sql", "now()"],
    ["a file read around the inventory", "x.sql", "SELECT * FROM read_csv('/etc/passwd')", "sql-error", "read_csv()"],
    ["two statements", "x.sql", "SELECT 1; SELECT 2", "sql-error", "2 statements"],
    ["an unknown column", "x.sql", "SELECT valores FROM pedidos", "sql-error", '"valores" not found'],
    ["a file whose name is no table's", "X-1.sql", "SELECT 1 AS a", "invalid-table-name", "X-1.sql"],
    ["a name that a staging table has", "lojas.sql", "SELECT 1 AS a", "duplicate-table", '"lojas"'],
  ])("refuses %s, naming it, and publishes nothing", async (_, name, sql, code, message) => {
    const before = await current();
    write(name, sql);
    const record = await test.run(curationStage);
    remove(name);
    expect(record).toMatchObject({ state: "failed", error: { code, at: { file: `${FOLDER}/${name}` } } });
    expect(record.error?.message).toContain(message);
    expect(await current()).toEqual(before);
    expect(await collect(test.services.objects.versions("curated-data", `${SMALL_PROJECT}/x.parquet`), ({ key }) => key)).toEqual([]);
  });

  it("names a circle over several queries", async () => {
    for (const [name, reads] of [
      ["c1", "c2"],
      ["c2", "c3"],
      ["c3", "c1"],
    ])
      write(`${name}.sql`, `SELECT * FROM ${reads}`);
    const record = await test.run(curationStage);
    for (const name of ["c1", "c2", "c3"]) remove(`${name}.sql`);
    expect(record.error).toMatchObject({ code: "sql-cycle" });
    expect(record.error?.message).toContain("c1 → c2 → c3 → c1");
  });

  it("says where queries go when there is none", async () => {
    const sql = readFileSync(join(workspace.folder, FOLDER, "vendas.sql"), "utf8");
    remove("vendas.sql");
    expect(await test.run(curationStage)).toMatchObject({ state: "failed", error: { kind: "precondition", code: "stage-not-configured" } });
    write("vendas.sql", sql);
  });
});
