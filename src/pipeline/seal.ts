/** What a finished execution amounts to: the final manifest and everything to publish. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { localUri, objectUri } from "../domain/asset.ts";
import type { AuditContent } from "../domain/audit.ts";
import { RAW_DATA_FOLDER } from "../domain/governed.ts";
import { rowDigest, rowsDigest } from "../domain/inventory.ts";
import type { JsonObject } from "../domain/json.ts";
import {
  listsText,
  MANIFEST_ENTRY_LIMIT,
  type Manifest,
  type ManifestLists,
  type ManifestOutput,
  manifestSha256,
  manifestText,
} from "../domain/manifest.ts";
import type { RunRequest, RunTotals } from "../domain/run.ts";
import { type BucketName, stageOf } from "../domain/stage.ts";
import type { Publication } from "../ports/inventory.ts";
import { storeOutput } from "./outputs.ts";
import type { PlannedRun } from "./plan-run.ts";
import type { StageContext, StageDefinition, UnitResult, UnitResults } from "./stage-definition.ts";

/** Bucket that takes the full lists of a large manifest. */
const DETAIL_BUCKETS: Readonly<Record<Manifest["stage"], BucketName>> = {
  capture: "raw-data",
  ingest: "raw-data",
  staging: "staging-data",
  curation: "curated-data",
  datasets: "datasets",
  modeling: "outputs",
  deploy: "models",
};

/** A checkpoint: what all rows and edges of the run have in common is left out, and put in by {@link publicationOf}. */
export interface SealedRun {
  readonly manifest: Manifest;
  readonly publication: Omit<Publication, "audit" | "rows" | "edges" | "captured"> & {
    readonly rows: UnitResult["rows"];
    readonly edges: UnitResult["edges"];
    readonly captured: NonNullable<UnitResult["captured"]>;
    readonly audit: Omit<AuditContent, "at">;
  };
}

/** Characters. */
const PIECE = 64 * 1024;

export interface SealRequest {
  readonly stage: StageDefinition;
  readonly planned: PlannedRun;
  readonly results: UnitResults;
  readonly commitBefore: string;
  readonly requestedAt: string;
  readonly durations: Readonly<Record<string, number>>;
}

export function plannedManifest(request: RunRequest, planned: PlannedRun, requestedAt: string): Manifest {
  const { plan, code, fingerprint } = planned;
  const inputBytes = plan.inputs.reduce((bytes, input) => bytes + input.size, 0);
  return {
    manifestVersion: 1,
    run: request.run,
    project: request.project,
    stage: request.stage,
    state: "planned",
    actor: request.actor,
    requestedAt,
    code,
    fingerprint,
    totals: { inputs: plan.inputs.length, inputBytes, outputs: 0, outputBytes: 0 },
    ...(plan.inputs.length > MANIFEST_ENTRY_LIMIT ? {} : { lists: { inputs: plan.inputs, outputs: [] } }),
    details: {},
  };
}

/** Builds the final manifest (storing its lists as an object when they are long) and the publication that goes with it. */
export async function seal(request: SealRequest, context: StageContext): Promise<SealedRun> {
  const { stage, planned, results, commitBefore } = request;
  const { run, project, actor } = context.request;
  const rows = (await stage.conclude?.(results, context)) ?? Object.values(results).flatMap((result) => result.rows);
  const retiredNames = (await stage.retired?.(results, context)) ?? [];
  const inventory = stageOf(stage.id).inventory;
  const manifest = await finalManifest(request, rows, context);
  const job = Object.values(results).find((result) => result.job !== undefined)?.job ?? null;
  return {
    manifest,
    publication: {
      run,
      project,
      stage: stage.id,
      rows,
      retired: inventory === undefined ? [] : retiredNames.map((name) => ({ inventory, name })),
      edges: Object.values(results).flatMap((result) => result.edges),
      captured: Object.values(results).flatMap((result) => result.captured ?? []),
      statCache: Object.values(results).flatMap((result) => result.statCache ?? []),
      job,
      execution: {
        state: "publishing",
        commitBefore,
        totals: manifest.totals,
        fingerprint: planned.fingerprint,
        details: manifest.details,
      },
      audit: {
        event: "run.published",
        project,
        stage: stage.id,
        run,
        actor,
        payload: {
          manifest: manifestSha256(manifestText(manifest)),
          commitBefore,
          fingerprint: planned.fingerprint,
          rows: rows.length,
          rowsDigest: rowsDigest(rows.map((row) => rowDigest({ ...row, project, run, commitBefore }))),
          retired: inventory === undefined ? [] : retiredNames,
        },
      },
    },
  };
}

