/** Scratch folders below `.eda`: those of runs, which survive a restart, and those of requests, which do not. */
import { mkdir, mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { STATE_FOLDER } from "../domain/governed.ts";

/** Below `.eda`: one folder a run, emptied when it ends. */
export const WORK_FOLDER = "work";
/** Below `.eda`: emptied at every start of the host. */
export const SCRATCH_FOLDER = "tmp";

export function runFolder(workspace: string, run: string): string {
  return join(workspace, STATE_FOLDER, WORK_FOLDER, run);
}

export function unitFolder(workspace: string, run: string, unit: string): string {
  return join(runFolder(workspace, run), unit);
}

/** A new, empty folder that the caller removes. */
export async function scratchFolder(workspace: string, purpose: string): Promise<string> {
  const parent = join(workspace, STATE_FOLDER, SCRATCH_FOLDER);
  await mkdir(parent, { recursive: true });
  return mkdtemp(join(parent, `${purpose}-`));
}
