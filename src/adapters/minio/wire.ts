/** Signed requests over kept connections: what the client library does, without its copies and its second md5 of every byte. */
import type { Readable } from "node:stream";
import { XMLParser } from "fast-xml-parser";
import { type Dispatcher, Pool } from "undici";
import { S3Failure } from "./failures.ts";
import { endpointUrl, type S3Options } from "./options.ts";
import { connectorOfMoving } from "./stalls.ts";
import { createSigner, type Signer } from "./signature.ts";

/** Requests at the same time: enough to keep a server of many disks busy, few enough not to fight over a small one. */
const CONNECTIONS = 32;
/** Completing a large multipart upload takes a server minutes. */
const ANSWER_TIMEOUT_MS = 300_000;
const STALL_TIMEOUT_MS = 60_000;
const CONNECT_TIMEOUT_MS = 10_000;
const UPLOAD_STALL_MS = 30_000;

/** SHA-256 of no bytes. */
const EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/** Signed in place of a body's hash: it is then checked by a header that is signed too, a digest that the server computes anyway. */
const UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD";

export interface S3Body {
  readonly content: Buffer | Readable | string;
  readonly size: number;
  /** Absent: a header (`content-md5`, `x-amz-checksum-crc32`) says what the server has to get. */
  readonly sha256?: string;
}

export interface S3Request {
  readonly method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
  readonly bucket: string;
  readonly key?: string;
  readonly query?: Readonly<Record<string, string>>;
  /** Lower-case names. All are signed. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Lower-case names; not signed, so that a gateway on the way may drop them. */
  readonly unsignedHeaders?: Readonly<Record<string, string>>;
  readonly body?: S3Body;
  readonly signal?: AbortSignal | undefined;
}

export interface S3Response {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Dispatcher.ResponseData["body"];
}

export interface Wire {
  /**
   * The body must be read or dumped by the caller, unless it was a HEAD.
   * @throws S3Failure for every status of 300 and over; network errors as they come
   */
  send(request: S3Request): Promise<S3Response>;
  /** For answers without content. */
  command(request: S3Request): Promise<S3Response["headers"]>;
  /** For answers in XML: the content of the root element. */
  query(request: S3Request): Promise<XmlElement>;
  /** For answers in XML that say something in their headers too. */
  answer(request: S3Request): Promise<{ readonly headers: S3Response["headers"]; readonly root: XmlElement }>;
  close(): Promise<void>;
}

/** Repeated elements are arrays where the parser was told so; texts stay texts. */
export interface XmlElement {
  readonly [name: string]: string | XmlElement | readonly XmlElement[] | undefined;
}

const REPEATED = new Set(["Version", "CommonPrefixes", "Upload", "Tag"]);
const xml = new XMLParser({
  ignoreDeclaration: true,
  ignoreAttributes: true,
  parseTagValue: false,
  trimValues: false,
  // Numeric ones too: Go's servers write quotation marks so.
  htmlEntities: true,
  isArray: (name) => REPEATED.has(name),
});

export function openWire(options: S3Options): Wire {
  const url = endpointUrl(options);
  const sign = createSigner(options);
  const session: Readonly<Record<string, string>> =
    options.sessionToken === undefined ? {} : { "x-amz-security-token": options.sessionToken };
  const pool = new Pool(url.origin, {
    connections: CONNECTIONS,
    headersTimeout: ANSWER_TIMEOUT_MS,
    bodyTimeout: STALL_TIMEOUT_MS,
    connect: connectorOfMoving(options.stallMs ?? UPLOAD_STALL_MS, {
      timeout: CONNECT_TIMEOUT_MS,
      ...(options.ca === undefined ? {} : { ca: options.ca }),
    }),
  });

  async function send(request: S3Request): Promise<S3Response> {
    const { method, body, signal } = request;
    const path = requestPath(request);
    const response = await pool.request({
      method,
      path,
      headers: { ...signed(sign, { ...session, host: url.host }, path, request), ...request.unsignedHeaders },
      body: body?.content ?? null,
      // The connection is otherwise closed after each HEAD, for servers that answer it with a body.
      reset: false,
      ...(signal === undefined ? {} : { signal }),
    });
    const headers = response.headers as S3Response["headers"];
    if (response.statusCode >= 300) throw await failure(response.statusCode, headers, response.body);
    return { status: response.statusCode, headers, body: response.body };
  }

  async function answer(request: S3Request): ReturnType<Wire["answer"]> {
    const { status, headers, body } = await send(request);
    const [name, root] = Object.entries(xml.parse(await body.text()) as XmlElement)[0] ?? [];
    const element = typeof root === "object" && !Array.isArray(root) ? (root as XmlElement) : {};
    // Servers that began to answer before they had finished can only say in the body that they failed.
    if (name === "Error") throw new S3Failure(status, textOf(element["Code"]), textOf(element["Message"]));
    return { headers, root: element };
  }

  return {
    send,
    answer,
    query: async (request) => (await answer(request)).root,
    async command(request) {
      const { headers, body } = await send(request);
      await body.dump();
      return headers;
    },
    close: () => pool.close(),
  };
}

function signed(
  sign: Signer,
  common: Readonly<Record<string, string>>,
  path: string,
  { method, headers, body }: S3Request,
): Readonly<Record<string, string>> {
  const sha256 = body === undefined ? EMPTY_SHA256 : (body.sha256 ?? UNSIGNED_PAYLOAD);
  const all: Record<string, string> = {
    ...headers,
    ...common,
    "x-amz-date": new Date().toISOString().replace(/[-:]|\.\d+/gu, ""),
    "x-amz-content-sha256": sha256,
    ...(body === undefined ? {} : { "content-length": String(body.size) }),
  };
  all["authorization"] = sign({ method, path, headers: all, sha256 });
  return all;
}

function requestPath({ bucket, key, query }: S3Request): string {
  const path = key === undefined ? `/${bucket}` : `/${bucket}/${key.split("/").map(encoded).join("/")}`;
  if (query === undefined) return path;
  const pairs = Object.keys(query)
    .sort()
    .map((name) => `${encoded(name)}=${encoded(query[name] as string)}`);
  return `${path}?${pairs.join("&")}`;
}

/** RFC 3986: everything but unreserved characters. */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/gu, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

async function failure(status: number, headers: S3Response["headers"], body: S3Response["body"]): Promise<S3Failure> {
  const text = await body.text();
  const parsed = text.includes("<Error>") ? (xml.parse(text) as { Error?: XmlElement }).Error : undefined;
  // A HEAD has no body: MinIO says it in headers, others by the status alone.
  const code = textOf(parsed?.["Code"]) || headers["x-minio-error-code"] || `HTTP ${status}`;
  return new S3Failure(status, code, textOf(parsed?.["Message"]) || headers["x-minio-error-desc"] || "");
}

export function textOf(element: XmlElement[string]): string {
  return typeof element === "string" ? element : "";
}
