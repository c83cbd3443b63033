/** Everything that would make a commit fail, found before work starts. */
import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { EdaError } from "../../domain/errors.ts";
import { gitError, indexLocked } from "./failures.ts";
import type { Git } from "./git.ts";
import type { Places } from "./places.ts";

/** A lock this short-lived is a Git command of the person at work, in milliseconds. */
const LOCK_PATIENCE_MS = 1_500;
/** A lock that old was left behind, in milliseconds. */
const STALE_LOCK_MS = 10 * 60_000;

interface Operation {
  /** Files inside the Git folder that show it. */
  readonly marks: readonly string[];
  readonly code: string;
  readonly name: string;
  readonly todo: string;
}

const OPERATIONS: readonly Operation[] = [
  operation("rebase", ["rebase-merge", "rebase-apply"], "git rebase --continue, or git rebase --abort"),
  operation("merge", ["MERGE_HEAD"], "git commit, or git merge --abort"),
  operation("cherry-pick", ["CHERRY_PICK_HEAD"], "git cherry-pick --continue, or git cherry-pick --abort"),
  operation("revert", ["REVERT_HEAD"], "git revert --continue, or git revert --abort"),
  operation("cherry-pick", ["sequencer"], "git cherry-pick --continue, or git cherry-pick --abort"),
  operation("bisect", ["BISECT_LOG"], "git bisect reset"),
];

/**
 * Asks everything at once; of several troubles the first in this order is told.
 * @throws EdaError `precondition`, see the port
 */
export async function preflight(git: Git, places: Places): Promise<void> {
  const checks = await Promise.allSettled([assertPlace(git, places), assertMerged(git), assertIdentity(git)]);
  for (const check of checks) if (check.status === "rejected") throw check.reason;
  await assertUnlocked(await places.folder());
}

/** @throws EdaError `precondition` `detached-head` */
export async function currentBranch(git: Git): Promise<string> {
  const { exitCode, stdout } = await git.run(["symbolic-ref", "--quiet", "HEAD"]);
  if (exitCode === 0) return stdout.trim().replace(/^refs\/heads\//u, "");
  throw new EdaError("precondition", "detached-head", "HEAD is detached: a commit would be on no branch.", {
    todo: "Go to a branch with: git switch BRANCH",
  });
}

async function assertPlace(git: Git, places: Places): Promise<void> {
  const { folder, commit, onBranch } = await places.look();
  assertNoOperation(folder);
  if (commit === undefined) {
    throw new EdaError("precondition", "no-commits", "The repository has no commit yet.", {
      todo: 'Make the first one: eda init, or git commit --allow-empty -m "init: repositório"',
    });
  }
  if (!onBranch) await currentBranch(git);
}

function assertNoOperation(folder: string): void {
  const found = OPERATIONS.find(({ marks }) => marks.some((mark) => existsSync(join(folder, mark))));
  if (found === undefined) return;
  throw new EdaError("precondition", found.code, `A ${found.name} is in progress.`, { todo: `Finish it with: ${found.todo}` });
}

async function assertMerged(git: Git): Promise<void> {
  const unmerged = await git.text(["ls-files", "--unmerged", "-z"]);
  const paths = [...new Set(unmerged.split("\0").flatMap((line) => line.split("\t")[1] ?? []))];
  const [first] = paths;
  if (first === undefined) return;
  throw new EdaError("precondition", "unmerged-paths", `${first} has conflicts that are not resolved.`, {
    todo: "Resolve them and git add the files.",
    at: { file: first },
    findings: paths.map((file) => ({ message: `${file} has conflicts`, at: { file } })),
  });
}

/** @throws EdaError `precondition` `missing-identity` */
export async function assertIdentity(git: Git): Promise<void> {
  const answers = await Promise.all(["GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"].map((identity) => git.run(["var", identity])));
  const refusal = answers.find(({ exitCode }) => exitCode !== 0);
  if (refusal === undefined) return;
  if (!/auto-detection is disabled|empty ident name|name consists only/u.test(refusal.output)) throw gitError("", ["var"], refusal.output);
  throw new EdaError("precondition", "missing-identity", "Git does not know who you are.", {
    todo: 'Set it with: git config --global user.name "Your Name" and git config --global user.email you@example.com',
  });
}

async function assertUnlocked(folder: string): Promise<void> {
  const lock = join(folder, "index.lock");
  const deadline = Date.now() + LOCK_PATIENCE_MS;
  for (;;) {
    const info = await stat(lock).catch(() => undefined);
    if (info === undefined) return;
    if (Date.now() - info.mtimeMs > STALE_LOCK_MS || Date.now() > deadline) throw indexLocked(lock);
    await delay(100);
  }
}

function operation(name: string, marks: readonly string[], todo: string): Operation {
  return { name, marks, code: `${name}-in-progress`, todo };
}
