/** What is asked of an upload, and how a version tells that it is the answer. */
import type { BucketName } from "../../domain/stage.ts";
import type { ObjectInfo } from "../../ports/object-store.ts";
import type { SourceFile } from "./source-file.ts";

export interface Upload {
  readonly bucket: BucketName;
  readonly key: string;
  readonly source: SourceFile;
  readonly mediaType: string;
  readonly run: string;
  /** ISO 8601, UTC: tells this write from an earlier one of the same content in the same run. */
  readonly storedAt: string;
  readonly signal: AbortSignal;
  readonly onSent: (bytes: number) => void;
}

/** Whether a version is what this upload would write: the same content of the same run. */
export function isSameWrite(info: ObjectInfo, { run, source }: Upload): boolean {
  return info.run === run && info.sha256 === source.content.sha256;
}
