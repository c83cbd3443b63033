/** What every engine must do; run over each adapter by the tests beside it. */
import { execFileSync } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { EdaError } from "../../src/domain/errors.ts";
import type { DatasetSpec, StagingTable } from "../../src/domain/project.ts";
import { projectSchema } from "../../src/domain/project.ts";
import type { Engine, EngineContext, StageTableResult } from "../../src/ports/engine.ts";
import { query, rowsOf, sha256Of, writeParquet } from "../support/parquet.ts";

export interface EngineOptions {
  readonly memoryLimitMiB: number;
  readonly threads: number;
}

type TableInput = Partial<Omit<StagingTable, "schema" | "csv">> & {
  csv?: Partial<NonNullable<StagingTable["csv"]>>;
  schema: Record<string, unknown>;
};

/** The first staging table of a valid project file, with every default filled in. */
function tableOf(input: TableInput): StagingTable {
  const table = { name: "voos", files: ["*"], format: "csv", ...input };
  const tables = [table, { name: "airports", files: ["*"], format: "csv", schema: { fields: [{ name: "code", type: "string" }] } }];
  const parsed = projectSchema.parse({ project: "p", drive: { folder: "d" }, staging: { tables } });
  return parsed.staging?.tables[0] as StagingTable;
}

function datasetOf(input: Partial<DatasetSpec>): DatasetSpec {
  const parsed = projectSchema.parse({
    project: "p",
    drive: { folder: "d" },
    datasets: [{ name: "d", from: "t", key: ["id"], splits: { train: 0.7, validation: 0.15, test: 0.15 }, ...input }],
  });
  return parsed.datasets?.[0] as DatasetSpec;
}

async function failureOf(work: Promise<unknown>): Promise<EdaError> {
  const failure = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(failure).toBeInstanceOf(EdaError);
  return failure as EdaError;
}

