/** The end of a published run: its files in place and its commit made, by the run itself or later by recovery. */
import type { AuditHead } from "../domain/audit.ts";
import type { EdaError, ErrorDocument } from "../domain/errors.ts";
import type { RunRecord } from "../domain/run.ts";
import { commitAfter } from "./run-commits.ts";
import type { SealedRun } from "./seal.ts";
import type { Services } from "./stage-definition.ts";

export const AFTER_COMMIT_PENDING = "after-commit-pending";

/** The error of a run whose results are visible, but which could not be completed. */
export function afterCommitPending(failure: EdaError): ErrorDocument {
  return {
    ...failure.toDocument(),
    code: AFTER_COMMIT_PENDING,
    message: `The results are published, but the run could not be completed: ${failure.message}`,
    todo: `${failure.todo ?? "Correct the cause."} Then run: eda recover`,
  };
}

export function isAfterCommitPending(record: RunRecord): boolean {
  return record.error?.code === AFTER_COMMIT_PENDING;
}

/** @returns what the record of the completed run says */
export async function commitPublished(
  services: Services,
  sealed: SealedRun,
  head: AuditHead,
): Promise<Partial<RunRecord> & Pick<RunRecord, "state">> {
  const { manifest } = sealed;
  const commit = await commitAfter(services, manifest, head);
  return { state: "succeeded", commitAfter: commit, totals: manifest.totals, details: manifest.details, error: null };
}
