/** Half-made files live under names that say which process makes them, so that those of a killed one can be told and removed. */
import { randomUUID } from "node:crypto";
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { systemCode } from "./system-errors.ts";

const ownMarks = new Set<string>();

/** A name no other has: the process and something random. To be given back with {@link releaseScratchName} when nothing has it any more. */
export function scratchName(): string {
  const name = `${process.pid}-${randomUUID()}`;
  ownMarks.add(name);
  return name;
}

export function releaseScratchName(name: string): void {
  ownMarks.delete(name);
}

/** True when whoever made the name will never finish: a dead process, or an earlier one that had our number. */
export function isAbandoned(name: string): boolean {
  const pid = Number(/^(\d+)-[0-9a-f-]{36}$/u.exec(name)?.[1]);
  if (!Number.isSafeInteger(pid)) return false;
  return pid === process.pid ? !ownMarks.has(name) : !isRunning(pid);
}

/** Makes a folder for half-made files below `parent` and removes the ones that killed processes left there. */
export function openScratchFolder(parent: string): string {
  mkdirSync(parent, { recursive: true });
  for (const name of readdirSync(parent)) if (isAbandoned(name)) rmSync(join(parent, name), { recursive: true, force: true });
  const folder = join(parent, scratchName());
  mkdirSync(folder);
  return folder;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) === "EPERM";
  }
}
