/**
 * Listings of versions. MinIO tells the metadata of each along (its extension `metadata=true`), other servers are asked version by version.
 * Protocol: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html
 */
import pLimit from "p-limit";
import type { BucketName } from "../../domain/stage.ts";
import type { ListItem, ListRequest, ObjectInfo, Page } from "../../ports/object-store.ts";
import { isOurs, type MetadataFields, objectInfo } from "./metadata.ts";
import { READ_ATTEMPTS, retrying } from "./retry.ts";
import { hashesInQuery } from "./tags.ts";
import { headVersion } from "./versions.ts";
import { textOf, type Wire, type XmlElement } from "./wire.ts";

/** The largest page servers give. */
const PAGE = 1000;
/** Versions asked for their metadata at the same time. */
const CONCURRENT_HEADS = 16;
/** Sorts after every key that goes on with a group's prefix. */
const AFTER_GROUP = "\u{10FFFF}";
/** Sorts after a key, before every other. */
const AFTER_KEY = "\u0001";
/**
 * MinIO's markers name, behind the key, the listing of its own that goes on there; without that name it reads the folder again, which takes
 * over a second for a folder of a million.
 */
const MINIO_LISTING = /\[minio_cache:[^\]]*\]$/u;

interface Entry {
  readonly info: ObjectInfo;
  readonly isLatest: boolean;
  readonly isComplete: boolean;
}

interface RawPage {
  readonly entries: readonly Entry[];
  readonly prefixes: readonly string[];
  /** Absent on the last page. */
  readonly next?: { readonly keyMarker: string; readonly versionIdMarker: string };
}

interface RawRequest {
  readonly bucket: BucketName;
  readonly prefix: string;
  readonly hierarchical: boolean;
  readonly keyMarker?: string | undefined;
  readonly versionIdMarker?: string;
  readonly limit: number;
  readonly signal?: AbortSignal | undefined;
}

/** One page of latest versions and groups. Versions that are not the latest are passed over, not counted. */
export async function listPage(wire: Wire, { bucket, prefix, hierarchical, cursor, limit, signal }: ListRequest): Promise<Page<ListItem>> {
  const found: (Entry | string)[] = [];
  let keyMarker = cursor === undefined ? undefined : Buffer.from(cursor, "base64url").toString();
  let serverMarker: string | undefined;
  let isLast = false;
  // One item more than wanted says whether there is another page.
  while (found.length <= limit && !isLast) {
    const page = await rawPage(wire, { bucket, prefix, hierarchical, keyMarker, limit: Math.min(limit + 1 - found.length, PAGE), signal });
    const latest = page.entries.filter((entry) => entry.isLatest);
    found.push(...[...latest, ...page.prefixes].sort((a, b) => byBytes(nameOf(a), nameOf(b))));
    isLast = page.next === undefined;
    const last = [...page.entries.map(({ info }) => info.key), ...page.prefixes].sort(byBytes).at(-1);
    // A bare name is no marker of MinIO's, whatever it looks like.
    if (page.next?.keyMarker !== last) serverMarker = page.next?.keyMarker ?? serverMarker;
    if (last !== undefined) keyMarker = markerAfter(last, page.prefixes.includes(last), serverMarker);
  }
  const shown = found.slice(0, limit);
  const items = await completed(wire, shown, signal);
  const last = shown.at(-1);
  if (last === undefined || found.length <= limit) return { items };
  return { items, cursor: Buffer.from(markerAfter(nameOf(last), typeof last === "string", serverMarker)).toString("base64url") };
}

/** Every version of eda's own, by key, oldest first. What others put into the bucket is none of its business. */
export async function* allVersions(wire: Wire, bucket: BucketName, prefix: string): AsyncGenerator<ObjectInfo> {
  let markers: Pick<RawRequest, "keyMarker" | "versionIdMarker"> | undefined = {};
  let ofKey: ObjectInfo[] = [];
  let last: ObjectInfo | undefined;
  while (markers !== undefined) {
    const page: RawPage = await rawPage(wire, { bucket, prefix, hierarchical: false, limit: PAGE, ...markers });
    for (const { info } of await completedEntries(wire, page.entries, undefined)) {
      // Some servers begin a page with the version that their marker names.
      if (last?.key === info.key && last.versionId === info.versionId) continue;
      last = info;
      if (ofKey[0] !== undefined && ofKey[0].key !== info.key) {
        yield* ofKey.reverse();
        ofKey = [];
      }
      if (isOurs(info)) ofKey.push(info);
    }
    markers = page.next;
  }
  yield* ofKey.reverse();
}

