/** Finishing what a crash, a full disk or a refused commit left undone. */
import { toEdaError } from "../domain/errors.ts";
import { isTerminal, type RunRecord } from "../domain/run.ts";
import { BUCKETS } from "../domain/stage.ts";
import { isAfterCommitPending } from "../pipeline/after-commit.ts";
import type { Inventory } from "../ports/inventory.ts";
import type { Host } from "./host.ts";
import { removeLeftovers } from "./housekeeping.ts";

const PAGE = 1000;

/** @returns what was done, a line each; empty when there was nothing to do */
export async function recover(host: Host): Promise<readonly string[]> {
  const { services, runs, endpoint } = host;
  const done: string[] = [];
  // Also ends uploads that could not be ended when they failed.
  await services.objects.ensureBuckets(BUCKETS);
  for (const run of await runs.closeOrphans()) done.push(`run ${run}: could not go on, closed`);
  for (const record of (await incompleteRuns(services.inventory)).reverse()) done.push(await complete(host, record));
  done.push(...(await removeOrphans(host)));
  for (const run of await removeLeftovers(services, endpoint.stateFolder)) done.push(`run ${run}: scratch folder removed`);
  return done;
}

/** Ended runs that Git does not know the end of: published without a commit after, or failed without a record of it. Newest first. */
export async function incompleteRuns(inventory: Inventory): Promise<RunRecord[]> {
  const incomplete: RunRecord[] = [];
  let cursor: string | undefined;
  do {
    const page = await inventory.listRuns({ states: ["failed", "cancelled"], limit: PAGE, ...(cursor === undefined ? {} : { cursor }) });
    incomplete.push(...page.items.filter((run) => isAfterCommitPending(run) || (run.commitBefore !== null && run.commitAfter === null)));
    cursor = page.cursor;
  } while (cursor !== undefined);
  return incomplete;
}

async function complete(host: Host, record: RunRecord): Promise<string> {
  const name = `run ${record.run} (${record.stage} of ${record.project})`;
  try {
    const { state, commitAfter, error } = await host.runs.complete(record);
    if (commitAfter === null) return `${name}: still not complete: ${error?.message ?? "no commit"}`;
    return `${name}: completed as ${state}, commit ${commitAfter.slice(0, 12)}`;
  } catch (error) {
    return `${name}: still not complete: ${toEdaError(error).message}`;
  }
}

/** Object versions of runs that published nothing. What a published run wrote is never touched. */
async function removeOrphans({ services }: Host): Promise<string[]> {
  const { inventory, objects } = services;
  const published = new Set<string>();
  for await (const entry of inventory.audit()) if (entry.event === "run.published" && entry.run !== null) published.add(entry.run);
  const hasEnded = new Map<string, boolean>();
  const removed: string[] = [];
  for (const bucket of BUCKETS) {
    const orphans = [];
    for await (const info of objects.versions(bucket, "")) {
      if (published.has(info.run)) continue;
      const ended = hasEnded.get(info.run) ?? isTerminal((await inventory.getRun(info.run))?.state ?? "failed");
      hasEnded.set(info.run, ended);
      if (ended) orphans.push({ bucket, key: info.key, versionId: info.versionId });
    }
    for (const ref of orphans) {
      await objects.removeVersion(ref);
      removed.push(`orphan object removed: ${ref.bucket}/${ref.key}@${ref.versionId}`);
    }
  }
  return removed;
}
