/** What staging promises whatever the rows: same bytes, and a word about the machine. */
import { execFileSync } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { query, sha256Of, writeParquet } from "../support/parquet.ts";
import { engineBench, failureOf, tableOf, TWO_COLUMNS, type OpenEngine } from "./engine.bench.ts";

export function describeStaging(openEngine: OpenEngine): void {
  const bench = engineBench(openEngine);
  const { engine, open, context, stage } = bench;

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
      const parquet = await writeParquet(join(bench.folder, "rows.parquet"), rows);
      const csv = join(bench.folder, "rows.csv");
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
          { schema: { ...TWO_COLUMNS, primaryKey: ["id"] } },
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
      const small = join(bench.folder, "small");
      await mkdir(small);
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", small]);
      try {
        const file = await writeParquet(
          join(bench.folder, "large.parquet"),
          "SELECT range AS id, md5(range::VARCHAR) AS nome FROM range(500000)",
        );
        const table = tableOf({ format: "parquet", schema: TWO_COLUMNS });
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
        join(bench.folder, "large.parquet"),
        "SELECT range AS id, md5(range::VARCHAR) AS nome FROM range(500000)",
      );
      const table = tableOf({ format: "parquet", schema: TWO_COLUMNS });
      let rows = 0;
      await engine.stageTable(
        { table, files: [{ name: "large.parquet", file }], references: {} },
        { ...(await context()), onRows: (more) => (rows += more) },
      );
      expect(rows).toBe(500_000);
    });
  });
}