/** Servers differ in whether a marker's own key, or group, comes again. After this one it does not. */
function markerAfter(name: string, isGroup: boolean, fromServer = ""): string {
  const listing = MINIO_LISTING.exec(fromServer)?.[0];
  return listing === undefined ? `${name}${isGroup ? AFTER_GROUP : AFTER_KEY}` : `${name}${listing}`;
}

async function rawPage(
  wire: Wire,
  { bucket, prefix, hierarchical, keyMarker, versionIdMarker, limit, signal }: RawRequest,
): Promise<RawPage> {
  const query = {
    versions: "",
    metadata: "true",
    "encoding-type": "url",
    "max-keys": String(limit),
    prefix,
    ...(hierarchical ? { delimiter: "/" } : {}),
    ...(keyMarker === undefined ? {} : { "key-marker": keyMarker }),
    ...(versionIdMarker === undefined || versionIdMarker === "" ? {} : { "version-id-marker": versionIdMarker }),
  };
  const listed = await retrying(READ_ATTEMPTS, signal, () => wire.query({ method: "GET", bucket, query, signal }));
  const decoded = textOf(listed["EncodingType"]) === "url" ? urlDecoded : (text: string) => text;
  const elements = (name: string) => (listed[name] ?? []) as readonly XmlElement[];
  return {
    entries: elements("Version").map((element) => entryOf(bucket, element, decoded)),
    prefixes: elements("CommonPrefixes").map((element) => decoded(textOf(element["Prefix"]))),
    ...(textOf(listed["IsTruncated"]) === "true"
      ? { next: { keyMarker: decoded(textOf(listed["NextKeyMarker"])), versionIdMarker: textOf(listed["NextVersionIdMarker"]) } }
      : {}),
  };
}

function entryOf(bucket: BucketName, element: XmlElement, decoded: (text: string) => string): Entry {
  const told = element["UserMetadata"];
  const fields = typeof told === "object" ? lowerCaseNames(told as XmlElement) : undefined;
  const facts = {
    bucket,
    key: decoded(textOf(element["Key"])),
    versionId: textOf(element["VersionId"]),
    size: Number(textOf(element["Size"])),
    lastModified: textOf(element["LastModified"]),
  };
  const info = objectInfo(facts, fields ?? {});
  const tags = element["UserTags"];
  const known = isOurs(info) && info.sha256 === "" ? { ...info, ...hashesInQuery(textOf(tags)) } : info;
  return { info: known, isLatest: textOf(element["IsLatest"]) === "true", isComplete: fields !== undefined };
}

function lowerCaseNames(element: XmlElement): MetadataFields {
  return Object.fromEntries(Object.entries(element).map(([name, value]) => [name.toLowerCase(), textOf(value)]));
}

async function completed(wire: Wire, found: readonly (Entry | string)[], signal: AbortSignal | undefined): Promise<ListItem[]> {
  const entries = await completedEntries(
    wire,
    found.filter((each) => typeof each !== "string"),
    signal,
  );
  const byKey = new Map(entries.map(({ info }) => [info.key, info]));
  const items: ListItem[] = [];
  for (const each of found) {
    if (typeof each === "string") items.push({ type: "prefix", prefix: each });
    else {
      const info = byKey.get(each.info.key);
      if (info !== undefined) items.push({ type: "object", info });
    }
  }
  return items;
}

/** Without those that were removed since they were listed. */
async function completedEntries(wire: Wire, entries: readonly Entry[], signal: AbortSignal | undefined): Promise<Entry[]> {
  const limit = pLimit(CONCURRENT_HEADS);
  const all = entries.map(async (entry): Promise<Entry | undefined> => {
    if (entry.isComplete) return entry;
    const { bucket, key, versionId } = entry.info;
    const info = await limit(() => retrying(READ_ATTEMPTS, signal, () => headVersion(wire, bucket, key, versionId, signal)));
    return info === undefined ? undefined : { ...entry, info, isComplete: true };
  });
  return (await Promise.all(all)).filter((entry) => entry !== undefined);
}

function nameOf(found: Entry | string): string {
  return typeof found === "string" ? found : found.info.key;
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** As forms encode it: a plus is a space. */
function urlDecoded(text: string): string {
  return decodeURIComponent(text.replaceAll("+", " "));
}
