/** What an engine finds out about a SELECT, and how it runs one. */
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Engine } from "../../src/ports/engine.ts";
import { rowsOf, sha256Of, writeParquet } from "../support/parquet.ts";
import { engineBench, failureOf, type OpenEngine } from "./engine.bench.ts";

export function describeSelect(openEngine: OpenEngine): void {
  const bench = engineBench(openEngine);
  const { engine, open, context } = bench;

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
      const t = await writeParquet(join(bench.folder, "t.parquet"), "SELECT unnest([1, 2, 3, 4]) AS id, unnest([1, 1, 2, 2]) AS g");
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
      const t = await writeParquet(join(bench.folder, "t.parquet"), "SELECT 1000 - range AS id, 1 AS g FROM range(1000)");
      expect((await rowsOf((await curate("SELECT id, g, id * 2 FROM t ORDER BY g LIMIT 2", { t })).file)).map((row) => row.id)).toEqual([
        "1",
        "2",
      ]);
    });

    it("settles ties in a query of every kind of clause, and gives what the person wrote", async () => {
      const t = await writeParquet(
        join(bench.folder, "t.parquet"),
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
      const t = await writeParquet(join(bench.folder, "t.parquet"), "SELECT unnest([3, 1, 2]) AS id");
      expect((await rowsOf((await curate("SELECT id FROM t", { t })).file)).map((row) => row.id)).toEqual([1, 2, 3]);
    });

    it("keeps constants that a double cannot hold when it adds an order", async () => {
      const t = await writeParquet(join(bench.folder, "t.parquet"), "SELECT 1 AS id");
      expect(await rowsOf((await curate("SELECT id, 9007199254740993 AS n FROM t ORDER BY id", { t })).file)).toEqual([
        { id: 1, n: "9007199254740993" },
      ]);
    });

    it("writes the same bytes with 1 and 2 threads over floating-point aggregates and joins", async () => {
      const voos = await writeParquet(
        join(bench.folder, "voos.parquet"),
        "SELECT range AS id, (range * 7919) % 1000 AS de, sin(range) * 1e6 AS atraso FROM range(500000)",
      );
      const aeroportos = await writeParquet(
        join(bench.folder, "aeroportos.parquet"),
        "SELECT range AS de, cos(range) AS lat FROM range(1000)",
      );
      const sql = `SELECT de, lat, avg(atraso) AS media, stddev(atraso) AS desvio, sum(atraso * lat) AS soma, first(id) AS primeiro
        FROM voos JOIN aeroportos USING (de) GROUP BY de, lat`;
      const hashes = new Set<string>();
      for (const threads of [1, 2, 2, 1]) {
        hashes.add(await sha256Of((await curate(sql, { voos, aeroportos }, open({ memoryLimitMiB: 512, threads }))).file));
      }
      expect(hashes.size).toBe(1);
    });

    it("names an unknown table and the nearest one", async () => {
      const airports = await writeParquet(join(bench.folder, "airports.parquet"), "SELECT 1 AS id");
      const failure = await failureOf(curate("SELECT * FROM airprots", { airports }));
      expect(failure).toMatchObject({ code: "sql-error", at: { file: "sql/p/curated/q.sql" } });
      expect(failure.todo).toContain("Did you mean airports?");
    });

    it("gives DuckDB's reason with file, line and column", async () => {
      const t = await writeParquet(join(bench.folder, "t.parquet"), "SELECT 1 AS id");
      const failure = await failureOf(curate("SELECT id,\n  atrso\nFROM t", { t }));
      expect(failure).toMatchObject({ kind: "terminal", code: "sql-error", at: { file: "sql/p/curated/q.sql", line: 2, column: 3 } });
      expect(failure.message).toContain('"atrso" not found');
    });

    it("locates a failure that only data brings out", async () => {
      const t = await writeParquet(join(bench.folder, "t.parquet"), "SELECT 'abc' AS texto");
      const failure = await failureOf(curate("SELECT CAST(texto AS INTEGER) AS n FROM t", { t }));
      expect(failure).toMatchObject({ code: "sql-error", at: { file: "sql/p/curated/q.sql" } });
      expect(failure.message).toContain("abc");
    });

    it("refuses two columns of one name", async () => {
      const t = await writeParquet(join(bench.folder, "t.parquet"), "SELECT 1 AS id");
      expect((await failureOf(curate("SELECT id, id AS ID FROM t", { t }))).message).toContain("two columns");
    });

    it("says what to do when memory is not enough", async () => {
      const t = await writeParquet(join(bench.folder, "t.parquet"), "SELECT range AS id FROM range(3000000)");
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
      const t = await writeParquet(join(bench.folder, "t.parquet"), "SELECT range AS id FROM range(100000)");
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
}
