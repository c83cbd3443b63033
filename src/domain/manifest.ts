import type { InputAsset, OutputObject } from "./asset.ts";
import { canonicalItems, canonicalJson, type JsonObject, sha256Hex } from "./json.ts";
import type { RunTotals } from "./run.ts";
import type { StageId } from "./stage.ts";

/** A governed file that takes part in a run. */
export interface CodeFile {
  /** Path inside the repository, with `/`. */
  readonly path: string;
  readonly sha256: string;
}

/** An output under the name the inventory knows it by. */
export interface ManifestOutput {
  readonly name: string;
  /** Asset URI. */
  readonly uri: string;
  readonly size: number;
  readonly sha256: string;
  /** Name of the entry that holds the same content, for an alias. */
  readonly aliasOf: string | null;
  /** The object version, for what lies in the object store (capture writes local files). */
  readonly object?: OutputObject;
}

/** Over this many inputs plus outputs, the lists move to the object store and Git keeps counts and a hash (contract). */
export const MANIFEST_ENTRY_LIMIT = 1000;

/** Where the full lists of a large manifest lie. */
export interface ManifestDetail {
  readonly bucket: OutputObject["bucket"];
  readonly key: string;
  readonly versionId: string;
  readonly size: number;
  readonly sha256: string;
}

export interface ManifestLists {
  readonly inputs: readonly InputAsset[];
  readonly outputs: readonly ManifestOutput[];
}

/** What Git remembers of a run: `eda/manifests/<project>/<stage>/<run>.json`. */
export interface Manifest {
  readonly manifestVersion: 1;
  readonly run: string;
  readonly project: string;
  readonly stage: StageId;
  readonly state: "planned" | "succeeded" | "failed" | "cancelled";
  readonly actor: string;
  /** ISO 8601, UTC. */
  readonly requestedAt: string;
  readonly code: readonly CodeFile[];
  readonly fingerprint: string;
  readonly totals: RunTotals;
  /** Present unless the lists are over {@link MANIFEST_ENTRY_LIMIT}. */
  readonly lists?: ManifestLists;
  /** Present when they are. */
  readonly detail?: ManifestDetail;
  readonly details: JsonObject;
  /** Milliseconds each phase took. */
  readonly durations?: Readonly<Record<string, number>>;
  readonly error?: { readonly code: string; readonly message: string; readonly todo?: string };
}

export const MANIFESTS_FOLDER = "eda/manifests";

export function manifestPath(project: string, stage: StageId, run: string): string {
  return `${MANIFESTS_FOLDER}/${project}/${stage}/${run}.json`;
}

/** The exact text that is committed: stable key order and indentation, so that diffs read well. */
export function manifestText(manifest: Manifest): string {
  return `${JSON.stringify(JSON.parse(canonicalJson(manifest)), null, 2)}\n`;
}

/** The RFC 8785 form of the lists, piece by piece: over many files it is tens of megabytes, so that it is never one text. */
export function* listsText({ inputs, outputs }: ManifestLists): Generator<string> {
  yield '{"inputs":[';
  yield* canonicalItems(inputs);
  yield '],"outputs":[';
  yield* canonicalItems(outputs);
  yield "]}";
}

export function manifestSha256(text: string): string {
  return sha256Hex(text);
}
