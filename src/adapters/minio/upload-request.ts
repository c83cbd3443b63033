/** What is asked of an upload, and how a version tells that it is the answer. */
import type { ContentHash } from "../../domain/asset.ts";
import type { BucketName } from "../../domain/stage.ts";
import type { ObjectInfo } from "../../ports/object-store.ts";

export interface Upload {
  readonly bucket: BucketName;
  readonly key: string;
  readonly file: string;
  readonly mediaType: string;
  readonly run: string;
  /** ISO 8601, UTC: tells this write from an earlier one of the same content in the same run. */
  readonly storedAt: string;
  readonly signal: AbortSignal;
  readonly onSent: (bytes: number) => void;
}

/** Whether a version is what an upload of this content would write: the same content of the same run. */
export function isSameWrite(info: ObjectInfo, { run }: Upload, { sha256 }: ContentHash): boolean {
  return info.run === run && info.sha256 === sha256;
}