/** What is published, its rows and edges made one by one as they are read. */
export function publicationOf({ manifest, publication }: SealedRun, publishedAt: string): Publication {
  const { run, project } = manifest;
  const { rows, edges, captured, audit, execution } = publication;
  const commitBefore = execution.commitBefore as string;
  return {
    ...publication,
    rows: mapped(rows, (row) => ({ ...row, project, run, commitBefore })),
    edges: mapped(edges, (edge) => ({ ...edge, run })),
    captured: mapped(captured, (file) => ({ ...file, run })),
    audit: { ...audit, at: publishedAt },
  };
}

function mapped<From, To>(items: readonly From[], to: (item: From) => To): Iterable<To> {
  return {
    *[Symbol.iterator]() {
      for (const item of items) yield to(item);
    },
  };
}

/** The lists go with it: held any longer, those of many files would be megabytes. */
async function finalManifest(
  { planned, results, requestedAt, durations }: SealRequest,
  rows: UnitResult["rows"],
  context: StageContext,
): Promise<Manifest> {
  const outputs = outputsOf(results, rows);
  const { lists: _, ...plan } = plannedManifest(context.request, planned, requestedAt);
  return {
    ...plan,
    state: "succeeded",
    totals: totalsOf(planned, outputs),
    details: mergeDetails(results),
    durations,
    ...(await listsOrDetail({ inputs: planned.plan.inputs, outputs }, context)),
  };
}

/** Every object a run wrote or registered, and every local file it captured, by name. */
function outputsOf(results: UnitResults, rows: UnitResult["rows"]): ManifestOutput[] {
  const named = new Map<string, ManifestOutput>();
  for (const { bucket, key, versionId, size, md5, sha256, role, mediaType, rows: count, name, aliasOf } of rows) {
    const object = { bucket, key, versionId, size, md5, sha256, role, mediaType, ...(count === null ? {} : { rows: count }) };
    named.set(name, { name, uri: objectUri(object), size, sha256, aliasOf, object });
  }
  const registered = new Set([...named.values()].map((output) => output.uri));
  for (const result of Object.values(results)) {
    for (const object of result.written) {
      const uri = objectUri(object);
      if (registered.has(uri)) continue;
      const name = `${object.bucket}/${object.key}`;
      named.set(name, { name, uri, size: object.size, sha256: object.sha256, aliasOf: null, object });
    }
    for (const file of result.captured ?? []) {
      const uri = localUri(`${RAW_DATA_FOLDER}/${file.project}/${file.path}`, file.sha256);
      named.set(file.path, { name: file.path, uri, size: file.size, sha256: file.sha256, aliasOf: null });
    }
  }
  return [...named.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function totalsOf(planned: PlannedRun, outputs: readonly ManifestOutput[]): RunTotals {
  return {
    inputs: planned.plan.inputs.length,
    inputBytes: planned.plan.inputs.reduce((bytes, input) => bytes + input.size, 0),
    outputs: outputs.length,
    outputBytes: outputs.reduce((bytes, output) => bytes + (output.aliasOf === null ? output.size : 0), 0),
  };
}

async function listsOrDetail(lists: ManifestLists, context: StageContext): Promise<Pick<Manifest, "lists" | "detail">> {
  if (lists.inputs.length + lists.outputs.length <= MANIFEST_ENTRY_LIMIT) return { lists };
  const { project, run, stage } = context.request;
  await mkdir(context.workDir, { recursive: true });
  const file = join(context.workDir, "manifest.json");
  await writeFile(file, inPieces(listsText(lists)));
  const { object } = await storeOutput(
    { bucket: DETAIL_BUCKETS[stage], key: `${project}/_manifests/${run}.json`, file, role: "metadata", mediaType: "application/json" },
    context,
  );
  const { bucket, key, versionId, size, sha256 } = object;
  return { detail: { bucket, key, versionId, size, sha256 } };
}

/** Each piece that is written waits for the disk: tens of thousands of small ones take seconds. */
function* inPieces(texts: Iterable<string>): Generator<string> {
  let piece = "";
  for (const text of texts) {
    piece += text;
    if (piece.length < PIECE) continue;
    yield piece;
    piece = "";
  }
  yield piece;
}

/** Details of units under the same key: objects are merged, anything else is taken from the later unit. */
function mergeDetails(results: UnitResults): JsonObject {
  const merged: Record<string, JsonObject[string]> = {};
  for (const result of Object.values(results)) {
    for (const [key, value] of Object.entries(result.details ?? {})) {
      const before = merged[key];
      merged[key] = isObject(before) && isObject(value) ? { ...before, ...value } : value;
    }
  }
  return merged;
}

function isObject(value: JsonObject[string]): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
