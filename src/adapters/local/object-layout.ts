/**
 * How keys lie in folders. Every name on disk starts with a mark of what it is, so that no key needs escaping and a key can be
 * the folder of another:
 *
 *     <root>/<bucket>/+projeto_voos/=flights.csv/<version id>/data
 *                                                            /metadata.json
 *
 * `+` is a segment with more below it, `=` the last segment of a key, `~` the first bytes of a segment that is too long for one
 * file name, with the rest of it below. Names are case-sensitive, as file systems on Linux are.
 */
import { join } from "node:path";
import { EdaError } from "../../domain/errors.ts";
import { printable } from "../../domain/printable.ts";

/** Bytes of a segment in one name: with its mark well under the 255 that file systems allow. */
const MAX_NAME_BYTES = 200;

/** Longest key in bytes, as in S3. */
const MAX_KEY_BYTES = 1024;

export const DATA_FILE = "data";
export const METADATA_FILE = "metadata.json";

export type EntryMark = "+" | "=" | "~";

/** A name on disk, taken apart. */
export interface Entry {
  readonly mark: EntryMark;
  /** The bytes of the key it stands for. */
  readonly text: string;
  /** Sorting entries of one folder by it sorts the keys below them: see {@link parseEntry}. */
  readonly order: Buffer;
}

/** @throws EdaError `terminal` `invalid-key` for what no object store takes */
export function assertKey(key: string): void {
  const problem =
    key === "" ? "is empty" : !key.isWellFormed() ? "is not valid Unicode" : key.includes("\0") ? "contains a NUL" : undefined;
  if (problem !== undefined) throw new EdaError("terminal", "invalid-key", `The object key "${printable(key)}" ${problem}.`);
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) {
    throw new EdaError("terminal", "invalid-key", `The object key "${printable(key)}" is longer than ${MAX_KEY_BYTES} bytes.`);
  }
}

/** The folder that holds a key's versions, relative to its bucket. */
export function keyFolder(key: string): string {
  const segments = key.split("/");
  const names = segments.flatMap((segment, index) => segmentNames(segment, index === segments.length - 1 ? "=" : "+"));
  return join(...names);
}

function segmentNames(segment: string, mark: "+" | "="): string[] {
  const names: string[] = [];
  let rest = segment;
  while (Buffer.byteLength(rest) >= MAX_NAME_BYTES) {
    const start = leadingCharacters(rest, MAX_NAME_BYTES);
    names.push(`~${start}`);
    rest = rest.slice(start.length);
  }
  names.push(`${mark}${rest}`);
  return names;
}

function leadingCharacters(text: string, bytes: number): string {
  const encoded = Buffer.from(text);
  let end = Math.min(bytes, encoded.length);
  // Not in the middle of a character: continuation bytes are 10xxxxxx.
  while (end < encoded.length && ((encoded[end] as number) & 0xc0) === 0x80) end -= 1;
  return encoded.toString("utf8", 0, end);
}

/**
 * Undefined for a name that is not of this layout. The order of entries is the order of the keys below them: keys below `+a` all start
 * with `a/`. Keys below `~a` go on with a character that did not fit, which has a higher first byte than any that did, hence 0xff.
 */
export function parseEntry(name: string): Entry | undefined {
  const mark = name.charAt(0);
  const text = name.slice(1);
  if (mark === "=") return { mark, text, order: Buffer.from(text) };
  if (mark === "+") return { mark, text, order: Buffer.from(`${text}/`) };
  if (mark === "~") return { mark, text, order: Buffer.concat([Buffer.from(text), Buffer.from([0xff])]) };
  return undefined;
}
