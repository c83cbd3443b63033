/**
 * Committing exactly some paths, beside whatever the person has staged.
 *
 * The content is frozen into a private index first, looked at, and committed through `git commit`, so that hooks, signing and all else
 * work as the person configured them, and what is committed is what was scanned. The person's index follows afterwards.
 */
import { parseTrailers } from "../../domain/commit.ts";
import { EdaError, type Finding } from "../../domain/errors.ts";
import { gitError } from "./failures.ts";
import type { Git, GitResult } from "./git.ts";
import type { Places } from "./places.ts";
import type { Scanner } from "./scan.ts";
import { committed, followCommit, openPrivateIndex, type TreeEntry } from "./staging-area.ts";

/** Somebody else may commit at the same moment, but not for ever. */
const ATTEMPTS = 5;
/** Silence of a hook (tests, linters) after which it is given up, in milliseconds. */
const HOOK_SILENCE_MS = 15 * 60_000;

export interface CommitContext {
  readonly git: Git;
  readonly places: Places;
  readonly workspace: string;
  readonly scanner: Scanner;
}

/** @throws EdaError `precondition` `hook-failed`, `secret-found`, `file-too-large`, `index-locked`, `no-commits` */
export async function commitPaths(context: CommitContext, paths: readonly string[], message: string): Promise<string> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const commit = await tryCommit(context, paths, message);
    if (commit !== undefined) {
      context.scanner.forget(paths);
      return commit;
    }
  }
  throw new EdaError("transient", "head-moved", "Others committed to this branch again and again meanwhile.", { todo: "Run again." });
}

/** @returns undefined when somebody else committed meanwhile, so that the tree prepared is outdated */
async function tryCommit(context: CommitContext, paths: readonly string[], message: string): Promise<string | undefined> {
  const { git, places, scanner } = context;
  const base = await places.head();
  if (base === undefined)
    throw new EdaError("precondition", "no-commits", "The repository has no commit yet.", { todo: "Make the first one: eda init" });
  await using index = await openPrivateIndex(git, await places.folder(), base);
  await index.add(paths);
  if (scanner.hasScanned(paths)) await rescan(context, await index.changesSince(base));
  if ((await places.head()) !== base) return undefined;

  const result = await git.run(["-c", "core.abbrev=no", "commit", "--allow-empty", "--cleanup=whitespace", "--file=-"], {
    env: index.env,
    stdin: message,
    silenceMs: HOOK_SILENCE_MS,
    runsHooks: true,
  });
  if (result.exitCode !== 0) {
    if ((await places.head()) !== base) return undefined;
    throw commitError(context, result);
  }
  const commit = newCommit(result);
  const { parents, message: written, changes } = await committed(git, commit);
  try {
    if (parents !== base) throw new OutdatedTree();
    assertAsAsked(new Set(paths), message, changes, written);
    await rescan(context, changes);
  } catch (error) {
    await undo(git, commit);
    if (error instanceof OutdatedTree) return undefined;
    throw error;
  }
  await followCommit(git, index, changes);
  return commit;
}

/** A commit landed between our look at HEAD and Git's own. */
class OutdatedTree extends Error {}

/** A hook may rewrite what is committed, but neither add to it nor take the trailers that the record is found by. */
function assertAsAsked(
  asked: ReadonlySet<string>,
  message: string,
  changes: ReadonlyMap<string, TreeEntry | undefined>,
  written: string,
): void {
  const added = [...changes.keys()].filter((path) => !asked.has(path));
  if (added.length > 0) {
    throw hookFailed(
      `A hook of the repository added ${added.length === 1 ? added[0] : `${added.length} files`} to the commit.`,
      "Let the hook stage only files that are being committed (git diff --cached --name-only lists them).",
      added.map((file) => ({ message: `${file} was added by a hook`, at: { file } })),
    );
  }
  const trailers = parseTrailers(written);
  const lost = Object.entries(parseTrailers(message)).filter(([name, value]) => trailers[name] !== value);
  if (lost.length > 0) {
    throw hookFailed(
      `A hook of the repository changed the trailers of the commit message (${lost.map(([name]) => name).join(", ")}).`,
      "Let the hook leave the last paragraph of the message as it is, or add to it.",
    );
  }
}

/** Content that is not what the scan saw: edited since, or rewritten by a hook or a filter. */
async function rescan({ git, scanner }: CommitContext, changes: ReadonlyMap<string, TreeEntry | undefined>): Promise<void> {
  const unseen = [...changes].flatMap(([path, entry]) =>
    entry?.mode.startsWith("100") && scanner.changedSinceScan(path, entry.object) ? [{ path, object: entry.object }] : [],
  );
  await scanner.scanContents(
    (async function* () {
      for (const { path, object } of unseen) yield { path, content: await git.catFile(["blob", object]) };
    })(),
  );
}

/** Takes back a commit nobody has seen yet; the branch must still be at it. */
async function undo(git: Git, commit: string): Promise<void> {
  await git.text(["update-ref", "-m", "eda: commit taken back", "HEAD", `${commit}^`, commit]);
}

/** `[branch 5891b5b…] subject`, the first line of git commit's own output. */
function newCommit({ stdout }: GitResult): string {
  const hash = /^\[.*? ([0-9a-f]{40}(?:[0-9a-f]{24})?)\] /mu.exec(stdout)?.[1];
  if (hash === undefined) throw new EdaError("terminal", "git-failed", `git commit did not say what it made: ${stdout}`);
  return hash;
}

/** Git ends with 1 when a hook refused, and with 128 for troubles of its own. */
function commitError({ workspace }: CommitContext, { exitCode, output }: GitResult): EdaError {
  if (exitCode !== 1) return gitError(workspace, ["commit"], output);
  return hookFailed(
    `A hook of the repository refused the commit: ${output === "" ? "it said nothing" : output}`,
    "Correct what the hook complains about and run again.",
  );
}

function hookFailed(message: string, todo: string, findings: readonly Finding[] = []): EdaError {
  return new EdaError("precondition", "hook-failed", message, { todo, ...(findings.length === 0 ? {} : { findings }) });
}
