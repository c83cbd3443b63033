/** Which files changed since HEAD, governed and other. Format: git-status(1), "Porcelain Format Version 2". */
import { GOVERNED_FOLDERS, isGoverned, RAW_DATA_FOLDER } from "../../domain/governed.ts";
import type { GovernedChange, WorkspaceChanges } from "../../ports/repository.ts";
import type { Git } from "./git.ts";

const STATUS = ["status", "--porcelain=v2", "-z", "--no-renames", "--ignore-submodules=dirty"];
const GOVERNED_PATHSPECS = [".gitignore", "README.md", ...GOVERNED_FOLDERS, `:(exclude)${RAW_DATA_FOLDER}`];
const ABSENT_MODE = "000000";

interface StatusEntry {
  /** Ends in `/` for a folder that is untracked as a whole, or holds a repository of its own. */
  readonly path: string;
  readonly submodule: boolean;
  readonly inHead: boolean;
  readonly inWorkTree: boolean;
}

/**
 * Governed changes file by file; other untracked folders as one entry, so that a large one costs nothing. Paths that differ only in
 * the index, not in the work tree, count as changes too when HEAD knows them.
 */
export async function workspaceChanges(git: Git): Promise<WorkspaceChanges> {
  const all = parseStatus(await git.text([...STATUS, "--untracked-files=normal"]));
  const governed = all.some(mayHoldGoverned)
    ? parseStatus(await git.text([...STATUS, "--untracked-files=all", "--", ...GOVERNED_PATHSPECS]))
    : all;
  return {
    governed: governedChanges(governed),
    ungoverned: all
      .filter((entry) => entry.submodule || isUngoverned(entry.path))
      .map((entry) => entry.path)
      .sort(),
  };
}

function governedChanges(entries: readonly StatusEntry[]): GovernedChange[] {
  const changes = new Map<string, GovernedChange>();
  for (const { path, submodule, inHead, inWorkTree } of entries) {
    if (submodule || path.endsWith("/") || !isGoverned(path)) continue;
    // A file removed from the index only is listed twice: as deleted, and as untracked.
    const known = inHead || changes.has(path);
    const present = inWorkTree || changes.has(path);
    if (!known && !present) continue;
    changes.set(path, { path, change: !present ? "deleted" : known ? "modified" : "added" });
  }
  return [...changes.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** An untracked folder that is, or is in, or has in it a governed one: its files have to be listed. */
function mayHoldGoverned({ path }: StatusEntry): boolean {
  return path.endsWith("/") && (isGoverned(`${path}file`) || GOVERNED_FOLDERS.some((folder) => `${folder}/`.startsWith(path)));
}

function isUngoverned(path: string): boolean {
  if (!path.endsWith("/")) return !isGoverned(path);
  // An untracked `eda/` may hold both; its files are listed one by one as governed.
  return !isGoverned(`${path}file`) && !GOVERNED_FOLDERS.some((folder) => `${folder}/` === path);
}

function parseStatus(text: string): StatusEntry[] {
  return text.split("\0").flatMap((record) => parseRecord(record) ?? []);
}

function parseRecord(record: string): StatusEntry | undefined {
  switch (record[0]) {
    case "1": {
      const [, code, submodule, headMode, , , , , ...path] = record.split(" ");
      return entryOf(path, code as string, submodule as string, headMode !== ABSENT_MODE);
    }
    case "u": {
      const [, code, submodule, , , , , , , , ...path] = record.split(" ");
      return entryOf(path, code as string, submodule as string, true);
    }
    case "?":
      return { path: record.slice(2), submodule: false, inHead: false, inWorkTree: true };
    default:
      return undefined;
  }
}

function entryOf(path: readonly string[], code: string, submodule: string, inHead: boolean): StatusEntry {
  const [staged, unstaged] = code;
  const inWorkTree = unstaged !== "D" && !(staged === "D" && unstaged === ".");
  return { path: path.join(" "), submodule: submodule.startsWith("S"), inHead, inWorkTree };
}
