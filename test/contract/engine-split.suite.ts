/** How an engine cuts datasets. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { DatasetSpec } from "../../src/domain/project.ts";
import type { Engine } from "../../src/ports/engine.ts";
import { rowsOf, sha256Of, writeParquet } from "../support/parquet.ts";
import { datasetOf, engineBench, failureOf, type OpenEngine } from "./engine.bench.ts";

export function describeSplit(openEngine: OpenEngine): void {
  const bench = engineBench(openEngine);
  const { engine, open, context } = bench;

  describe("splitting", () => {
    const thousand = () =>
      writeParquet(
        join(bench.folder, "t.parquet"),
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
      const before = await split({}, await writeParquet(join(bench.folder, "a.parquet"), "SELECT range AS id FROM range(500)"));
      const after = await split({}, await writeParquet(join(bench.folder, "b.parquet"), "SELECT 999 - range AS id FROM range(1000)"));
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
        join(bench.folder, "big.parquet"),
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
      const input = await writeParquet(join(bench.folder, "n.parquet"), "SELECT nullif(range, 3) AS id FROM range(10)");
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
}
