/** Texts in other encodings become UTF-8 files before DuckDB sees them: its own Latin-1 refuses 0x80 to 0x9F, and UTF-16 needs an extension. */
import { createReadStream, createWriteStream } from "node:fs";
import { open } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { EdaError } from "../../../domain/errors.ts";

export type TextEncoding = "utf-8" | "latin-1" | "utf-16";

/** What Windows puts where ISO 8859-1 has control characters (WHATWG Encoding, index windows-1252): 0x80 to 0x9F. */
const WINDOWS_1252 = "€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ";

/**
 * Writes the text as UTF-8 without a byte order mark. Latin-1 is read as Windows-1252, of which it is a part in practice; UTF-16
 * follows its byte order mark, little-endian without one.
 * @throws EdaError `terminal` `malformed-file` when the bytes are not UTF-16
 */
export async function transcode(
  name: string,
  from: string,
  encoding: Exclude<TextEncoding, "utf-8">,
  to: string,
  signal: AbortSignal,
): Promise<void> {
  const decode = encoding === "latin-1" ? decodeWindows1252 : decodeUtf16(name, await isBigEndian(from));
  await pipeline(createReadStream(from, { highWaterMark: 1 << 20 }), decode, createWriteStream(to), { signal });
}

async function* decodeWindows1252(chunks: AsyncIterable<Buffer>): AsyncIterable<string> {
  for await (const chunk of chunks) {
    yield chunk.toString("latin1").replace(/[\x80-\x9f]/gu, (char) => WINDOWS_1252[char.charCodeAt(0) - 0x80] as string);
  }
}

function decodeUtf16(name: string, bigEndian: boolean) {
  return async function* (chunks: AsyncIterable<Buffer>): AsyncIterable<string> {
    const label = bigEndian ? "utf-16be" : "utf-16le";
    const decoder = new TextDecoder(label, { fatal: true });
    let line = 1;
    let last: Buffer = Buffer.alloc(0);
    try {
      for await (const chunk of chunks) {
        last = chunk;
        const text = decoder.decode(chunk, { stream: true });
        line += linesIn(text);
        yield text;
      }
      last = Buffer.alloc(0);
      yield decoder.decode();
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      const [good] = new TextDecoder(label).decode(last).split("\ufffd", 1) as [string];
      line += linesIn(good);
      throw new EdaError("terminal", "malformed-file", `${name} is not UTF-16 text, from line ${line} on.`, {
        todo: "Correct csv.encoding of the table in the project file, or the file.",
        at: { file: name, line },
        cause: error,
      });
    }
  };
}

function linesIn(text: string): number {
  return text.split("\n").length - 1;
}

async function isBigEndian(file: string): Promise<boolean> {
  const handle = await open(file);
  try {
    const { buffer } = await handle.read(Buffer.alloc(2), 0, 2, 0);
    return buffer[0] === 0xfe && buffer[1] === 0xff;
  } finally {
    await handle.close();
  }
}
