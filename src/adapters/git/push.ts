/** Publishing the branch: never by force, never asking anybody, never without end. */
import { EdaError } from "../../domain/errors.ts";
import type { Repository } from "../../ports/repository.ts";
import type { Git } from "./git.ts";
import { currentBranch } from "./preflight.ts";

const PUSH_SILENCE_MS = 60_000;
const PUSH_LIMIT_MS = 5 * 60_000;

/** @throws EdaError `unavailable` `push-failed` when the remote cannot be reached, `terminal` `push-rejected` when it refuses */
export async function push(git: Git, remote: string): Promise<Awaited<ReturnType<Repository["push"]>>> {
  if (!(await remotes(git)).includes(remote)) return "no-remote";
  const branch = await currentBranch(git);
  const target = await remoteBranch(git, remote, branch);
  const { exitCode, stdout, output } = await git.run(
    ["push", "--porcelain", "--no-follow-tags", "--recurse-submodules=no", remote, `refs/heads/${branch}:${target}`],
    { env: await quietSsh(git), silenceMs: PUSH_SILENCE_MS, limitMs: PUSH_LIMIT_MS, runsHooks: true },
  );
  // A line a reference: flag, from:to, summary (git-push(1), "Output").
  const [flag, , summary] = (stdout.split("\n").find((line) => line.split("\t")[1]?.endsWith(`:${target}`)) ?? "").split("\t");
  if (exitCode === 0) return flag === "=" ? "up-to-date" : "pushed";
  if (flag === "!" && /\[rejected\] \((fetch first|non-fast-forward)\)/u.test(summary ?? "")) return "diverged";
  if (flag === "!") {
    throw new EdaError("terminal", "push-rejected", `The remote "${remote}" refused the push: ${output}`, {
      todo: "See the rules of the branch at the remote.",
    });
  }
  throw new EdaError("unavailable", "push-failed", `Pushing to "${remote}" failed: ${output}`, {
    todo: `Try it yourself, which also shows whether your sign-in is accepted: git push ${remote} ${branch}`,
  });
}

/** Counted against what the remote was last seen to have; undefined when it was never seen to have the branch. */
export async function unpushed(git: Git, remote: string): Promise<number | undefined> {
  const { stdout: head } = await git.run(["symbolic-ref", "--quiet", "HEAD"]);
  const branch = head.trim().replace(/^refs\/heads\//u, "");
  if (branch === "") return undefined;
  const target = await remoteBranch(git, remote, branch);
  for (const upstream of [`refs/remotes/${remote}/${target.replace(/^refs\/heads\//u, "")}`, "HEAD@{upstream}"]) {
    const { exitCode, stdout } = await git.run(["rev-list", "--count", `${upstream}..HEAD`, "--"]);
    if (exitCode === 0) return Number(stdout.trim());
  }
  return undefined;
}

async function remotes(git: Git): Promise<string[]> {
  return (await git.text(["remote"])).split("\n").filter((name) => name !== "");
}

/** The branch the person follows at that remote, else one of the same name. */
async function remoteBranch(git: Git, remote: string, branch: string): Promise<string> {
  const followed = await configured(git, `branch.${branch}.remote`);
  const merge = await configured(git, `branch.${branch}.merge`);
  return followed === remote && merge !== undefined ? merge : `refs/heads/${branch}`;
}

/** OpenSSH would wait at the terminal for a passphrase or a host key; other clients are left alone. */
async function quietSsh(git: Git): Promise<Record<string, string>> {
  const command = git.env.GIT_SSH_COMMAND ?? (await configured(git, "core.sshCommand")) ?? git.env.GIT_SSH ?? "ssh";
  return /^\S*ssh(?:\.exe)?(?:\s|$)/u.test(command) ? { GIT_SSH_COMMAND: `${command} -oBatchMode=yes` } : {};
}

async function configured(git: Git, key: string): Promise<string | undefined> {
  const { exitCode, stdout } = await git.run(["config", "--get", key]);
  return exitCode === 0 ? stdout.replace(/\r?\n$/u, "") : undefined;
}
