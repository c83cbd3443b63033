/** A raw file as a relation that DuckDB can check: one opener a format, all with the same outcome. */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { EdaError } from "../../../domain/errors.ts";
import { printable } from "../../../domain/printable.ts";
import type { StagingTable } from "../../../domain/project.ts";
import type { EngineContext } from "../../../ports/engine.ts";
import { reasonOf } from "../failure.ts";
import type { Session } from "../session.ts";
import { files, identifier, literal } from "../sql.ts";
import { columnsOf, writeTemporary } from "../written-table.ts";
import { assertColumns, headerOf } from "./columns.ts";
import { type CsvDialect, csvHeader } from "./csv-records.ts";
import type { FieldInput } from "./field-sql.ts";
import { transcode } from "./transcode.ts";

export interface SourceFile {
  /** Position among the table's files, from 0. */
  readonly index: number;
  /** Raw path a person knows. */
  readonly name: string;
  readonly file: string;
}

export interface Source extends SourceFile {
  /** A FROM item whose columns the inputs name; rows in the order of the file. */
  readonly relation: string;
  /** One a field, in the schema's order. */
  readonly inputs: readonly FieldInput[];
  /** A record that is none, e.g. a line that is not JSON: a condition on the relation. */
  readonly malformed: string | null;
  /** Set for formats whose records are text between line breaks: then a record's line can be found. */
  readonly lines: LineSource | null;
}

interface LineSource {
  readonly file: string;
  readonly dialect: CsvDialect;
  readonly hasHeader: boolean;
  /** Table in which DuckDB left the records it could not read. */
  readonly rejects: string;
}

/** No text of a person's is this one, so that an empty text stays one until the schema says what is missing. */
const NO_NULL = "\u001feda\u001f";
/** JSON forbids it raw, so that each line is one field. */
const NO_DELIMITER = "\u0001";

export async function openSource(table: StagingTable, file: SourceFile, session: Session, context: EngineContext): Promise<Source> {
  switch (table.format) {
    case "csv":
      return openCsv(table, file, context);
    case "json":
    case "ndjson":
      return openJson(table, file, session, context);
    case "parquet":
      return openParquet(table, file, session);
  }
}

async function openCsv(table: StagingTable, source: SourceFile, context: EngineContext): Promise<Source> {
  const { delimiter, quote, encoding, header } = table.csv ?? { delimiter: ",", quote: '"', encoding: "utf-8", header: true };
  let { file } = source;
  if (encoding !== "utf-8") {
    file = join(context.workDir, `utf8-${source.index}.csv`);
    await transcode(source.name, source.file, encoding, file, context.signal);
  }
  const dialect = { delimiter, quote };
  const { fields } = table.schema;
  const headers = header ? await csvHeader(file, dialect, context.signal) : fields.map(headerOf);
  if (headers === undefined) throw malformedFile(source.name, "it is empty, without even a header");
  assertColumns(table, headers, source.name);
  const columns = headers.map((_, position) => `c${position}`);
  const rejects = `malformed_${source.index}`;
  return {
    ...source,
    relation: readLines(file, columns, dialect, header, rejects),
    inputs: fields.map((field) => ({ field, source: `c${headers.indexOf(headerOf(field))}`, sourceType: "VARCHAR" })),
    malformed: null,
    lines: { file, dialect, hasHeader: header, rejects },
  };
}

function readLines(file: string, columns: readonly string[], { delimiter, quote }: CsvDialect, header: boolean, rejects: string): string {
  const options = [
    literal(file),
    "auto_detect = false",
    `columns = {${columns.map((column) => `${column}: 'VARCHAR'`).join(", ")}}`,
    `header = ${header}`,
    `delim = ${literal(delimiter)}`,
    `quote = ${literal(quote)}`,
    `escape = ${literal(quote)}`,
    `nullstr = ${literal(NO_NULL)}`,
    "strict_mode = true",
    "store_rejects = true",
    `rejects_table = ${literal(rejects)}`,
    `rejects_scan = ${literal(`${rejects}_scan`)}`,
  ];
  return `read_csv(${options.join(", ")})`;
}

