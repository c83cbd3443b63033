/** Closing a run that has no life of its own any more. */
import type { EdaError } from "../domain/errors.ts";
import type { RunRequest } from "../domain/run.ts";
import { afterCommitPending } from "./after-commit.ts";
import { undoRun } from "./rollback.ts";
import type { Services } from "./stage-definition.ts";

/** Undoes what the run did, unless it is published, and records it as failed. Idempotent. */
export async function abandonRun(
  services: Services,
  commitLock: <T>(work: () => Promise<T>) => Promise<T>,
  request: RunRequest,
  failure: EdaError,
): Promise<void> {
  // What cannot be undone now is found by recovery; the run must not look active meanwhile.
  const undone = await undoRun(services, commitLock, request).catch(() => undefined);
  const error = undone?.published == null ? failure.toDocument() : afterCommitPending(failure);
  await services.inventory.updateRun(request.run, { state: "failed", error, finishedAt: new Date().toISOString() });
}
