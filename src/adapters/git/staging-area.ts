/** The index: the person's, and a private one that a commit is made from. */
import { copyFile, mkdtemp, rm, stat, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { toEdaError } from "../../domain/errors.ts";
import type { Git } from "./git.ts";

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
  /** The person's index as it was when this one was made: mode and object by path, or undefined while theirs is still that very file. */
  stagedBefore(): Promise<Map<string, string> | undefined>;
  /** What differs from the commit, by path; undefined for a deleted one. */
  changesSince(commit: string): Promise<Map<string, TreeEntry | undefined>>;
}

/**
 * An index of our own that holds a commit's tree. It starts as a copy of the person's, because that knows which files of the work
 * tree are unchanged without reading them.
 */
export async function openPrivateIndex(git: Git, gitFolder: string, commit: string): Promise<PrivateIndex> {
  const folder = await mkdtemp(join(tmpdir(), "eda-index-"));
  const file = join(folder, "index");
  const kept = join(folder, "before");
  const env = { GIT_INDEX_FILE: file };
  const personal = join(gitFolder, "index");
  const dispose = () => rm(folder, { recursive: true, force: true });
  const identity = await identityOf(personal);
  try {
    await copyIndex(personal, kept);
    await copyIndex(kept, file);
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
    stagedBefore: async () => ((await identityOf(personal)) === identity ? undefined : stagedEntries(git, { GIT_INDEX_FILE: kept })),
    changesSince: async (base) => parseRawDiff(await git.text(["diff-index", "--cached", "--raw", "-z", "--no-renames", base], { env })),
    [Symbol.asyncDispose]: dispose,
  };
}

/** What a commit is: the names of its parents, its message, and what it changed against a single parent, by path; undefined for a deleted one. */
export async function committed(
  git: Git,
  commit: string,
): Promise<{ readonly parents: string; readonly message: string; readonly changes: Map<string, TreeEntry | undefined> }> {
  const text = await git.text(["diff-tree", "-r", "--raw", "-z", "--no-renames", "--always", "--format=%P%n%B", commit]);
  const [head, changes] = cut(text, "\0");
  const [parents, message] = cut(head, "\n");
  return { parents, message, changes: parseRawDiff(changes) };
}

function cut(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

/** An index: mode and object by path. */
async function stagedEntries(git: Git, env: Readonly<Record<string, string>> = {}): Promise<Map<string, string>> {
  const text = await git.text(["ls-files", "--stage", "-z"], { env });
  return new Map(
    text.split("\0").flatMap((record): [string, string][] => {
      const tab = record.indexOf("\t");
      return tab < 0 ? [] : [[record.slice(tab + 1), record.slice(0, tab)]];
    }),
  );
}

/**
 * Brings the person's index up to date with what was committed, at those paths only; one that the person has staged anew since the
 * private one was made keeps what they staged.
 * @throws EdaError `precondition` `index-locked`
 */
export async function followCommit(git: Git, index: PrivateIndex, changes: ReadonlyMap<string, TreeEntry | undefined>): Promise<void> {
  const before = await index.stagedBefore();
  const now = before === undefined ? undefined : await stagedEntries(git);
  const lines = [...changes]
    .filter(([path]) => now?.get(path) === before?.get(path))
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

/** Git never writes an index in place: another content is another file. Undefined where there is none. */
async function identityOf(index: string): Promise<string | undefined> {
  const info = await stat(index, { bigint: true }).catch(() => undefined);
  return info === undefined ? undefined : [info.ino, info.size, info.mtimeNs, info.ctimeNs].join();
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
