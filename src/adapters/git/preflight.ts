/** Everything that would make a commit fail, found before work starts. */
import { existsSync } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { EdaError } from "../../domain/errors.ts";
import { gitError, indexLocked } from "./failures.ts";
import type { Git } from "./git.ts";

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

/** @throws EdaError `precondition`, see the port */
export async function preflight(git: Git, workspace: string): Promise<void> {
  await assertTopLevel(git, workspace);
  await assertNoOperation(git, workspace);
  await assertCommitted(git);
  await currentBranch(git);
  await assertMerged(git);
  await assertIdentity(git);
  await assertUnlocked(git, workspace);
}

/** @throws EdaError `precondition` `detached-head` */
export async function currentBranch(git: Git): Promise<string> {
  const { exitCode, stdout } = await git.run(["symbolic-ref", "--quiet", "HEAD"]);
  if (exitCode === 0) return stdout.trim().replace(/^refs\/heads\//u, "");
  throw new EdaError("precondition", "detached-head", "HEAD is detached: a commit would be on no branch.", {
    todo: "Go to a branch with: git switch BRANCH",
  });
}

/** The commit HEAD points to; undefined before the first one. */
export async function headCommit(git: Git): Promise<string | undefined> {
  const { exitCode, stdout } = await git.run(["rev-parse", "--quiet", "--verify", "HEAD^{commit}"]);
  return exitCode === 0 ? stdout.trim() : undefined;
}

/** Absolute path of a file of the repository, such as its index. */
export async function gitPath(git: Git, workspace: string, name: string): Promise<string> {
  return resolve(workspace, (await git.text(["rev-parse", "--git-path", name])).replace(/\r?\n$/u, ""));
}

async function assertTopLevel(git: Git, workspace: string): Promise<void> {
  const inside = await git.text(["rev-parse", "--is-inside-work-tree"]);
  if (inside.trim() !== "true") {
    throw new EdaError("precondition", "not-a-repository", `${workspace} is a Git repository without a work tree (bare).`, {
      todo: "Clone it, and open the clone.",
    });
  }
  const top = (await git.text(["rev-parse", "--show-toplevel"])).replace(/\r?\n$/u, "");
  if ((await realpath(top)) === (await realpath(workspace))) return;
  throw new EdaError("precondition", "not-a-repository", `${workspace} lies inside the repository ${top} and is none itself.`, {
    todo: `Open ${top} as the workspace, or make a repository of its own with: eda init`,
  });
}

async function assertNoOperation(git: Git, workspace: string): Promise<void> {
  const marks = OPERATIONS.flatMap((each) => each.marks);
  const answer = await git.text(["rev-parse", ...marks.flatMap((mark) => ["--git-path", mark])]);
  const present = new Set(
    answer.split(/\r?\n/u).flatMap((path, index) => (path !== "" && existsSync(resolve(workspace, path)) ? [marks[index]] : [])),
  );
  const found = OPERATIONS.find((each) => each.marks.some((mark) => present.has(mark)));
  if (found === undefined) return;
  throw new EdaError("precondition", found.code, `A ${found.name} is in progress.`, { todo: `Finish it with: ${found.todo}` });
}

async function assertCommitted(git: Git): Promise<void> {
  if ((await headCommit(git)) !== undefined) return;
  throw new EdaError("precondition", "no-commits", "The repository has no commit yet.", {
    todo: 'Make the first one: eda init, or git commit --allow-empty -m "init: repositório"',
  });
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
  for (const identity of ["GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"]) {
    const { exitCode, output } = await git.run(["var", identity]);
    if (exitCode === 0) continue;
    if (!/auto-detection is disabled|empty ident name|name consists only/u.test(output)) throw gitError("", ["var"], output);
    throw new EdaError("precondition", "missing-identity", "Git does not know who you are.", {
      todo: 'Set it with: git config --global user.name "Your Name" and git config --global user.email you@example.com',
    });
  }
}

async function assertUnlocked(git: Git, workspace: string): Promise<void> {
  const lock = await gitPath(git, workspace, "index.lock");
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
