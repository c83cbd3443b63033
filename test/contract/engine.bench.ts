/** What the engine suites share: an engine, a folder for each test, tables from texts. */
import { randomUUID } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect } from "vitest";
import { EdaError } from "../../src/domain/errors.ts";
import { type DatasetSpec, projectSchema, type StagingTable } from "../../src/domain/project.ts";
import type { Engine, EngineContext, StageTableResult } from "../../src/ports/engine.ts";
import { rowsOf } from "../support/parquet.ts";

export interface EngineOptions {
  readonly memoryLimitMiB: number;
  readonly threads: number;
}

export type OpenEngine = (options: EngineOptions) => Engine;

export type TableInput = Partial<Omit<StagingTable, "schema" | "csv">> & {
  csv?: Partial<NonNullable<StagingTable["csv"]>>;
  schema: Record<string, unknown>;
};

export interface EngineBench {
  readonly open: OpenEngine;
  /** 512 MiB, two threads. */
  readonly engine: Engine;
  /** Of the running test. */
  readonly folder: string;
  context(signal?: AbortSignal): Promise<EngineContext>;
  /** Stages files with these contents: `dados/parte-0.csv` and so on. */
  stage(
    contents: string | Buffer | readonly (string | Buffer)[],
    table: TableInput,
    references?: Record<string, string>,
    by?: Engine,
  ): Promise<StageTableResult>;
}

/** Call it inside a describe: it registers hooks. */
export function engineBench(open: OpenEngine): EngineBench {
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
  const context = async (signal = new AbortController().signal) => ({ workDir: await mkdtemp(join(folder, "work-")), signal });
  return {
    open,
    engine,
    get folder() {
      return folder;
    },
    context,
    async stage(contents, table, references = {}, by = engine) {
      const all = typeof contents === "string" || Buffer.isBuffer(contents) ? [contents] : contents;
      const files = await Promise.all(
        all.map(async (content, index) => {
          const file = join(folder, `${randomUUID()}.raw`);
          await writeFile(file, content);
          return { name: `dados/parte-${index}.csv`, file };
        }),
      );
      return by.stageTable({ table: tableOf(table), files, references }, await context());
    },
  };
}

export const TWO_COLUMNS = {
  fields: [
    { name: "id", type: "integer" },
    { name: "nome", type: "string" },
  ],
};

/** The first staging table of a valid project file, with every default filled in. */
export function tableOf(input: TableInput): StagingTable {
  const table = { name: "voos", files: ["*"], format: "csv", ...input };
  const tables = [table, { name: "airports", files: ["*"], format: "csv", schema: { fields: [{ name: "code", type: "string" }] } }];
  const parsed = projectSchema.parse({ project: "p", drive: { folder: "d" }, staging: { tables } });
  return parsed.staging?.tables[0] as StagingTable;
}

export function datasetOf(input: Partial<DatasetSpec>): DatasetSpec {
  const parsed = projectSchema.parse({
    project: "p",
    drive: { folder: "d" },
    datasets: [{ name: "d", from: "t", key: ["id"], splits: { train: 0.7, validation: 0.15, test: 0.15 }, ...input }],
  });
  return parsed.datasets?.[0] as DatasetSpec;
}

export function quarantineOf(result: StageTableResult): Promise<Record<string, unknown>[]> {
  return rowsOf(result.quarantine?.file as string);
}

export async function failureOf(work: Promise<unknown>): Promise<EdaError> {
  const failure = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(failure).toBeInstanceOf(EdaError);
  return failure as EdaError;
}
