/** Every object version read again, and the versions that nothing knows of. */
import { createHash } from "node:crypto";
import pLimit from "p-limit";
import { type ObjectRef, objectUri } from "../../domain/asset.ts";
import { throwIfAborted } from "../../domain/errors.ts";
import type { Manifest } from "../../domain/manifest.ts";
import type { RunProgress } from "../../domain/run.ts";
import { BUCKETS } from "../../domain/stage.ts";
import type { ObjectInfo } from "../../ports/object-store.ts";
import type { Services } from "../stage-definition.ts";
import type { AuditTrail } from "./audit-chain.ts";
import type { Findings } from "./findings.ts";
import type { KnownRuns } from "./known-runs.ts";
import { manifestLists } from "./manifests.ts";
import type { CheckedRow } from "./rows.ts";

/** Reads that overlap: the disk of one, the hashes of another. */
const CONCURRENT_READS = 4;

export interface ObjectRequest {
  readonly services: Services;
  readonly runs: KnownRuns;
  readonly trail: AuditTrail;
  readonly rows: readonly CheckedRow[];
  readonly manifests: ReadonlyMap<string, Manifest>;
  readonly project: string | undefined;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: RunProgress) => void;
  readonly findings: Findings;
}

/** Null for what a source does not tell: a changed row still names its object, but not what is in it. */
interface Expected {
  readonly ref: ObjectRef;
  readonly size: number | null;
  readonly md5: string | null;
  readonly sha256: string | null;
}

/** @returns number of object versions read, and their bytes */
export async function verifyObjects(request: ObjectRequest): Promise<{ readonly objects: number; readonly bytes: number }> {
  const { signal, findings, onProgress } = request;
  const expected = await expectedObjects(request);
  const stored = await storedVersions(request, expected);
  const total = [...stored.values()].reduce((bytes, info) => bytes + info.size, 0);
  let bytes = 0;
  let objects = 0;
  const limit = pLimit(CONCURRENT_READS);
  await limit.map([...expected.values()], async (each) => {
    throwIfAborted(signal);
    const info = stored.get(objectUri(each.ref));
    const name = nameOf(each.ref);
    if (info === undefined) {
      findings.add("object", name, "is not in the object store any more");
      return;
    }
    const found = await readAgain(request.services, each.ref, signal, (count) => {
      bytes += count;
      onProgress({ done: Math.min(bytes, total), total, unit: "bytes", label: `${each.ref.bucket}/${each.ref.key}` });
    });
    objects += 1;
    const wrong = found instanceof Error ? `cannot be read: ${found.message}` : difference(each, found, info);
    if (wrong !== undefined) findings.add("object", name, wrong);
  });
  return { objects, bytes };
}

/** What rows and manifests say of each version. Manifests have the last word: Git and the audit chain vouch for them. */
async function expectedObjects({ services, rows, manifests, signal }: ObjectRequest): Promise<Map<string, Expected>> {
  const expected = new Map<string, Expected>();
  for (const { object, isIntact } of rows) {
    const uri = objectUri(object);
    if (isIntact) expected.set(uri, { ref: object, size: object.size, md5: object.md5, sha256: object.sha256 });
  }
  for (const manifest of manifests.values()) {
    if (manifest.state !== "succeeded") continue;
    const { detail } = manifest;
    if (detail !== undefined) expected.set(objectUri(detail), { ref: detail, size: detail.size, md5: null, sha256: detail.sha256 });
    for (const { object } of (await manifestLists(services, manifest, signal))?.outputs ?? []) {
      if (object !== undefined) expected.set(objectUri(object), { ref: object, size: object.size, md5: object.md5, sha256: object.sha256 });
    }
  }
  return expected;
}

/** The versions in the store that are expected; the others are orphans. */
async function storedVersions(request: ObjectRequest, expected: ReadonlyMap<string, Expected>): Promise<ReadonlyMap<string, ObjectInfo>> {
  const { services, runs, trail, manifests, project, signal, findings } = request;
  const stored = new Map<string, ObjectInfo>();
  for (const bucket of BUCKETS) {
    for await (const info of services.objects.versions(bucket, project === undefined ? "" : `${project}/`)) {
      throwIfAborted(signal);
      const uri = objectUri(info);
      if (expected.has(uri)) stored.set(uri, info);
      // The manifest of a published run that still waits for its commit cannot vouch for what it wrote.
      else if (trail.endings.has(info.run) && !manifests.has(info.run)) continue;
      else if (!(await runs.isUnsettled(info.run)))
        findings.add("orphan", nameOf(info), `belongs to no row and no manifest (written by run ${info.run})`);
    }
  }
  return stored;
}

async function readAgain(
  services: Services,
  ref: ObjectRef,
  signal: AbortSignal,
  onBytes: (count: number) => void,
): Promise<{ readonly size: number; readonly md5: string; readonly sha256: string } | Error> {
  const md5 = createHash("md5");
  const sha256 = createHash("sha256");
  let size = 0;
  try {
    for await (const chunk of await services.objects.read(ref, signal)) {
      const bytes = chunk as Buffer;
      md5.update(bytes);
      sha256.update(bytes);
      size += bytes.length;
      onBytes(bytes.length);
    }
  } catch (error) {
    throwIfAborted(signal);
    return error as Error;
  }
  return { size, md5: md5.digest("hex"), sha256: sha256.digest("hex") };
}

function difference(expected: Expected, found: { size: number; md5: string; sha256: string }, info: ObjectInfo): string | undefined {
  if (expected.size !== null && expected.size !== found.size) return `has ${found.size} bytes instead of ${expected.size}`;
  if (expected.sha256 !== null && expected.sha256 !== found.sha256)
    return `has other content: sha256 ${found.sha256} instead of ${expected.sha256}`;
  if (expected.md5 !== null && expected.md5 !== found.md5) return `has other content: md5 ${found.md5} instead of ${expected.md5}`;
  if (info.size !== found.size || info.sha256 !== found.sha256 || info.md5 !== found.md5) return "is described wrongly by the object store";
  return undefined;
}

function nameOf({ bucket, key, versionId }: ObjectRef): string {
  return `${bucket}/${key}@${versionId}`;
}
