/** What a killed host leaves behind: scratch folders of runs that have ended, temporary files of requests. */
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { isTerminal } from "../domain/run.ts";
import { isAfterCommitPending } from "../pipeline/after-commit.ts";
import { SCRATCH_FOLDER, WORK_FOLDER } from "../pipeline/scratch.ts";
import type { Services } from "../pipeline/stage-definition.ts";

/** @returns ids of the ended runs whose scratch folder was removed */
export async function removeLeftovers(services: Services, stateFolder: string): Promise<readonly string[]> {
  await rm(join(stateFolder, SCRATCH_FOLDER), { recursive: true, force: true });
  const removed: string[] = [];
  for (const run of await readdir(join(stateFolder, WORK_FOLDER)).catch(() => [])) {
    const record = await services.inventory.getRun(run);
    if (record !== undefined && (!isTerminal(record.state) || isAfterCommitPending(record))) continue;
    await rm(join(stateFolder, WORK_FOLDER, run), { recursive: true, force: true });
    removed.push(run);
  }
  return removed;
}