export function engineContract(name: string, open: (options: EngineOptions) => Engine): void {
  describe(`engine contract: ${name}`, () => {
    let root: string;
    let folder: string;
    const engine = open({ memoryLimitMiB: 512, threads: 2 });

    beforeAll(async () => {
      root = await mkdtemp(join(tmpdir(), "eda-engine-"));
    });
    afterAll(() => rm(root, { recursive: true, force: true }));
    beforeEach(async () => {
      folder = join(root, randomUUID());
      await mkdir(folder);
    });

    async function context(signal = new AbortController().signal): Promise<EngineContext> {
      return { workDir: await mkdtemp(join(folder, "work-")), signal };
    }

    async function stage(
      contents: string | Buffer | readonly (string | Buffer)[],
      input: TableInput,
      references: Record<string, string> = {},
      by: Engine = engine,
    ): Promise<StageTableResult> {
      const all = typeof contents === "string" || Buffer.isBuffer(contents) ? [contents] : contents;
      const files = await Promise.all(
        all.map(async (content, index) => {
          const file = join(folder, `${randomUUID()}.raw`);
          await writeFile(file, content);
          return { name: `dados/parte-${index}.csv`, file };
        }),
      );
      return by.stageTable({ table: tableOf(input), files, references }, await context());
    }

    const quarantineOf = (result: StageTableResult) => rowsOf(result.quarantine?.file as string);
    const twoColumns = {
      fields: [
        { name: "id", type: "integer" },
        { name: "nome", type: "string" },
      ],
    };

    describe("staging: formats", () => {
      it("types a CSV by the schema", async () => {
        const result = await stage("id,preco,ativo,dia,quando,hora\n1,2.5,true,2024-02-29,2024-01-31T10:20:30Z,08:15:00\n", {
          schema: {
            fields: [
              { name: "id", type: "integer" },
              { name: "preco", type: "number" },
              { name: "ativo", type: "boolean" },
              { name: "dia", type: "date" },
              { name: "quando", type: "datetime" },
              { name: "hora", type: "time" },
            ],
          },
        });
        expect(result.data.columns).toEqual([
          { name: "id", type: "BIGINT" },
          { name: "preco", type: "DOUBLE" },
          { name: "ativo", type: "BOOLEAN" },
          { name: "dia", type: "DATE" },
          { name: "quando", type: "TIMESTAMP" },
          { name: "hora", type: "TIME" },
        ]);
        expect(await rowsOf(result.data.file)).toEqual([
          { id: "1", preco: 2.5, ativo: true, dia: "2024-02-29", quando: "2024-01-31 10:20:30", hora: "08:15:00" },
        ]);
        expect(result).toMatchObject({ rejected: 0, reasons: {}, quarantine: null });
      });

      it("reads what a Brazilian spreadsheet exports: Latin-1, semicolons, decimal comma, dd/mm/yyyy", async () => {
        const text = "código;preço;dia\r\nSão João;1.234,56;31/12/2023\r\n“aspas” €;-7,5;1/2/2024\r\n";
        const windows = Buffer.from([...text].map((char) => ({ "“": 0x93, "”": 0x94, "€": 0x80 })[char] ?? char.charCodeAt(0)));
        const result = await stage(windows, {
          csv: { delimiter: ";", encoding: "latin-1" },
          schema: {
            fields: [
              { name: "codigo", source: "código", type: "string" },
              { name: "preco", source: "preço", type: "number", decimalChar: ",", groupChar: "." },
              { name: "dia", type: "date", format: "%d/%m/%Y" },
            ],
          },
        });
        expect(await rowsOf(result.data.file)).toEqual([
          { codigo: "São João", preco: 1234.56, dia: "2023-12-31" },
          { codigo: "“aspas” €", preco: -7.5, dia: "2024-02-01" },
        ]);
      });

      it.each([
        ["little-endian", false],
        ["big-endian", true],
      ])("reads UTF-16 with a byte order mark, %s", async (_, bigEndian) => {
        const bytes = Buffer.from("\ufeffid,nome\n1,ção\n", "utf16le");
        const result = await stage(bigEndian ? bytes.swap16() : bytes, { csv: { encoding: "utf-16" }, schema: twoColumns });
        expect(await rowsOf(result.data.file)).toEqual([{ id: "1", nome: "ção" }]);
      });

      it("refuses bytes that are not UTF-16, with file and line", async () => {
        const bytes = Buffer.concat([Buffer.from("\ufeffid,nome\n1,a\n", "utf16le"), Buffer.from([0x00, 0xd8, 0x41, 0x00])]);
        const failure = await failureOf(stage(bytes, { csv: { encoding: "utf-16" }, schema: twoColumns }));
        expect(failure).toMatchObject({ kind: "terminal", code: "malformed-file", at: { file: "dados/parte-0.csv", line: 3 } });
      });

      it("takes a UTF-8 byte order mark off the first header", async () => {
        const result = await stage("\ufeffid,nome\n1,a\n", { schema: twoColumns });
        expect(await rowsOf(result.data.file)).toEqual([{ id: "1", nome: "a" }]);
      });

      it("reads a file without a final line break, with CRLF, quoted breaks, doubled quotes and blank lines", async () => {
        const result = await stage('id,nome\r\n1,"a\r\nb"\r\n\r\n2,"diz ""oi"""\r\n3,c', { schema: twoColumns });
        expect(await rowsOf(result.data.file)).toEqual([
          { id: "1", nome: "a\r\nb" },
          { id: "2", nome: 'diz "oi"' },
          { id: "3", nome: "c" },
        ]);
      });

      it("reads a CSV without header by position", async () => {
        const result = await stage("1,a\n2,b\n", { csv: { header: false }, schema: twoColumns });
        expect((await rowsOf(result.data.file)).map((row) => row.nome)).toEqual(["a", "b"]);
      });

      it("finds columns by header, in whatever order each file has them", async () => {
        const result = await stage(["id,nome\n1,a\n", "nome,id\nb,2\n"], { schema: twoColumns });
        expect(await rowsOf(result.data.file)).toEqual([
          { id: "1", nome: "a" },
          { id: "2", nome: "b" },
        ]);
      });

      it("makes an empty typed table of a file that is only a header", async () => {
        const result = await stage("id,nome", { schema: twoColumns });
        expect(result.data.rows).toBe(0);
        expect(result.data.columns.map(({ type }) => type)).toEqual(["BIGINT", "VARCHAR"]);
      });

      it("refuses a file of 0 bytes, naming it", async () => {
        const failure = await failureOf(stage("", { schema: twoColumns }));
        expect(failure).toMatchObject({ kind: "terminal", code: "malformed-file", at: { file: "dados/parte-0.csv" } });
        expect(failure.message).toContain("empty");
      });

      it("reads a JSON array, nested values as JSON text and absent members as missing", async () => {
        const result = await stage('[{"id":1,"nome":"a","extra":{"z":[1,2]}},\n{"id":2,"extra":null}]', {
          format: "json",
          schema: { fields: [...twoColumns.fields, { name: "extra", type: "string" }] },
        });
        expect(await rowsOf(result.data.file)).toEqual([
          { id: "1", nome: "a", extra: '{"z":[1,2]}' },
          { id: "2", nome: null, extra: null },
        ]);
      });

      it("refuses broken JSON, naming the file", async () => {
        const failure = await failureOf(stage('[{"id":1,"nome":"a"},{"id":}]', { format: "json", schema: twoColumns }));
        expect(failure).toMatchObject({ code: "malformed-file", at: { file: "dados/parte-0.csv" } });
        expect(failure.message).not.toContain(folder);
      });

      it("reads NDJSON and quarantines the lines that are not JSON objects", async () => {
        const result = await stage('{"id":1,"nome":"a"}\n\n{"id":2,\n[3]\n{"id":4,"nome":"\\u00e9"}', {
          format: "ndjson",
          schema: twoColumns,
        });
        expect((await rowsOf(result.data.file)).map((row) => row.nome)).toEqual(["a", "é"]);
        expect((await quarantineOf(result)).map((row) => [row._linha, row._motivo])).toEqual([
          ["3", "malformed: not a JSON object"],
          ["4", "malformed: not a JSON object"],
        ]);
      });

      it("names a member that no document has", async () => {
        const failure = await failureOf(stage('{"id":1,"nomes":"a"}\n', { format: "ndjson", schema: twoColumns }));
        expect(failure).toMatchObject({ code: "missing-column" });
        expect(failure.message).toContain('"nome" (it has "nomes")');
      });

      it("converts Parquet columns as values, without passing through text", async () => {
        const file = await writeParquet(
          join(folder, "a.parquet"),
          "SELECT 1::SMALLINT AS id, 0.1::DOUBLE AS n, TIMESTAMP '2001-01-01 10:00:00' AS t, 'x' AS s UNION ALL SELECT NULL, 2.5, NULL, NULL",
        );
        const table = tableOf({
          format: "parquet",
          schema: {
            fields: [
              { name: "id", type: "integer" },
              { name: "numero", source: "n", type: "number" },
              { name: "t", type: "datetime" },
              { name: "s", type: "string" },
            ],
          },
        });
        const result = await engine.stageTable({ table, files: [{ name: "a.parquet", file }], references: {} }, await context());
        expect(await rowsOf(result.data.file)).toEqual([
          { id: "1", numero: 0.1, t: "2001-01-01 10:00:00", s: "x" },
          { id: null, numero: 2.5, t: null, s: null },
        ]);
      });

      it("quarantines Parquet values that lose something, with their row", async () => {
        const file = await writeParquet(
          join(folder, "b.parquet"),
          "SELECT unnest([1.0, 1.5, 2.0]) AS id, unnest([NULL, 'nan', 'b']) AS nome",
        );
        const table = tableOf({ format: "parquet", schema: twoColumns });
        const result = await engine.stageTable({ table, files: [{ name: "b.parquet", file }], references: {} }, await context());
        expect(result).toMatchObject({ rejected: 1, reasons: { "id: not an integer": 1 } });
        expect(await quarantineOf(result)).toEqual([
          { id: "1.5", nome: "nan", _motivo: "id: not an integer", _arquivo: "b.parquet", _linha: "2" },
        ]);
      });

      it("refuses what is not Parquet", async () => {
        const failure = await failureOf(stage("id,nome\n", { format: "parquet", schema: twoColumns }));
        expect(failure).toMatchObject({ code: "malformed-file", at: { file: "dados/parte-0.csv" } });
      });

      it("makes an empty table of no file at all", async () => {
        expect((await stage([], { schema: twoColumns })).data).toMatchObject({
          rows: 0,
          columns: [
            { name: "id", type: "BIGINT" },
            { name: "nome", type: "VARCHAR" },
          ],
        });
      });
    });

    describe("staging: columns", () => {
      it("names a missing column and the nearest header", async () => {
        const failure = await failureOf(stage("id,nomes\n1,a\n", { schema: twoColumns, extraColumns: "ignore" }));
        expect(failure).toMatchObject({ kind: "terminal", code: "missing-column", at: { file: "dados/parte-0.csv", line: 1 } });
        expect(failure.message).toContain('"nome" (it has "nomes")');
      });

      it("names an extra column", async () => {
        const failure = await failureOf(stage("id,nome,bairro\n1,a,b\n", { schema: twoColumns }));
        expect(failure).toMatchObject({ code: "extra-column" });
        expect(failure.message).toContain('"bairro"');
      });

      it("leaves extra columns out when told to", async () => {
        const result = await stage("id,bairro,nome\n1,x,a\n", { schema: twoColumns, extraColumns: "ignore" });
        expect(await rowsOf(result.data.file)).toEqual([{ id: "1", nome: "a" }]);
      });

      it("names a duplicated header", async () => {
        const failure = await failureOf(stage("id,nome,nome\n1,a,b\n", { schema: twoColumns }));
        expect(failure).toMatchObject({ code: "duplicate-column" });
        expect(failure.message).toContain('"nome"');
      });

      it("accepts headers with spaces, quotes and line breaks", async () => {
        const result = await stage('"Nome do\naeroporto","diz ""oi"""\nA,1\n', {
          schema: {
            fields: [
              { name: "nome", source: "Nome do\naeroporto", type: "string" },
              { name: "oi", source: 'diz "oi"', type: "integer" },
            ],
          },
        });
        expect(await rowsOf(result.data.file)).toEqual([{ nome: "A", oi: "1" }]);
      });
    });

    describe("staging: cleaning and rejects", () => {
      it("cleans in the declared order, table rules first, then reads missing values", async () => {
        const result = await stage("nome,nota\n  Ana   Maria* ,n/d\n\u00a0JOSÉ,-\n", {
          clean: ["trim", "collapse"],
          schema: {
            missingValues: ["", "n/d"],
            fields: [
              {
                name: "nome",
                type: "string",
                clean: [{ replace: "\\*+$", with: "", regex: true }, "lower", { replace: "maria", with: "m." }],
              },
              { name: "nota", type: "number", missingValues: ["-", "n/d"] },
            ],
          },
        });
        expect(await rowsOf(result.data.file)).toEqual([
          { nome: "ana m.", nota: null },
          { nome: "josé", nota: null },
        ]);
      });

      it("keeps an empty text when the schema does not call it missing", async () => {
        const result = await stage('id,nome\n1,""\n2,\n', { schema: { ...twoColumns, missingValues: ["NA"] } });
        expect((await rowsOf(result.data.file)).map((row) => row.nome)).toEqual(["", ""]);
      });

      it.each([
        ["integer", "1.5", "not an integer"],
        ["integer", "9223372036854775808", "not an integer"],
        ["integer", "1e3", "not an integer"],
        ["number", "1_000", "not a number"],
        ["number", "nan", "not a number"],
        ["number", "1e999", "not a number"],
        ["boolean", "sim", "not a boolean"],
        ["date", "2023-02-29", "not a date"],
        ["date", "2023-2-1", "not a date"],
        ["datetime", "2023-01-01 25:00", "not a datetime"],
        ["time", "24:61", "not a time"],
      ])("rejects %s %s as %s", async (type, text, reason) => {
        const result = await stage(`v\n${text}\n`, { schema: { fields: [{ name: "v", type }] } });
        expect(result).toMatchObject({ rejected: 1, reasons: { [`v: ${reason}`]: 1 } });
      });

      it("turns an offset into UTC instead of dropping it", async () => {
        const result = await stage("v\n2024-01-01T00:30:00-03:00\n", { schema: { fields: [{ name: "v", type: "datetime" }] } });
        expect(await rowsOf(result.data.file)).toEqual([{ v: "2024-01-01 03:30:00" }]);
      });

      it("does not take a full stop for a decimal sign where the comma is one", async () => {
        const result = await stage("v\n1.5\n", {
          csv: { delimiter: ";" },
          schema: { fields: [{ name: "v", type: "number", decimalChar: "," }] },
        });
        expect(result.reasons).toEqual({ "v: not a number": 1 });
      });

      it("gives every constraint its reason, and a row all of its reasons", async () => {
        const result = await stage("atraso,sigla,tipo\n-121,GRU,a\n1501,GR,b\n0,GRU1,c\n,grU,a\n5,GIG,b\n", {
          schema: {
            fields: [
              { name: "atraso", type: "integer", constraints: { required: true, minimum: -120, maximum: 1500 } },
              { name: "sigla", type: "string", constraints: { minLength: 3, maxLength: 3, pattern: "[A-Z]+" } },
              { name: "tipo", type: "string", constraints: { enum: ["a", "b"] } },
            ],
          },
        });
        expect(result.data.rows).toBe(1);
        expect(result.rejected).toBe(4);
        expect((await quarantineOf(result)).map((row) => row._motivo)).toEqual([
          "atraso: minimum -120",
          "atraso: maximum 1500; sigla: minLength 3",
          "sigla: maxLength 3; sigla: pattern [A-Z]+; tipo: enum a, b",
          "atraso: required; sigla: pattern [A-Z]+",
        ]);
        expect(result.reasons["sigla: pattern [A-Z]+"]).toBe(2);
      });

      it("keeps source texts, raw path and true line of a rejected row", async () => {
        const result = await stage(["id,nome\n1,a\n", 'nome,id\n"duas\nlinhas",1\n\nb, x \n'], { schema: twoColumns, clean: ["trim"] });
        expect(await quarantineOf(result)).toEqual([
          { id: " x ", nome: "b", _motivo: "id: not an integer", _arquivo: "dados/parte-1.csv", _linha: "5" },
        ]);
      });

      it("rejects repeated primary keys, keeping the first good row", async () => {
        const result = await stage("a,b,v\n1,1,x\n1,1,3\n1,1,4\n1,2,5\n,2,6\n", {
          schema: { primaryKey: ["a", "b"], fields: ["a", "b", "v"].map((column) => ({ name: column, type: "integer" })) },
        });
        expect((await rowsOf(result.data.file)).map((row) => row.v)).toEqual(["3", "5"]);
        expect(result.reasons).toEqual({ "a, b: primaryKey": 1, "a: required": 1, "v: not an integer": 1 });
      });

      it("rejects repeated unique values over all files, but not missing ones", async () => {
        const result = await stage(["id,nome\n1,a\n2,\n", "id,nome\n3,\n4,a\n"], {
          schema: {
            fields: [
              { name: "id", type: "integer" },
              { name: "nome", type: "string", constraints: { unique: true } },
            ],
          },
        });
        expect((await rowsOf(result.data.file)).map((row) => row.id)).toEqual(["1", "2", "3"]);
        expect(await quarantineOf(result)).toMatchObject([{ _motivo: "nome: unique", _arquivo: "dados/parte-1.csv", _linha: "3" }]);
      });

      it("rejects rows that refer to nothing", async () => {
        const airports = await writeParquet(join(folder, "airports.parquet"), "SELECT unnest(['GRU', 'GIG']) AS code");
        const foreignKeys = [{ fields: ["nome"], reference: { table: "airports", fields: ["code"] } }];
        const result = await stage("id,nome\n1,GRU\n2,XXX\n3,\n", { schema: { ...twoColumns, foreignKeys } }, { airports });
        expect((await rowsOf(result.data.file)).map((row) => row.id)).toEqual(["1", "3"]);
        expect(result.reasons).toEqual({ "nome: foreignKey airports": 1 });
      });

      it("follows references of a table to itself until none dangles", async () => {
        const foreignKeys = [{ fields: ["pai"], reference: { table: "voos", fields: ["id"] } }];
        const fields = [
          { name: "id", type: "integer" },
          { name: "pai", type: "integer" },
        ];
        const result = await stage("id,pai\n1,\n2,1\n3,9\n4,3\n", { schema: { fields, foreignKeys } });
        expect((await rowsOf(result.data.file)).map((row) => row.id)).toEqual(["1", "2"]);
      });

      it("quarantines rows with too few or too many columns, with their lines", async () => {
        const result = await stage('id,nome\n1,a\n2\n\n3,b,c\n"4","d"\n', { schema: twoColumns });
        expect((await rowsOf(result.data.file)).map((row) => row.id)).toEqual(["1", "4"]);
        expect((await quarantineOf(result)).map((row) => [row._linha, row._motivo])).toEqual([
          ["3", "malformed: 1 columns instead of 2"],
          ["5", "malformed: 3 columns instead of 2"],
        ]);
      });

      it("gives true lines also after malformed rows and a byte order mark", async () => {
        const result = await stage("\ufeffid,nome\n1\nx,a\n2,b\ny,c\n", { schema: twoColumns });
        expect((await quarantineOf(result)).map((row) => row._linha)).toEqual(["2", "3", "5"]);
      });

      it("quarantines a row that is not UTF-8", async () => {
        const bytes = Buffer.concat([Buffer.from("id,nome\n1,a\n2,"), Buffer.from([0xff, 0xfe]), Buffer.from("\n3,b\n")]);
        const result = await stage(bytes, { schema: twoColumns });
        expect((await rowsOf(result.data.file)).map((row) => row.id)).toEqual(["1", "3"]);
        expect(await quarantineOf(result)).toMatchObject([{ _motivo: "malformed: not UTF-8", _linha: "3" }]);
      });

      it("refuses a file in which a quote that is never closed swallows rows, at its line", async () => {
        const failure = await failureOf(stage('id,nome\n1,a\n2,"b\n3,c\n4,d\n', { schema: twoColumns }));
        expect(failure).toMatchObject({ kind: "terminal", code: "malformed-file", at: { file: "dados/parte-0.csv", line: 3 } });
      });

      it.each([
        ["a pattern that is none", { name: "v", type: "string", constraints: { pattern: "(" } }],
        ["a limit that is no value of the type", { name: "v", type: "integer", constraints: { minimum: "dez" } }],
        ["a date format that is none", { name: "v", type: "date", format: "%Q" }],
      ])("refuses %s before reading data", async (_, broken) => {
        const failure = await failureOf(stage("v\n1\n", { schema: { fields: [broken] } }));
        expect(failure).toMatchObject({ kind: "precondition", code: "invalid-schema" });
        expect(failure.message).toContain('"v"');
      });
    });

    describe("staging: reproducible", () => {
      it("writes the same bytes with 1, 2 and 4 threads, in the order of the files", async () => {
        const lines = Array.from(
          { length: 400_000 },
          (_, n) => `${(n * 7919) % 400_000},${n % 13 === 0 ? "x" : n % 100},"texto ${n % 1000}"`,
        );
        const header = "id,v,nome\n";
        const parts = [header + lines.slice(0, 250_000).join("\n"), header + lines.slice(250_000).join("\n")];
        const schema = {
          primaryKey: ["id"],
          fields: [
            { name: "id", type: "integer" },
            { name: "v", type: "integer" },
            { name: "nome", type: "string" },
          ],
        };
        const hashes = new Set<string>();
        for (const threads of [1, 2, 4, 2]) {
          const result = await stage(parts, { schema }, {}, open({ memoryLimitMiB: 512, threads }));
          hashes.add(`${await sha256Of(result.data.file)} ${await sha256Of(result.quarantine?.file as string)}`);
          expect(result.rejected).toBe(Math.ceil(400_000 / 13));
          const [first] = await query(`SELECT * FROM (SELECT id FROM read_parquet('${result.data.file}') LIMIT 1 OFFSET 1)`);
          expect(first?.id).toBe(String((2 * 7919) % 400_000));
        }
        expect(hashes.size).toBe(1);
      });

      it("writes the same bytes for the same rows, whatever format they came in", async () => {
        const rows = "SELECT range AS id, 'nome ' || range AS nome FROM range(300000) WHERE range % 7 <> 3";
        const parquet = await writeParquet(join(folder, "rows.parquet"), rows);
        const csv = join(folder, "rows.csv");
        await query(`COPY (${rows}) TO '${csv}' (FORMAT csv, HEADER)`);
        const hashes = new Set<string>();
        for (const [format, file] of [
          ["parquet", parquet],
          ["csv", csv],
        ] as const) {
          const constraints = {
            fields: [
              { name: "id", type: "integer" },
              { name: "nome", type: "string", constraints: { pattern: ".*[^5]" } },
            ],
          };
          const result = await engine.stageTable(
            { table: tableOf({ format, schema: constraints }), files: [{ name: "rows", file }], references: {} },
            await context(),
          );
          expect(result.rejected).toBeGreaterThan(20_000);
          hashes.add(await sha256Of(result.data.file));
        }
        expect(hashes.size).toBe(1);
      });

      it("writes the same bytes when rows are rejected by a key, and with less memory", async () => {
        const lines = Array.from({ length: 300_000 }, (_, n) => `${n % 290_000},${"nome".repeat(10)}${n}`).join("\n");
        const hashes = new Set<string>();
        for (const [threads, memoryLimitMiB] of [
          [1, 512],
          [2, 512],
          [2, 96],
        ] as const) {
          const result = await stage(
            `id,nome\n${lines}`,
            { schema: { ...twoColumns, primaryKey: ["id"] } },
            {},
            open({ memoryLimitMiB, threads }),
          );
          expect(result.data.rows).toBe(290_000);
          hashes.add(await sha256Of(result.data.file));
        }
        expect(hashes.size).toBe(1);
      });
    });

    describe("staging: limits of the machine", () => {
      it.skipIf(process.platform !== "linux" || process.getuid?.() !== 0)("says that the disk is full", async () => {
        const small = join(folder, "small");
        await mkdir(small);
        execFileSync("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", small]);
        try {
          const file = await writeParquet(
            join(folder, "large.parquet"),
            "SELECT range AS id, md5(range::VARCHAR) AS nome FROM range(500000)",
          );
          const table = tableOf({ format: "parquet", schema: twoColumns });
          const run = engine.stageTable(
            { table, files: [{ name: "large.parquet", file }], references: {} },
            { workDir: small, signal: new AbortController().signal },
          );
          const failure = await failureOf(run);
          expect(failure).toMatchObject({ kind: "terminal", code: "disk-full" });
          expect(failure.todo).toContain("Free space");
        } finally {
          execFileSync("umount", [small]);
        }
      });

      it("reports rows as it reads them", async () => {
        const file = await writeParquet(
          join(folder, "large.parquet"),
          "SELECT range AS id, md5(range::VARCHAR) AS nome FROM range(500000)",
        );
        const table = tableOf({ format: "parquet", schema: twoColumns });
        let rows = 0;
        await engine.stageTable(
          { table, files: [{ name: "large.parquet", file }], references: {} },
          { ...(await context()), onRows: (more) => (rows += more) },
        );
        expect(rows).toBe(500_000);
      });
    });

    describe("inspecting a SELECT", () => {
      it("finds tables in joins, subqueries, set operations and WITH, not the names WITH defines", async () => {
        const sql = `WITH a AS (SELECT * FROM voos), recursivo AS (SELECT * FROM a)
          SELECT * FROM recursivo JOIN Airports USING (x) WHERE y IN (SELECT y FROM main.greves) UNION ALL SELECT * FROM tempo, range(3)`;
        expect((await engine.inspectSelect(sql, "q.sql")).reads).toEqual(["airports", "greves", "tempo", "voos"]);
      });

      it("reads the table that a WITH item of the same name selects from", async () => {
        expect((await engine.inspectSelect("WITH voos AS (SELECT * FROM voos) SELECT * FROM voos", "q.sql")).reads).toEqual(["voos"]);
      });

      it.each([
        ["now()", "SELECT now() FROM t", 1, 8],
        ["current_date", "SELECT a,\n  current_date FROM t", 2, 3],
        ["current_timestamp", "SELECT current_timestamp FROM t", 1, 8],
        ["random()", "SELECT * FROM (SELECT random() r FROM t)", 1, 23],
        ["today()", "WITH w AS (SELECT today() AS d) SELECT * FROM w", 1, 19],
        ["gen_random_uuid()", "SELECT gen_random_uuid() FROM t", 1, 8],
        ["uuid()", "SELECT uuid() FROM t", 1, 8],
        ["nextval()", "SELECT nextval('s') FROM t", 1, 8],
        ["setseed()", "SELECT setseed(0.5) FROM t", 1, 8],
        ["get_current_time()", "SELECT get_current_time() FROM t", 1, 8],
        ["reservoir_quantile()", "SELECT reservoir_quantile(x, 0.5) FROM t", 1, 8],
        ["age() from today", "SELECT age(d) FROM t", 1, 8],
        ["random()", "SELECT x FROM t WHERE x IN (SELECT y FROM u ORDER BY random())", 1, 54],
      ])("names %s and where it is", async (name, sql, line, column) => {
        const failure = await failureOf(engine.inspectSelect(sql, "sql/p/curated/q.sql"));
        expect(failure).toMatchObject({
          kind: "terminal",
          code: "nondeterministic-sql",
          at: { file: "sql/p/curated/q.sql", line, column },
        });
        expect(failure.message).toContain(name);
      });

      it.each(["SELECT * FROM t TABLESAMPLE 10%", "SELECT * FROM t USING SAMPLE 3 ROWS"])(
        "refuses a sample without seed: %s",
        async (sql) => {
          expect(await failureOf(engine.inspectSelect(sql, "q.sql"))).toMatchObject({ code: "nondeterministic-sql" });
        },
      );

      it.each([
        "SELECT * FROM 'x.csv'",
        'SELECT * FROM "../../etc/passwd"',
        "SELECT * FROM read_csv('x.csv')",
        "SELECT * FROM read_parquet('x.parquet')",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM glob('*')",
        "SELECT * FROM query('SELECT 1')",
        "SELECT * FROM information_schema.tables",
        "SELECT * FROM duckdb_settings()",
      ])("refuses to read outside the declared tables: %s", async (sql) => {
        expect(await failureOf(engine.inspectSelect(sql, "q.sql"))).toMatchObject({ kind: "terminal", code: "sql-error" });
      });

      it.each(["", "-- nada", "SELECT 1; SELECT 2", "DROP TABLE t", "COPY t TO 'x'", "ATTACH 'x'", "DESCRIBE t", "SELECT $1"])(
        "refuses what is not exactly one SELECT: %s",
        async (sql) => {
          expect(await failureOf(engine.inspectSelect(sql, "q.sql"))).toMatchObject({
            kind: "terminal",
            code: "sql-error",
            at: { file: "q.sql" },
          });
        },
      );

      it("locates a syntax error", async () => {
        const failure = await failureOf(engine.inspectSelect("SELECT a\nFRM t x y", "q.sql"));
        expect(failure).toMatchObject({ code: "sql-error", at: { file: "q.sql", line: 2 } });
      });
    });

    describe("curation", () => {
      async function curate(sql: string, inputs: Record<string, string>, by: Engine = engine) {
        return by.curate({ sql, path: "sql/p/curated/q.sql", inputs, outputName: "q" }, await context());
      }

      it("keeps the person's order and settles ties by all columns", async () => {
        const t = await writeParquet(join(folder, "t.parquet"), "SELECT unnest([1, 2, 3, 4]) AS id, unnest([1, 1, 2, 2]) AS g");
        const table = await curate("SELECT id, g FROM t ORDER BY g DESC -- os maiores primeiro\n;", { t });
        expect((await rowsOf(table.file)).map((row) => row.id)).toEqual([3, 4, 1, 2]);
        expect(table).toMatchObject({
          rows: 4,
          columns: [
            { name: "id", type: "INTEGER" },
            { name: "g", type: "INTEGER" },
          ],
        });
      });

      it("decides by all columns which of tied rows a LIMIT lets in", async () => {
        const t = await writeParquet(join(folder, "t.parquet"), "SELECT 1000 - range AS id, 1 AS g FROM range(1000)");
        expect((await rowsOf((await curate("SELECT id, g, id * 2 FROM t ORDER BY g LIMIT 2", { t })).file)).map((row) => row.id)).toEqual([
          "1",
          "2",
        ]);
      });

      it("settles ties in a query of every kind of clause, and gives what the person wrote", async () => {
        const t = await writeParquet(
          join(folder, "t.parquet"),
          "SELECT 100 - range AS id, range % 4 AS g, range * 0.5 AS v, DATE '2024-01-01' + range::INTEGER AS dia FROM range(100)",
        );
        const table = await curate(
          `WITH nomes (g, nome) AS (VALUES (0, 'zero'), (1, 'um'), (2, 'dois')),
            antes AS (SELECT *, sum(v) OVER (PARTITION BY g ORDER BY dia RANGE BETWEEN INTERVAL 8 DAYS PRECEDING AND INTERVAL 1 DAY PRECEDING) AS soma FROM t)
          SELECT nome, -1 AS menos, id // 7, [g, 1] AS l, list_transform([g], lambda x: x + 1) AS m, CASE WHEN soma IS NULL THEN 'n' ELSE 's' END AS tem
          FROM antes LEFT JOIN nomes USING (g) WHERE id BETWEEN 1 AND 90 AND NOT (v IN (1, 2.5)) AND nome LIKE '%o%' QUALIFY row_number() OVER (PARTITION BY g ORDER BY id) <= 3
          ORDER BY nome DESC NULLS LAST LIMIT 5 OFFSET 1`,
          { t },
        );
        const rows = await rowsOf(table.file);
        expect(rows.map((row) => [row.nome, row["(id // 7)"], row.tem])).toEqual([
          ["zero", "1", "s"],
          ["zero", "1", "s"],
          ["dois", "0", "s"],
          ["dois", "0", "s"],
          ["dois", "1", "s"],
        ]);
      });

      it("orders by all columns when the query has no order", async () => {
        const t = await writeParquet(join(folder, "t.parquet"), "SELECT unnest([3, 1, 2]) AS id");
        expect((await rowsOf((await curate("SELECT id FROM t", { t })).file)).map((row) => row.id)).toEqual([1, 2, 3]);
      });

      it("keeps constants that a double cannot hold when it adds an order", async () => {
        const t = await writeParquet(join(folder, "t.parquet"), "SELECT 1 AS id");
        expect(await rowsOf((await curate("SELECT id, 9007199254740993 AS n FROM t ORDER BY id", { t })).file)).toEqual([
          { id: 1, n: "9007199254740993" },
        ]);
      });

      it("writes the same bytes with 1 and 2 threads over floating-point aggregates and joins", async () => {
        const voos = await writeParquet(
          join(folder, "voos.parquet"),
          "SELECT range AS id, (range * 7919) % 1000 AS de, sin(range) * 1e6 AS atraso FROM range(500000)",
        );
        const aeroportos = await writeParquet(join(folder, "aeroportos.parquet"), "SELECT range AS de, cos(range) AS lat FROM range(1000)");
        const sql = `SELECT de, lat, avg(atraso) AS media, stddev(atraso) AS desvio, sum(atraso * lat) AS soma, first(id) AS primeiro
          FROM voos JOIN aeroportos USING (de) GROUP BY de, lat`;
        const hashes = new Set<string>();
        for (const threads of [1, 2, 2, 1]) {
          hashes.add(await sha256Of((await curate(sql, { voos, aeroportos }, open({ memoryLimitMiB: 512, threads }))).file));
        }
        expect(hashes.size).toBe(1);
      });

      it("names an unknown table and the nearest one", async () => {
        const airports = await writeParquet(join(folder, "airports.parquet"), "SELECT 1 AS id");
        const failure = await failureOf(curate("SELECT * FROM airprots", { airports }));
        expect(failure).toMatchObject({ code: "sql-error", at: { file: "sql/p/curated/q.sql" } });
        expect(failure.todo).toContain("Did you mean airports?");
      });

      it("gives DuckDB's reason with file, line and column", async () => {
        const t = await writeParquet(join(folder, "t.parquet"), "SELECT 1 AS id");
        const failure = await failureOf(curate("SELECT id,\n  atrso\nFROM t", { t }));
        expect(failure).toMatchObject({ kind: "terminal", code: "sql-error", at: { file: "sql/p/curated/q.sql", line: 2, column: 3 } });
        expect(failure.message).toContain('"atrso" not found');
      });

      it("locates a failure that only data brings out", async () => {
        const t = await writeParquet(join(folder, "t.parquet"), "SELECT 'abc' AS texto");
        const failure = await failureOf(curate("SELECT CAST(texto AS INTEGER) AS n FROM t", { t }));
        expect(failure).toMatchObject({ code: "sql-error", at: { file: "sql/p/curated/q.sql" } });
        expect(failure.message).toContain("abc");
      });

      it("refuses two columns of one name", async () => {
        const t = await writeParquet(join(folder, "t.parquet"), "SELECT 1 AS id");
        expect((await failureOf(curate("SELECT id, id AS ID FROM t", { t }))).message).toContain("two columns");
      });

      it("says what to do when memory is not enough", async () => {
        const t = await writeParquet(join(folder, "t.parquet"), "SELECT range AS id FROM range(3000000)");
        const failure = await failureOf(
          curate(
            "SELECT list(id ORDER BY hash(id)) AS l, list(repeat(id::VARCHAR, 9)) AS m FROM t",
            { t },
            open({ memoryLimitMiB: 64, threads: 2 }),
          ),
        );
        expect(failure).toMatchObject({ kind: "terminal", code: "out-of-memory" });
        expect(failure.todo).toContain("engine.memoryLimitMiB");
      });

      it("stops within a second when cancelled", async () => {
        const t = await writeParquet(join(folder, "t.parquet"), "SELECT range AS id FROM range(100000)");
        const controller = new AbortController();
        const run = engine.curate(
          { sql: "SELECT sum(a.id * b.id) AS s FROM t a, t b WHERE a.id % 7 <> b.id % 5", path: "q.sql", inputs: { t }, outputName: "q" },
          await context(controller.signal),
        );
        setTimeout(() => controller.abort(), 300);
        const start = performance.now();
        expect(await failureOf(run)).toMatchObject({ kind: "cancelled" });
        expect(performance.now() - start).toBeLessThan(1500);
      });
    });

    describe("splitting", () => {
      const thousand = () =>
        writeParquet(
          join(folder, "t.parquet"),
          "SELECT range AS id, range % 3 AS classe, range // 10 AS grupo, DATE '2024-01-01' + range::INTEGER AS dia FROM range(1000)",
        );

      async function split(dataset: Partial<DatasetSpec>, input: string, by: Engine = engine) {
        const tables = await by.split({ dataset: datasetOf(dataset), input }, await context());
        const ids = async (name: "train" | "validation" | "test") => (await rowsOf(tables[name].file)).map((row) => Number(row.id));
        return { tables, train: await ids("train"), validation: await ids("validation"), test: await ids("test") };
      }

      it("puts every row into exactly one part, near the ratios, in the order of the table", async () => {
        const { tables, train, validation, test } = await split({}, await thousand());
        expect([...train, ...validation, ...test].sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, id) => id));
        expect(train.length).toBeGreaterThan(650);
        expect(train.length).toBeLessThan(750);
        expect(train).toEqual([...train].sort((a, b) => a - b));
        expect(tables.train.rows).toBe(train.length);
      });

      it("decides by the documented hash, which any language can repeat", async () => {
        const share = (id: number) => Number.parseInt(createHash("md5").update(`42\u001f${id}`).digest("hex").slice(0, 13), 16) / 2 ** 52;
        const { train, test } = await split({ seed: 42 }, await thousand());
        const all = Array.from({ length: 1000 }, (_, id) => id);
        expect(train).toEqual(all.filter((id) => share(id) < 0.7));
        expect(test).toEqual(all.filter((id) => share(id) >= 0.85));
      });

      it("splits otherwise with another seed", async () => {
        const input = await thousand();
        expect((await split({ seed: 1 }, input)).train).not.toEqual((await split({ seed: 2 }, input)).train);
      });

      it("leaves rows where they are when others are added", async () => {
        const before = await split({}, await writeParquet(join(folder, "a.parquet"), "SELECT range AS id FROM range(500)"));
        const after = await split({}, await writeParquet(join(folder, "b.parquet"), "SELECT 999 - range AS id FROM range(1000)"));
        expect(before.test.every((id) => after.test.includes(id))).toBe(true);
      });

      it("keeps the ratios exactly within each stratum", async () => {
        const { train, validation, test } = await split(
          { stratify: "classe", splits: { train: 0.6, validation: 0.2, test: 0.2 } },
          await thousand(),
        );
        const count = (ids: number[]) => [0, 1, 2].map((classe) => ids.filter((id) => id % 3 === classe).length);
        expect([count(train), count(validation), count(test)]).toEqual([
          [200, 200, 200],
          [67, 66, 66],
          [67, 67, 67],
        ]);
      });

      it("keeps a group together", async () => {
        const { train, validation, test } = await split({ group: "grupo" }, await thousand());
        const groups = [train, validation, test].map((ids) => new Set(ids.map((id) => Math.floor(id / 10))));
        expect(groups.reduce((total, group) => total + group.size, 0)).toBe(100);
      });

      it("cuts by time when told to", async () => {
        const time = { column: "dia", validationFrom: "2024-02-01", testFrom: "2024-03-01" };
        const { train, validation, test } = await split({ time }, await thousand());
        expect([train.length, validation.length, test.length]).toEqual([31, 29, 940]);
      });

      it("keeps only the columns asked for", async () => {
        const { tables } = await split({ columns: ["id", "classe"] }, await thousand());
        expect(tables.test.columns.map((column) => column.name)).toEqual(["id", "classe"]);
      });

      it("writes the same bytes with 1 and 2 threads, stratified or not", async () => {
        const input = await writeParquet(
          join(folder, "big.parquet"),
          "SELECT range AS id, range % 3 AS classe, sin(range) AS x FROM range(400000)",
        );
        for (const stratify of [undefined, "classe"]) {
          const hashes = new Set<string>();
          for (const threads of [1, 2, 4]) {
            const spec = datasetOf(stratify === undefined ? {} : { stratify });
            const tables = await open({ memoryLimitMiB: 512, threads }).split({ dataset: spec, input }, await context());
            hashes.add((await Promise.all([tables.train, tables.validation, tables.test].map(({ file }) => sha256Of(file)))).join());
          }
          expect(hashes.size).toBe(1);
        }
      });

      it("refuses a key that does not identify rows, with an example", async () => {
        const failure = await failureOf(split({ key: ["classe", "grupo"] }, await thousand()));
        expect(failure).toMatchObject({ kind: "terminal", code: "split-key-not-unique" });
        expect(failure.message).toContain("classe = 0, grupo = 0 in 4 rows");
      });

      it("refuses null keys, naming the column and how many", async () => {
        const input = await writeParquet(join(folder, "n.parquet"), "SELECT nullif(range, 3) AS id FROM range(10)");
        const failure = await failureOf(split({}, input));
        expect(failure).toMatchObject({ code: "split-key-null" });
        expect(failure.message).toContain('"id" is null in 1 row(s)');
      });

      it("names a column that the table does not have", async () => {
        const failure = await failureOf(split({ stratify: "clase" }, await thousand()));
        expect(failure).toMatchObject({ code: "missing-column" });
        expect(failure.todo).toContain('Did you mean "classe"?');
      });
    });
  });
}
