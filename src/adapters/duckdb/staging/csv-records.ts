/**
 * Where the records of a CSV file begin. DuckDB counts records, not lines, and so cannot say on which line of the file a record
 * stands once a quoted field holds a line break; this can. It also reads the header.
 */
import { createReadStream } from "node:fs";

export interface CsvDialect {
  readonly delimiter: string;
  /** "" when nothing is quoted. */
  readonly quote: string;
}

/** One record that is not an empty line. Offsets in bytes, `end` after its line break; `line` 1-based. */
export interface CsvRecord {
  readonly end: number;
  readonly line: number;
}

const LF = 0x0a;
const CR = 0x0d;
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/** Records in order, empty lines left out, as DuckDB does for a file of more than one column. */
export async function* csvRecords(file: string, dialect: CsvDialect, signal: AbortSignal): AsyncIterable<CsvRecord> {
  const quote = dialect.quote === "" ? -1 : dialect.quote.charCodeAt(0);
  const delimiter = dialect.delimiter.charCodeAt(0);
  let offset = 0;
  let line = 1;
  let startLine = 1;
  let isEmpty = true;
  let quoted = false;
  let atFieldStart = true;
  let afterCr = false;
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20, signal })) {
    const bytes = chunk as Buffer;
    const mark = offset === 0 && bytes.subarray(0, 3).equals(BYTE_ORDER_MARK) ? 3 : 0;
    for (let index = mark; index < bytes.length; index += 1) {
      const byte = bytes[index] as number;
      const endsCrLf = byte === LF && afterCr;
      afterCr = byte === CR;
      if (endsCrLf) continue;
      if (byte === LF || byte === CR) {
        line += 1;
        if (quoted) continue;
        if (!isEmpty) yield { end: offset + index + 1, line: startLine };
        startLine = line;
        isEmpty = true;
        atFieldStart = true;
        continue;
      }
      if (byte === quote && (quoted || atFieldStart)) quoted = !quoted;
      // A quote that closes and another at once is a quote in the text: the second opens again.
      atFieldStart = (byte === delimiter && !quoted) || (byte === quote && !quoted);
      isEmpty = false;
    }
    offset += bytes.length;
  }
  if (!isEmpty) yield { end: offset, line: startLine };
}

/** Names in the first record, without a byte order mark; undefined when the file holds none. Reads no further than that record. */
export async function csvHeader(file: string, dialect: CsvDialect, signal: AbortSignal): Promise<string[] | undefined> {
  let end: number | undefined;
  for await (const record of csvRecords(file, dialect, signal)) {
    end = record.end;
    break;
  }
  if (end === undefined) return undefined;
  const chunks: Buffer[] = [];
  for await (const chunk of createReadStream(file, { end: end - 1, signal })) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks)
    .toString("utf8")
    .replace(/^\ufeff/u, "")
    .replace(/^[\r\n]+|[\r\n]+$/gu, "");
  return splitRecord(text, dialect);
}

function splitRecord(text: string, { delimiter, quote }: CsvDialect): string[] {
  const fields: string[] = [];
  let field = "";
  let quoted = false;
  for (let index = 0; index < text.length; index += 1) {
    const char = text[index] as string;
    if (quoted && char === quote && text[index + 1] === quote) {
      field += quote;
      index += 1;
    } else if (char === quote && (quoted || field === "")) quoted = !quoted;
    else if (char === delimiter && !quoted) {
      fields.push(field);
      field = "";
    } else field += char;
  }
  return [...fields, field];
}
