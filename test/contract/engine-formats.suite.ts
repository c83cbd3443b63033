/** Which files an engine reads, and which it refuses. */
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { rowsOf, writeParquet } from "../support/parquet.ts";
import { engineBench, failureOf, quarantineOf, tableOf, TWO_COLUMNS, type OpenEngine } from "./engine.bench.ts";

export function describeFormats(openEngine: OpenEngine): void {
  const bench = engineBench(openEngine);
  const { engine, context, stage } = bench;

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
      const result = await stage(bigEndian ? bytes.swap16() : bytes, { csv: { encoding: "utf-16" }, schema: TWO_COLUMNS });
      expect(await rowsOf(result.data.file)).toEqual([{ id: "1", nome: "ção" }]);
    });

    it("refuses bytes that are not UTF-16, with file and line", async () => {
      const bytes = Buffer.concat([Buffer.from("\ufeffid,nome\n1,a\n", "utf16le"), Buffer.from([0x00, 0xd8, 0x41, 0x00])]);
      const failure = await failureOf(stage(bytes, { csv: { encoding: "utf-16" }, schema: TWO_COLUMNS }));
      expect(failure).toMatchObject({ kind: "terminal", code: "malformed-file", at: { file: "dados/parte-0.csv", line: 3 } });
    });

    it("takes a UTF-8 byte order mark off the first header", async () => {
      const result = await stage("\ufeffid,nome\n1,a\n", { schema: TWO_COLUMNS });
      expect(await rowsOf(result.data.file)).toEqual([{ id: "1", nome: "a" }]);
    });

    it("reads a file without a final line break, with CRLF, quoted breaks, doubled quotes and blank lines", async () => {
      const result = await stage('id,nome\r\n1,"a\r\nb"\r\n\r\n2,"diz ""oi"""\r\n3,c', { schema: TWO_COLUMNS });
      expect(await rowsOf(result.data.file)).toEqual([
        { id: "1", nome: "a\r\nb" },
        { id: "2", nome: 'diz "oi"' },
        { id: "3", nome: "c" },
      ]);
    });

    it("reads a CSV without header by position", async () => {
      const result = await stage("1,a\n2,b\n", { csv: { header: false }, schema: TWO_COLUMNS });
      expect((await rowsOf(result.data.file)).map((row) => row.nome)).toEqual(["a", "b"]);
    });

    it("finds columns by header, in whatever order each file has them", async () => {
      const result = await stage(["id,nome\n1,a\n", "nome,id\nb,2\n"], { schema: TWO_COLUMNS });
      expect(await rowsOf(result.data.file)).toEqual([
        { id: "1", nome: "a" },
        { id: "2", nome: "b" },
      ]);
    });

    it("makes an empty typed table of a file that is only a header", async () => {
      const result = await stage("id,nome", { schema: TWO_COLUMNS });
      expect(result.data.rows).toBe(0);
      expect(result.data.columns.map(({ type }) => type)).toEqual(["BIGINT", "VARCHAR"]);
    });

    it("refuses a file of 0 bytes, naming it", async () => {
      const failure = await failureOf(stage("", { schema: TWO_COLUMNS }));
      expect(failure).toMatchObject({ kind: "terminal", code: "malformed-file", at: { file: "dados/parte-0.csv" } });
      expect(failure.message).toContain("empty");
    });

    it("reads a JSON array, nested values as JSON text and absent members as missing", async () => {
      const result = await stage('[{"id":1,"nome":"a","extra":{"z":[1,2]}},\n{"id":2,"extra":null}]', {
        format: "json",
        schema: { fields: [...TWO_COLUMNS.fields, { name: "extra", type: "string" }] },
      });
      expect(await rowsOf(result.data.file)).toEqual([
        { id: "1", nome: "a", extra: '{"z":[1,2]}' },
        { id: "2", nome: null, extra: null },
      ]);
    });

    it("refuses broken JSON, naming the file", async () => {
      const failure = await failureOf(stage('[{"id":1,"nome":"a"},{"id":}]', { format: "json", schema: TWO_COLUMNS }));
      expect(failure).toMatchObject({ code: "malformed-file", at: { file: "dados/parte-0.csv" } });
      expect(failure.message).not.toContain(bench.folder);
    });

    it("reads NDJSON and quarantines the lines that are not JSON objects", async () => {
      const result = await stage('{"id":1,"nome":"a"}\n\n{"id":2,\n[3]\n{"id":4,"nome":"\\u00e9"}', {
        format: "ndjson",
        schema: TWO_COLUMNS,
      });
      expect((await rowsOf(result.data.file)).map((row) => row.nome)).toEqual(["a", "é"]);
      expect((await quarantineOf(result)).map((row) => [row._linha, row._motivo])).toEqual([
        ["3", "malformed: not a JSON object"],
        ["4", "malformed: not a JSON object"],
      ]);
    });

    it("names a member that no document has", async () => {
      const failure = await failureOf(stage('{"id":1,"nomes":"a"}\n', { format: "ndjson", schema: TWO_COLUMNS }));
      expect(failure).toMatchObject({ code: "missing-column" });
      expect(failure.message).toContain('"nome" (it has "nomes")');
    });

    it("converts Parquet columns as values, without passing through text", async () => {
      const file = await writeParquet(
        join(bench.folder, "a.parquet"),
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
        join(bench.folder, "b.parquet"),
        "SELECT unnest([1.0, 1.5, 2.0]) AS id, unnest([NULL, 'nan', 'b']) AS nome",
      );
      const table = tableOf({ format: "parquet", schema: TWO_COLUMNS });
      const result = await engine.stageTable({ table, files: [{ name: "b.parquet", file }], references: {} }, await context());
      expect(result).toMatchObject({ rejected: 1, reasons: { "id: not an integer": 1 } });
      expect(await quarantineOf(result)).toEqual([
        { id: "1.5", nome: "nan", _motivo: "id: not an integer", _arquivo: "b.parquet", _linha: "2" },
      ]);
    });

    it("refuses what is not Parquet", async () => {
      const failure = await failureOf(stage("id,nome\n", { format: "parquet", schema: TWO_COLUMNS }));
      expect(failure).toMatchObject({ code: "malformed-file", at: { file: "dados/parte-0.csv" } });
    });

    it("makes an empty table of no file at all", async () => {
      expect((await stage([], { schema: TWO_COLUMNS })).data).toMatchObject({
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
      const failure = await failureOf(stage("id,nomes\n1,a\n", { schema: TWO_COLUMNS, extraColumns: "ignore" }));
      expect(failure).toMatchObject({ kind: "terminal", code: "missing-column", at: { file: "dados/parte-0.csv", line: 1 } });
      expect(failure.message).toContain('"nome" (it has "nomes")');
    });

    it("names an extra column", async () => {
      const failure = await failureOf(stage("id,nome,bairro\n1,a,b\n", { schema: TWO_COLUMNS }));
      expect(failure).toMatchObject({ code: "extra-column" });
      expect(failure.message).toContain('"bairro"');
    });

    it("leaves extra columns out when told to", async () => {
      const result = await stage("id,bairro,nome\n1,x,a\n", { schema: TWO_COLUMNS, extraColumns: "ignore" });
      expect(await rowsOf(result.data.file)).toEqual([{ id: "1", nome: "a" }]);
    });

    it("names a duplicated header", async () => {
      const failure = await failureOf(stage("id,nome,nome\n1,a,b\n", { schema: TWO_COLUMNS }));
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
}
