import type { DatasetSpec, StagingTable } from "../domain/project.ts";

export interface EngineContext {
  /** Private scratch folder of the unit: outputs and spill files go here. */
  readonly workDir: string;
  readonly signal: AbortSignal;
  /** Rows done since the last call, where the engine can tell. */
  readonly onRows?: (rows: number) => void;
}

/** A table the engine wrote: one Parquet file (zstd), reproducible byte by byte. */
export interface WrittenTable {
  readonly file: string;
  readonly rows: number;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
}

export interface StageTableRequest {
  readonly table: StagingTable;
  /** Raw files in order; `name` is the raw path a person knows, `file` where the bytes are. */
  readonly files: readonly { readonly name: string; readonly file: string }[];
  /** Parquet files of the staging tables that foreign keys refer to, by table name. */
  readonly references: Readonly<Record<string, string>>;
}

export interface StageTableResult {
  readonly data: WrittenTable;
  /** Rows that broke the contract: source columns as text, `_motivo`, `_arquivo`, `_linha`. Absent when none did. */
  readonly quarantine: WrittenTable | null;
  readonly rejected: number;
  /** Rejected rows by reason, e.g. `delay: minimum -120`. */
  readonly reasons: Readonly<Record<string, number>>;
}

export interface CurateRequest {
  /** The SELECT, as the person wrote it. */
  readonly sql: string;
  /** Governed path of the SQL file, for messages. */
  readonly path: string;
  /** Parquet file of every table it may read, by name. */
  readonly inputs: Readonly<Record<string, string>>;
  readonly outputName: string;
}

export type SplitName = "train" | "validation" | "test";

export interface SplitRequest {
  readonly dataset: DatasetSpec;
  /** Parquet file of the curated table. */
  readonly input: string;
}

/**
 * Reads and writes tables. Same inputs and same request give the same bytes on every machine, run and number of threads.
 * Failures are `terminal` and say file, line, column: `missing-column`, `extra-column`, `malformed-file`, `sql-error`,
 * `nondeterministic-sql`, `split-key-not-unique`.
 */
export interface Engine {
  stageTable(request: StageTableRequest, context: EngineContext): Promise<StageTableResult>;
  /**
   * What a SELECT reads, by table name.
   * @throws terminal `sql-error` when it is not exactly one SELECT, `nondeterministic-sql` naming the function
   */
  inspectSelect(sql: string, path: string): Promise<{ readonly reads: readonly string[] }>;
  curate(request: CurateRequest, context: EngineContext): Promise<WrittenTable>;
  split(request: SplitRequest, context: EngineContext): Promise<Readonly<Record<SplitName, WrittenTable>>>;
}
