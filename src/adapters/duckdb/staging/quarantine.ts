/** Rows that broke the contract, as they stood in their source: texts, reasons, file and line. */
import type { DuckDBAppender } from "@duckdb/node-api";
import type { StagingTable } from "../../../domain/project.ts";
import type { EngineContext, WrittenTable } from "../../../ports/engine.ts";
import type { Session } from "../session.ts";
import { identifier, literal } from "../sql.ts";
import { writeTable } from "../written-table.ts";
import { headerOf } from "./columns.ts";
import { csvRecords } from "./csv-records.ts";
import { malformedFile, type Source } from "./source.ts";

/** File index and row of a checked row in one number: files have fewer than 2^40 rows. */
export const ROW_BITS = 40;

interface MalformedRecord {
  /** Offset in bytes of the record, as DuckDB gives it. */
  readonly offset: number;
  readonly reason: string;
}

/** Finds lines for every rejected row and every record DuckDB could not read: fills `malformed` and `positions`. */
export async function locateRejects(sources: readonly Source[], session: Session, context: EngineContext): Promise<void> {
  await session.run("CREATE TABLE malformed (file INTEGER, line BIGINT, reason VARCHAR)");
  await session.run("CREATE TABLE positions (id BIGINT, line BIGINT)");
  for (const source of sources) {
    const first = BigInt(source.index) << BigInt(ROW_BITS);
    const mine = `id >= ${first} AND id < ${first + (1n << BigInt(ROW_BITS))}`;
    if (source.lines === null) {
      await session.run(`INSERT INTO positions SELECT DISTINCT id, id - ${first} + 1 FROM rejects WHERE ${mine}`);
      continue;
    }
    const malformed = await malformedRecords(source, session);
    const wanted = await session.rows<{ id: bigint }>(`SELECT DISTINCT id FROM rejects WHERE ${mine} ORDER BY id`);
    if (malformed.length + wanted.length === 0) continue;
    await locateInFile(
      source,
      malformed,
      wanted.map(({ id }) => id),
      first,
      session,
      context,
    );
  }
}

async function malformedRecords(source: Source, session: Session): Promise<MalformedRecord[]> {
  const rejects = source.lines?.rejects as string;
  const found = await session.rows<{ start: bigint; line: bigint; kind: string; spans: boolean; message: string }>(
    `SELECT line_byte_position::BIGINT AS start, line::BIGINT AS line, CAST(error_type AS VARCHAR) AS kind,
            contains(trim(csv_line, chr(10) || chr(13)), chr(10)) AS spans, error_message AS message
     FROM ${rejects} ORDER BY start, byte_position`,
  );
  const spanning = found.find(({ kind, spans }) => kind === "UNQUOTED VALUE" && spans);
  if (spanning !== undefined) {
    for await (const record of csvRecords(source.lines?.file as string, { delimiter: "", quote: "" }, new AbortController().signal)) {
      if (record.end <= Number(spanning.start)) continue;
      throw malformedFile(
        source.name,
        `a quote opened on line ${record.line} is not closed, so that rows after it cannot be told apart`,
        record.line,
      );
    }
  }
  return found.map(({ start, kind, message }) => ({ offset: Number(start), reason: malformedReason(kind, message) }));
}

function malformedReason(kind: string, message: string): string {
  const counts = /Expected Number of Columns: (\d+) Found: (\d+)/u.exec(message);
  if (counts !== null) return `malformed: ${counts[2]} columns instead of ${counts[1]}`;
  if (kind === "INVALID ENCODING") return "malformed: not UTF-8";
  if (kind === "UNQUOTED VALUE") return "malformed: quote not closed";
  if (kind === "LINE SIZE OVER MAXIMUM") return "malformed: line too long";
  return `malformed: ${kind.toLowerCase()}`;
}

