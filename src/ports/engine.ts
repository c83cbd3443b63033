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
 * Failures are `terminal` and say file, line, column where they can; besides those below, any call may meet `out-of-memory` or
 * `disk-full`. An aborted signal ends a running query within a second, as `cancelled`.
 */
export interface Engine {
  /**
   * Rows in the order of the files and within them. Of rows with one key the first good one stays. Latin-1 is read as Windows-1252;
   * a date-time with an offset becomes UTC; NaN and infinities are no numbers.
   * @throws terminal `missing-column`, `extra-column`, `duplicate-column`, `malformed-file`; precondition `invalid-schema` when a format,
   * pattern or limit can never work
   */
  stageTable(request: StageTableRequest, context: EngineContext): Promise<StageTableResult>;
  /**
   * What a SELECT reads, by table name in lower case.
   * @throws terminal `sql-error` when it is not exactly one SELECT over tables, `nondeterministic-sql` naming the function
   */
  inspectSelect(sql: string, path: string): Promise<{ readonly reads: readonly string[] }>;
  /**
   * Rows in the query's own order, ties and queries without one by all columns from left to right. What depends on the order of rows
   * inside the query (`first`, `list`, `string_agg`, `row_number` among ties, a LIMIT in a subquery) follows the order of the input
   * tables as long as the query fits into memory; an ORDER BY inside makes it certain. The query reads its inputs and nothing else.
   * Parquet has no HUGEINT: sums of BIGINT become DOUBLE unless the query casts them.
   * @throws terminal `sql-error`, `nondeterministic-sql`
   */
  curate(request: CurateRequest, context: EngineContext): Promise<WrittenTable>;
  /**
   * Rows in the order of the input. At most one of `stratify`, `group` and `time` decides; without any, the hash of the key:
   * `int(md5(text)[:13], 16) / 2^52`, where the text is the seed and the key's values joined by U+001F, in UTF-8; below `train` is train,
   * below `train + validation` is validation.
   * @throws terminal `missing-column`, `split-key-null`, `split-key-not-unique`
   */
  split(request: SplitRequest, context: EngineContext): Promise<Readonly<Record<SplitName, WrittenTable>>>;
}