/** Both JSON formats pass through a file of one document a row: the names of its members are needed before its values. */
async function openJson(table: StagingTable, source: SourceFile, session: Session, context: EngineContext): Promise<Source> {
  const documents = join(context.workDir, `json-${source.index}.parquet`);
  const isLines = table.format === "ndjson";
  const rejects = `malformed_${source.index}`;
  const dialect = { delimiter: NO_DELIMITER, quote: "" };
  const { size } = await stat(source.file);
  if (size === 0 && !isLines) throw malformedFile(source.name, "it is empty");
  const reader = isLines
    ? `SELECT c0 AS document FROM ${readLines(source.file, ["c0"], dialect, false, rejects)}`
    : `SELECT CAST(json AS VARCHAR) AS document FROM read_json_objects(${literal(source.file)}, format = 'array')`;
  await reading(source.name, () => writeTemporary(session, reader, documents));
  const parsed =
    `(SELECT document, CASE WHEN json_valid(document) THEN CAST(document AS JSON) END AS json ` +
    `FROM read_parquet(${files([documents])}))`;
  const found = await session.rows<{ name: string }>(
    `SELECT DISTINCT unnest(json_keys(json)) AS name FROM ${parsed} WHERE json_type(json) = 'OBJECT' ORDER BY name`,
  );
  const [counted] = await session.rows<{ rows: bigint }>(`SELECT count(*) AS rows FROM ${parsed} WHERE json_type(json) = 'OBJECT'`);
  if ((counted?.rows ?? 0n) > 0n)
    assertColumns(
      table,
      found.map(({ name }) => name),
      source.name,
    );
  const members = table.schema.fields.map(
    (field, position) => `CASE WHEN json_type(json) = 'OBJECT' THEN json ->> ${literal(memberPath(headerOf(field)))} END AS c${position}`,
  );
  return {
    ...source,
    relation: `(SELECT json_type(json) AS kind, ${members.join(", ")} FROM ${parsed})`,
    inputs: table.schema.fields.map((field, position) => ({ field, source: `c${position}`, sourceType: "VARCHAR" })),
    malformed: "coalesce(kind, '') <> 'OBJECT'",
    lines: isLines ? { file: source.file, dialect, hasHeader: false, rejects } : null,
  };
}

function memberPath(name: string): string {
  return `$."${name.replaceAll('"', '\\"')}"`;
}

async function openParquet(table: StagingTable, source: SourceFile, session: Session): Promise<Source> {
  const relation = `read_parquet(${literal(source.file)})`;
  const columns = await reading(source.name, () => columnsOf(session, `SELECT * FROM ${relation}`));
  assertColumns(
    table,
    columns.map(({ name }) => name),
    source.name,
  );
  return {
    ...source,
    relation,
    inputs: table.schema.fields.map((field) => ({
      field,
      source: identifier(headerOf(field)),
      sourceType: columns.find(({ name }) => name === headerOf(field))?.type ?? "VARCHAR",
    })),
    malformed: null,
    lines: null,
  };
}

/** Runs what reads a raw file; what DuckDB cannot read at all becomes `malformed-file` with file and, when it says one, line. */
export async function reading<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const message = error instanceof Error ? error.message : "";
    if (error instanceof EdaError || !/^(Invalid Input|IO|Invalid|Conversion|Parquet|Serialization) Error/u.test(message)) throw error;
    const line = /\b[Ll]ine:? (\d+)/u.exec(message)?.[1];
    throw malformedFile(
      name,
      reasonOf(error).replaceAll(/ in file "[^"]*"| file '[^']*'/gu, ""),
      line === undefined ? undefined : Number(line),
      error,
    );
  }
}

export function malformedFile(name: string, reason: string, line?: number, cause?: unknown): EdaError {
  return new EdaError("terminal", "malformed-file", `${printable(name)} cannot be read: ${reason}.`.replace(/\.\.$/u, "."), {
    todo: "Correct the file at its origin, or the table's format in the project file.",
    at: { file: name, ...(line === undefined ? {} : { line }) },
    cause,
  });
}
