/** The body of `uploadType=multipart`: metadata as JSON, then the content (RFC 2387). */
import { ApiError, notImplemented } from "./errors.ts";
import { parseObject } from "./http.ts";

export interface MultipartUpload {
  readonly metadata: Record<string, unknown>;
  readonly mediaType: string | undefined;
  readonly content: Buffer;
}

/** @throws ApiError `badRequest` */
export function parseMultipart(contentType: string | undefined, body: Buffer): MultipartUpload {
  const boundary = /^multipart\/related;.*\bboundary=(?:"([^"]+)"|([^\s;]+))/i.exec(contentType ?? "");
  if (boundary === null) throw new ApiError("badRequest", { message: "Missing multipart boundary." });
  const [metadata, media, ...more] = parts(body, `--${boundary[1] ?? boundary[2]}`);
  if (metadata === undefined || media === undefined || more.length > 0) {
    throw new ApiError("badRequest", { message: "Missing end boundary in multipart body." });
  }
  if (!metadata.headers.get("content-type")?.startsWith("application/json")) {
    throw new ApiError("badRequest", { message: "Media type of the metadata is not supported. Valid media types: [application/json]" });
  }
  const encoding = media.headers.get("content-transfer-encoding") ?? "binary";
  if (encoding !== "binary") throw notImplemented(`the transfer encoding ${encoding}`);
  return { metadata: parseObject(metadata.body), mediaType: media.headers.get("content-type"), content: media.body };
}

interface Part {
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

function parts(body: Buffer, delimiter: string): Part[] {
  const found: Part[] = [];
  let start = body.indexOf(delimiter);
  while (start !== -1) {
    start += delimiter.length;
    if (body.subarray(start, start + 2).toString() === "--") return found;
    const end = body.indexOf(`\r\n${delimiter}`, start);
    if (end === -1) break;
    found.push(part(body.subarray(start + 2, end)));
    start = end + 2;
  }
  throw new ApiError("badRequest", { message: "Missing end boundary in multipart body." });
}

function part(bytes: Buffer): Part {
  const separator = bytes.indexOf("\r\n\r\n");
  if (separator === -1) throw new ApiError("badRequest", { message: "Malformed multipart body." });
  const headers = bytes.subarray(0, separator).toString().split("\r\n").filter(Boolean).map(headerOf);
  return { headers: new Map(headers), body: bytes.subarray(separator + 4) };
}

function headerOf(line: string): readonly [string, string] {
  const colon = line.indexOf(":");
  return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()];
}
