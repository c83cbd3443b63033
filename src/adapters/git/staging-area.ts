/** The index: the person's, and a private one that a commit is made from. */
import { copyFile, mkdtemp, rm, stat, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { toEdaError } from "../../domain/errors.ts";
import type { Git } from "./git.ts";
import { gitPath } from "./preflight.ts";

/** How long the person's own Git commands may hold the index after our commit, in milliseconds. */
const LOCK_PATIENCE_MS = 30_000;
const ABSENT_MODE = "000000";

/** What an index or a tree holds at a path. */
export interface TreeEntry {
  readonly mode: string;
  readonly object: string;
}

export interface PrivateIndex extends AsyncDisposable {
  readonly env: { readonly GIT_INDEX_FILE: string };
  /** Puts the paths in as they are in the work tree now; takes out those that are not there. */
  add(paths: readonly string[]): Promise<void>;
  /** What differs from the commit, by path; undefined for a deleted one. */
  changesSince(commit: string): Promise<Map<string, TreeEntry | undefined>>;
}

/**
 * An index of our own that holds a commit's tree. It starts as a copy of the person's, because that knows which files of the work
 * tree are unchanged without reading them.
 */
export async function openPrivateIndex(git: Git, workspace: string, commit: string): Promise<PrivateIndex> {
  const folder = await mkdtemp(join(tmpdir(), "eda-index-"));
  const file = join(folder, "index");
  const env = { GIT_INDEX_FILE: file };
  const dispose = () => rm(folder, { recursive: true, force: true });
  try {
    await copyIndex(await gitPath(git, workspace, "index"), file);
    await git.text(["read-tree", "--reset", commit], { env });
  } catch (error) {
    await dispose();
    throw error;
  }
  return {
    env,
    add: async (paths) => {
      if (paths.length === 0) return;
      await git.text(["update-index", "-z", "--add", "--remove", "--replace", "--stdin"], { env, stdin: records(paths) });
    },
    changesSince: async (base) => parseRawDiff(await git.text(["diff-index", "--cached", "--raw", "-z", "--no-renames", base], { env })),
    [Symbol.asyncDispose]: dispose,
  };
}

/** What a commit changed against another, by path; undefined for a deleted one. */
export async function committedChanges(git: Git, from: string, to: string): Promise<Map<string, TreeEntry | undefined>> {
  return parseRawDiff(await git.text(["diff-tree", "-r", "--raw", "-z", "--no-renames", from, to]));
}

/** The person's index: mode and object by path. */
export async function stagedEntries(git: Git): Promise<Map<string, string>> {
  const text = await git.text(["ls-files", "--stage", "-z"]);
  return new Map(
    text.split("\0").flatMap((record): [string, string][] => {
      const tab = record.indexOf("\t");
      return tab < 0 ? [] : [[record.slice(tab + 1), record.slice(0, tab)]];
    }),
  );
}

/**
 * Brings the person's index up to date with what was committed, at those paths only; one that the person has staged anew since
 * `before` keeps what they staged.
 * @throws EdaError `precondition` `index-locked`
 */
export async function followCommit(
  git: Git,
  before: ReadonlyMap<string, string>,
  committed: ReadonlyMap<string, TreeEntry | undefined>,
): Promise<void> {
  const now = await stagedEntries(git);
  const lines = [...committed]
    .filter(([path]) => now.get(path) === before.get(path))
    // Removals first: a file may have become a folder.
    .sort(([, a], [, b]) => Number(a !== undefined) - Number(b !== undefined))
    .map(([path, entry]) => (entry === undefined ? `0 ${"0".repeat(40)}\t${path}` : `${entry.mode} ${entry.object}\t${path}`));
  if (lines.length === 0) return;
  await patiently(() => git.text(["update-index", "-z", "--replace", "--index-info"], { stdin: records(lines) }));
  // Only saves the next status some reading; files of the person that differ make it fail.
  await git.run(["update-index", "-q", "--refresh"]);
}

async function patiently(work: () => Promise<unknown>): Promise<void> {
  const deadline = Date.now() + LOCK_PATIENCE_MS;
  for (;;) {
    try {
      await work();
      return;
    } catch (error) {
      const problem = toEdaError(error);
      if (problem.code !== "index-locked" || Date.now() > deadline) throw problem;
      await delay(100);
    }
  }
}

async function copyIndex(from: string, to: string): Promise<void> {
  const info = await stat(from).catch(() => undefined);
  // A repository in which nothing was ever staged has none.
  if (info === undefined) return;
  await copyFile(from, to);
  // Git takes a file as unchanged only when it is older than the index: a copy must not look younger than it is.
  const seconds = Math.floor(info.mtimeMs) / 1000;
  await utimes(to, seconds, seconds);
}

function parseRawDiff(text: string): Map<string, TreeEntry | undefined> {
  const changes = new Map<string, TreeEntry | undefined>();
  const fields = text.split("\0");
  for (let index = 0; index + 1 < fields.length; index += 2) {
    const [, mode, , object] = (fields[index] as string).split(" ");
    changes.set(fields[index + 1] as string, mode === ABSENT_MODE ? undefined : { mode: mode as string, object: object as string });
  }
  return changes;
}

function records(lines: readonly string[]): string {
  return `${lines.join("\0")}\0`;
}
