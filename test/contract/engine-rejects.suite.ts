/** How an engine cleans rows, and which it rejects. */
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { rowsOf, writeParquet } from "../support/parquet.ts";
import { engineBench, failureOf, quarantineOf, TWO_COLUMNS, type OpenEngine } from "./engine.bench.ts";

export function describeRejects(openEngine: OpenEngine): void {
  const bench = engineBench(openEngine);
  const { stage } = bench;

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
      const result = await stage('id,nome\n1,""\n2,\n', { schema: { ...TWO_COLUMNS, missingValues: ["NA"] } });
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
      const result = await stage(["id,nome\n1,a\n", 'nome,id\n"duas\nlinhas",1\n\nb, x \n'], { schema: TWO_COLUMNS, clean: ["trim"] });
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
      const airports = await writeParquet(join(bench.folder, "airports.parquet"), "SELECT unnest(['GRU', 'GIG']) AS code");
      const foreignKeys = [{ fields: ["nome"], reference: { table: "airports", fields: ["code"] } }];
      const result = await stage("id,nome\n1,GRU\n2,XXX\n3,\n", { schema: { ...TWO_COLUMNS, foreignKeys } }, { airports });
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
      const result = await stage('id,nome\n1,a\n2\n\n3,b,c\n"4","d"\n', { schema: TWO_COLUMNS });
      expect((await rowsOf(result.data.file)).map((row) => row.id)).toEqual(["1", "4"]);
      expect((await quarantineOf(result)).map((row) => [row._linha, row._motivo])).toEqual([
        ["3", "malformed: 1 columns instead of 2"],
        ["5", "malformed: 3 columns instead of 2"],
      ]);
    });

    it("gives true lines also after malformed rows and a byte order mark", async () => {
      const result = await stage("\ufeffid,nome\n1\nx,a\n2,b\ny,c\n", { schema: TWO_COLUMNS });
      expect((await quarantineOf(result)).map((row) => row._linha)).toEqual(["2", "3", "5"]);
    });

    it("gives true lines in a file of many buffers, between quoted line breaks, blank lines and malformed rows", async () => {
      const pad = "x".repeat(60);
      const lines = ["id,nome"];
      const expected: string[] = [];
      for (let id = 0; id < 600_000; id += 1) {
        if (id % 50_021 === 7) lines.push(`${id}`);
        else if (id % 70_001 === 11) lines.push(`n${id},${pad}`);
        else
          lines.push(
            ...(id % 30_011 === 3 ? [`${id},"duas`, `linhas ""${pad}"""`] : id % 99_991 === 5 ? ["", `${id},${pad}`] : [`${id},${pad}`]),
          );
        if (id % 50_021 === 7 || id % 70_001 === 11) expected.push(String(lines.length));
      }
      const result = await stage(lines.join("\r\n"), { schema: TWO_COLUMNS });
      expect((await quarantineOf(result)).map((row) => row._linha)).toEqual(expected);
    });

    it("keeps a source column once when two fields come from it", async () => {
      const schema = {
        fields: [
          { name: "texto", source: "v", type: "string" },
          { name: "numero", source: "v", type: "integer" },
        ],
      };
      const result = await stage("v\n1\na\n", { schema });
      expect(await rowsOf(result.data.file)).toEqual([{ texto: "1", numero: "1" }]);
      expect(await quarantineOf(result)).toEqual([
        { v: "a", _motivo: "numero: not an integer", _arquivo: "dados/parte-0.csv", _linha: "3" },
      ]);
    });

    it("quarantines a row that is not UTF-8", async () => {
      const bytes = Buffer.concat([Buffer.from("id,nome\n1,a\n2,"), Buffer.from([0xff, 0xfe]), Buffer.from("\n3,b\n")]);
      const result = await stage(bytes, { schema: TWO_COLUMNS });
      expect((await rowsOf(result.data.file)).map((row) => row.id)).toEqual(["1", "3"]);
      expect(await quarantineOf(result)).toMatchObject([{ _motivo: "malformed: not UTF-8", _linha: "3" }]);
    });

    it("refuses a file in which a quote that is never closed swallows rows, at its line", async () => {
      const failure = await failureOf(stage('id,nome\n1,a\n2,"b\n3,c\n4,d\n', { schema: TWO_COLUMNS }));
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
}
