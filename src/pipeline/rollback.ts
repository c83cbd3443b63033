/** Undoing a run that will not be published: nothing of it stays in the object store or in the work tree. */
import type { AuditEntry, AuditHead } from "../domain/audit.ts";
import { objectUri, type OutputObject } from "../domain/asset.ts";
import type { RunRequest } from "../domain/run.ts";
import { BUCKETS } from "../domain/stage.ts";
import type { Inventory } from "../ports/inventory.ts";
import { restorePlan } from "./run-commits.ts";
import type { Services } from "./stage-definition.ts";

export interface Undone {
  /** Set when the run is published after all: then nothing was undone. */
  readonly published: AuditHead | null;
  readonly commitBefore: string | null;
  /** Object versions removed. */
  readonly removed: number;
}

/** Idempotent. A run whose publication was committed although its answer got lost is recognised and left alone. */
export async function undoRun(
  services: Services,
  commitLock: <T>(work: () => Promise<T>) => Promise<T>,
  request: RunRequest,
): Promise<Undone> {
  const commitBefore = (await services.repository.findCommit(request.run, "antes").catch(() => undefined)) ?? null;
  const published = await findAuditEntry(services.inventory, request.run, "run.published");
  if (published !== undefined) {
    const { sequence, hash } = published;
    return { published: { sequence, hash }, commitBefore, removed: 0 };
  }
  const removed = await removeRunObjects(services, request.project, request.run);
  await commitLock(() => restorePlan(services, request));
  return { published: null, commitBefore, removed };
}

/**
 * Removes the object versions that a run wrote, except those to keep. It looks at the stores rather than at results, because a unit that
 * was interrupted has none.
 * @returns the number of versions removed
 */
export async function removeRunObjects(
  services: Services,
  project: string,
  run: string,
  keep: readonly OutputObject[] = [],
): Promise<number> {
  const kept = new Set(keep.map(objectUri));
  let removed = 0;
  for (const bucket of BUCKETS) {
    const mine = [];
    for await (const info of services.objects.versions(bucket, `${project}/`)) {
      if (info.run === run && !kept.has(objectUri(info))) mine.push({ bucket, key: info.key, versionId: info.versionId });
    }
    for (const ref of mine) await services.objects.removeVersion(ref);
    removed += mine.length;
  }
  return removed;
}

/** The chain is read from its start: only for runs that did not end well. */
export async function findAuditEntry(inventory: Inventory, run: string, event: string): Promise<AuditEntry | undefined> {
  for await (const entry of inventory.audit()) {
    if (entry.run === run && entry.event === event) return entry;
  }
  return undefined;
}