async function locateInFile(
  source: Source,
  malformed: readonly MalformedRecord[],
  wanted: readonly bigint[],
  first: bigint,
  session: Session,
  context: EngineContext,
): Promise<void> {
  const lines = source.lines as NonNullable<Source["lines"]>;
  const positions = await session.connection.createAppender("positions");
  const broken = await session.connection.createAppender("malformed");
  let nextMalformed = 0;
  let nextWanted = 0;
  let id = first;
  let isHeader = lines.hasHeader;
  for await (const record of csvRecords(lines.file, lines.dialect, context.signal)) {
    if (nextMalformed === malformed.length && nextWanted === wanted.length) break;
    if (isHeader) {
      isHeader = false;
      continue;
    }
    const bad = malformed[nextMalformed];
    if (bad !== undefined && bad.offset < record.end) {
      appendMalformed(broken, source, bad.reason, record.line);
      // A record can be broken in several places; the first says enough.
      while (nextMalformed < malformed.length && (malformed[nextMalformed] as MalformedRecord).offset < record.end) nextMalformed += 1;
      continue;
    }
    if (wanted[nextWanted] === id) {
      positions.appendBigInt(id);
      positions.appendBigInt(BigInt(record.line));
      positions.endRow();
      nextWanted += 1;
    }
    id += 1n;
  }
  // Should DuckDB ever cut records otherwise than we do, a record without its line is still no record lost.
  for (const { reason } of malformed.slice(nextMalformed)) appendMalformed(broken, source, reason, null);
  positions.closeSync();
  broken.closeSync();
}

function appendMalformed(table: DuckDBAppender, source: Source, reason: string, line: number | null): void {
  table.appendInteger(source.index);
  if (line === null) table.appendNull();
  else table.appendBigInt(BigInt(line));
  table.appendVarchar(reason);
  table.endRow();
}

/** Writes `_quarentena` for everything in `rejects` and `malformed`; null when there is nothing. */
export async function writeQuarantine(
  table: StagingTable,
  sources: readonly Source[],
  session: Session,
  file: string,
): Promise<WrittenTable | null> {
  const [counted] = await session.rows<{ rows: bigint }>(
    "SELECT (SELECT count(*) FROM rejects) + (SELECT count(*) FROM malformed) AS rows",
  );
  if ((counted?.rows ?? 0n) === 0n) return null;
  await session.run("CREATE TABLE names (file INTEGER, name VARCHAR)");
  for (const { index, name } of sources) await session.run("INSERT INTO names VALUES ($1, $2)", [index, name]);
  const { fields } = table.schema;
  const texts = fields.map((_, position) => `t${position}`);
  const headers = fields.map(headerOf);
  // Two fields may come from one column: it stands there once.
  const named = headers.flatMap((header, position) =>
    headers.indexOf(header) === position ? [`t${position} AS ${identifier(header)}`] : [],
  );
  const reasons = "(SELECT id, string_agg(reason, '; ' ORDER BY rowid) AS reason FROM rejects GROUP BY id)";
  const rejected =
    `SELECT ${texts.join(", ")}, reason, CAST(id >> ${ROW_BITS} AS INTEGER) AS file, line ` +
    `FROM (${table.format === "parquet" ? parquetTexts(sources) : `SELECT id, ${texts.join(", ")} FROM checked`}) JOIN ${reasons} USING (id) LEFT JOIN positions USING (id)`;
  const malformed = `SELECT ${texts.map((text) => `CAST(NULL AS VARCHAR) AS ${text}`).join(", ")}, reason, file, line FROM malformed`;
  return writeTable(
    session,
    `SELECT ${named.join(", ")}, reason AS _motivo, name AS _arquivo, line AS _linha
     FROM (${rejected} UNION ALL ${malformed}) JOIN names USING (file) ORDER BY file, line`,
    file,
  );
}

/** Texts of Parquet columns are not kept while checking: they are read again for the few rows that need them. */
function parquetTexts(sources: readonly Source[]): string {
  return sources
    .map(({ index, file, inputs }) => {
      const texts = inputs.map(({ source }, position) => `CAST(${source} AS VARCHAR) AS t${position}`);
      return `SELECT (${index}::BIGINT << ${ROW_BITS}) + file_row_number AS id, ${texts.join(", ")} FROM read_parquet(${literal(file)}, file_row_number = true)`;
    })
    .join(" UNION ALL ");
}
