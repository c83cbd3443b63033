/** Objects of one Cloud Storage bucket: https://cloud.google.com/storage/docs/json_api/v1 */
import { open, stat } from "node:fs/promises";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { z } from "zod";
import { EdaError } from "../../domain/errors.ts";
import type { Cloud, CloudAnswer } from "./cloud.ts";

const MIB = 1024 * 1024;
/** Larger files go in pieces that can be sent again; pieces are multiples of 256 KiB. */
const CHUNK_BYTES = 8 * MIB;
const API = "https://storage.googleapis.com";

const objectSchema = z.object({ name: z.string(), size: z.string(), generation: z.string(), timeCreated: z.iso.datetime() });
const pageSchema = z.object({ items: z.array(objectSchema).default([]), nextPageToken: z.string().optional() });
const OBJECT_FIELDS = "name,size,generation,timeCreated";

export type StoredObject = z.infer<typeof objectSchema>;

export interface Bucket {
  /** `gs://modelos/projetos` */
  uri(name: string): string;
  list(prefix: string, signal: AbortSignal): Promise<readonly StoredObject[]>;
  find(name: string, signal: AbortSignal): Promise<StoredObject | undefined>;
  /** @param generation the newest when absent @returns undefined when it is not there */
  read(name: string, generation: string | undefined, signal: AbortSignal): Promise<Readable | undefined>;
  readText(name: string, signal: AbortSignal): Promise<string | undefined>;
  putText(name: string, content: string, signal: AbortSignal): Promise<void>;
  /** In pieces when it is large. @throws EdaError `transient` `upload-interrupted` */
  putFile(name: string, file: string, signal: AbortSignal): Promise<void>;
}

export function openBucket(cloud: Cloud, bucket: string): Bucket {
  const subject = `the bucket ${bucket}`;
  const objects = `${API}/storage/v1/b/${encodeURIComponent(bucket)}/o`;
  const uploads = `${API}/upload/storage/v1/b/${encodeURIComponent(bucket)}/o`;
  const object = (name: string, query: Record<string, string>) => `${objects}/${encodeURIComponent(name)}?${new URLSearchParams(query)}`;

  async function putBytes(name: string, body: Buffer | string, signal: AbortSignal): Promise<void> {
    const url = `${uploads}?${new URLSearchParams({ uploadType: "media", name })}`;
    await cloud.ask({ method: "POST", url, headers: OCTETS, body, signal, subject }, objectSchema);
  }

  async function read(name: string, generation: string | undefined, signal: AbortSignal): Promise<Readable | undefined> {
    const query = { alt: "media", ...(generation === undefined ? {} : { generation }) };
    const answer = await cloud.send({ method: "GET", url: object(name, query), signal, subject, accept: [404] });
    if (answer.status === 200) return answer.body;
    answer.body.resume();
    return undefined;
  }

  /** Pieces until all is there: a piece whose answer was lost is sent again, and Cloud Storage says how far it is. */
  async function putPieces(name: string, file: string, size: number, signal: AbortSignal): Promise<void> {
    const url = `${uploads}?${new URLSearchParams({ uploadType: "resumable", name })}`;
    const session = await cloud.send({ method: "POST", url, body: "", signal, subject });
    session.body.resume();
    const address = sessionAddress(session);
    const handle = await open(file);
    try {
      for (let offset = 0; offset < size; ) {
        const piece = Buffer.alloc(Math.min(CHUNK_BYTES, size - offset));
        const { bytesRead } = await handle.read(piece, 0, piece.length, offset);
        if (bytesRead < piece.length) throw new EdaError("transient", "file-changed", `${file} changed while it was sent.`);
        const range = `bytes ${offset}-${offset + piece.length - 1}/${size}`;
        const headers = { "content-range": range };
        const answer = await cloud.send({ method: "PUT", url: address, headers, body: piece, signal, subject, accept: [308, 404, 410] });
        answer.body.resume();
        if (answer.status < 300) return;
        const stored = Number(/^bytes=0-(\d+)$/u.exec(answer.headers.get("range") ?? "")?.[1] ?? -1) + 1;
        if (answer.status !== 308 || stored <= offset) break;
        offset = stored;
      }
    } finally {
      await handle.close();
    }
    throw new EdaError("transient", "upload-interrupted", `Cloud Storage gave up an upload to ${subject}.`, { todo: "Run again." });
  }

  return {
    uri: (name) => `gs://${bucket}/${name}`,
    async list(prefix, signal) {
      const found: StoredObject[] = [];
      for (let token: string | undefined = ""; token !== undefined; ) {
        const query: Record<string, string> = {
          prefix,
          fields: `items(${OBJECT_FIELDS}),nextPageToken`,
          ...(token === "" ? {} : { pageToken: token }),
        };
        const page: z.infer<typeof pageSchema> | undefined = await cloud.ask(
          { method: "GET", url: `${objects}?${new URLSearchParams(query)}`, signal, subject },
          pageSchema,
        );
        found.push(...(page?.items ?? []));
        token = page?.nextPageToken || undefined;
      }
      return found;
    },
    find: (name, signal) =>
      cloud.ask({ method: "GET", url: object(name, { fields: OBJECT_FIELDS }), signal, subject, accept: [404] }, objectSchema),
    read,
    async readText(name, signal) {
      const body = await read(name, undefined, signal);
      return body === undefined ? undefined : text(body);
    },
    putText: putBytes,
    async putFile(name, file, signal) {
      const { size } = await stat(file);
      if (size > CHUNK_BYTES) return putPieces(name, file, size, signal);
      const handle = await open(file);
      try {
        await putBytes(name, await handle.readFile(), signal);
      } finally {
        await handle.close();
      }
    },
  };
}

const OCTETS = { "content-type": "application/octet-stream" };

/** The session's path comes from the answer, and its host does not: the token goes to Cloud Storage alone. */
function sessionAddress({ headers }: CloudAnswer): string {
  const address = URL.parse(headers.get("location") ?? "");
  if (address !== null) return new URL(address.pathname + address.search, API).href;
  throw new EdaError("terminal", "cloud-answer-unknown", "Cloud Storage began an upload without saying where.", {
    todo: "Check the proxy (HTTPS_PROXY).",
  });
}
