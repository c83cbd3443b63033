/** Objects of one bucket, as the JSON API v1 of Cloud Storage has them: list, get, media, insert (media, resumable), delete. */
import { createHash, randomBytes } from "node:crypto";
import { type Answer, json, Refusal, storageError } from "./answers.ts";

interface Stored {
  readonly name: string;
  readonly bytes: Buffer;
  readonly generation: string;
  readonly timeCreated: string;
}

interface Upload {
  readonly name: string;
  readonly isNew: boolean;
  readonly total: Buffer[];
}

const PIECE_UNIT = 256 * 1024;

export class Objects {
  readonly bucket: string;
  private readonly stored = new Map<string, Stored>();
  private readonly uploads = new Map<string, Upload>();
  private generation = 1_700_000_000_000_000;
  /** Entries of a page, whatever is asked for: small, so that paging is seen. */
  pageSize = 50;
  /** Names in the order in which they were put, the deleted ones too. */
  readonly history: string[] = [];

  constructor(bucket: string) {
    this.bucket = bucket;
  }

  names(prefix = ""): string[] {
    return [...this.stored.keys()].filter((name) => name.startsWith(prefix)).sort();
  }

  bytes(name: string): Buffer {
    return (this.stored.get(name) as Stored).bytes;
  }

  /** Behind the API's back, as somebody in the console would. */
  put(name: string, bytes: Buffer | string): Stored {
    this.generation += 1;
    const object = { name, bytes: Buffer.from(bytes), generation: String(this.generation), timeCreated: new Date().toISOString() };
    this.stored.set(name, object);
    this.history.push(name);
    return object;
  }

  remove(name: string): void {
    this.stored.delete(name);
  }

  /** `GET /storage/v1/b/<bucket>/o` */
  list(query: URLSearchParams): Answer {
    known(query, ["prefix", "fields", "pageToken", "delimiter", "startOffset", "maxResults"]);
    const prefix = query.get("prefix") ?? "";
    const delimiter = query.get("delimiter");
    const after = query.get("pageToken") ?? "";
    const found = this.names(prefix).filter(
      (name) =>
        name > after && name >= (query.get("startOffset") ?? "") && (delimiter === null || !name.slice(prefix.length).includes(delimiter)),
    );
    const page = found.slice(0, this.pageSize);
    const items = page.map((name) => resource(this.stored.get(name) as Stored, this.bucket));
    // An empty listing has no `items` at all.
    return json({
      kind: "storage#objects",
      ...(items.length === 0 ? {} : { items }),
      ...(found.length > page.length ? { nextPageToken: page.at(-1) } : {}),
    });
  }

  /** `GET …/o/<name>`, with `alt=media` its content */
  get(name: string, query: URLSearchParams): Answer {
    known(query, ["alt", "fields", "generation"]);
    const object = this.stored.get(name);
    const generation = query.get("generation");
    if (object === undefined || (generation !== null && generation !== object.generation)) throw this.notFound(name);
    return query.get("alt") === "media"
      ? { status: 200, headers: { "content-type": "application/octet-stream" }, body: object.bytes }
      : json(resource(object, this.bucket));
  }

  delete(name: string, query: URLSearchParams): Answer {
    known(query, []);
    if (!this.stored.delete(name)) throw this.notFound(name);
    return { status: 204, body: "" };
  }

  /** `POST /upload/storage/v1/b/<bucket>/o` */
  insert(query: URLSearchParams, body: Buffer, url: string): Answer {
    known(query, ["uploadType", "name", "ifGenerationMatch"]);
    const name = query.get("name") ?? "";
    if (name === "") throw new Refusal(storageError(400, "required", "Required parameter: name"));
    const isNew = query.get("ifGenerationMatch") === "0";
    if (query.get("uploadType") === "media") return json(resource(this.create(name, body, isNew), this.bucket));
    if (query.get("uploadType") !== "resumable") throw new Refusal(storageError(400, "invalid", "Invalid value for: uploadType"));
    if (isNew && this.stored.has(name)) throw conditionNotMet();
    const id = randomBytes(8).toString("hex");
    this.uploads.set(id, { name, isNew, total: [] });
    const location = `${url}/upload/storage/v1/b/${this.bucket}/o?${new URLSearchParams({ uploadType: "resumable", name, upload_id: id })}`;
    return { status: 200, headers: { location }, body: "" };
  }

  /** `PUT` to a session's address. */
  piece(query: URLSearchParams, body: Buffer, range: string | undefined): Answer {
    const id = query.get("upload_id") ?? "";
    const upload = this.uploads.get(id);
    if (upload === undefined) throw new Refusal(storageError(410, "gone", "The upload session is gone."));
    const [, first = "", last = "", total = ""] = /^bytes (\d+)-(\d+)\/(\d+)$/u.exec(range ?? "") ?? [];
    const stored = upload.total.reduce((sum, piece) => sum + piece.length, 0);
    const isLast = Number(last) + 1 === Number(total);
    if (total === "" || body.length !== Number(last) - Number(first) + 1 || (!isLast && body.length % PIECE_UNIT !== 0)) {
      throw new Refusal(storageError(400, "badRequest", "Invalid Content-Range."));
    }
    if (Number(first) > stored) throw new Refusal(storageError(503, "backendError", "A piece is missing before this one."));
    upload.total.push(body.subarray(stored - Number(first)));
    if (!isLast) return { status: 308, headers: { range: `bytes=0-${Number(last)}` }, body: "" };
    this.uploads.delete(id);
    return json(resource(this.create(upload.name, Buffer.concat(upload.total), upload.isNew), this.bucket));
  }

  private create(name: string, bytes: Buffer, isNew: boolean): Stored {
    if (isNew && this.stored.has(name)) throw conditionNotMet();
    return this.put(name, bytes);
  }

  private notFound(name: string): Refusal {
    return new Refusal(storageError(404, "notFound", `No such object: ${this.bucket}/${name}`));
  }
}

function known(query: URLSearchParams, names: readonly string[]): void {
  const unknown = [...query.keys()].find((name) => !names.includes(name));
  if (unknown !== undefined) throw new Refusal(storageError(400, "invalidParameter", `This fake does not know the parameter ${unknown}.`));
}

function conditionNotMet(): Refusal {
  return new Refusal(storageError(412, "conditionNotMet", "At least one of the pre-conditions you specified did not hold."));
}

/** `size` and `generation` are strings. */
function resource({ name, bytes, generation, timeCreated }: Stored, bucket: string): object {
  const md5Hash = createHash("md5").update(bytes).digest("base64");
  return { kind: "storage#object", name, bucket, generation, size: String(bytes.length), timeCreated, updated: timeCreated, md5Hash };
}
