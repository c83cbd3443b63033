/** Where the repository lies and what its HEAD is. Git is asked in one go; between two looks HEAD is read from its file. */
import { readFile, realpath } from "node:fs/promises";
import { join, resolve } from "node:path";
import { EdaError } from "../../domain/errors.ts";
import { gitError } from "./failures.ts";
import type { Git } from "./git.ts";

const LOOK = ["rev-parse", "--is-inside-work-tree", "--git-dir", "--git-common-dir", "--show-toplevel"];
const HEAD = ["HEAD^{commit}", "--symbolic-full-name", "HEAD"];
const SYMBOLIC_REF = /^ref: (refs\/heads\/.+)\n$/u;
const OBJECT_NAME = /^([0-9a-f]{40}|[0-9a-f]{64})\n$/u;

/** What one look at the repository shows. */
export interface Look {
  /** The Git folder of this work tree, absolute: its index, its locks, the marks of operations in progress. */
  readonly folder: string;
  /** Undefined before the first commit. */
  readonly commit: string | undefined;
  /** HEAD is a branch. */
  readonly onBranch: boolean;
}

export interface Places {
  /** Asks Git anew. @throws EdaError `precondition` `not-a-repository` when the workspace is not the top folder of a work tree */
  look(): Promise<Look>;
  /** The Git folder of this work tree, as the last look showed it. */
  folder(): Promise<string>;
  /** The commit HEAD points to; undefined before the first one, and where there is no repository. */
  head(): Promise<string | undefined>;
}

export function openPlaces(git: Git, workspace: string): Places {
  let known: { readonly folder: string; readonly common: string } | undefined;

  async function look(): Promise<Look> {
    const { exitCode, stdout, output } = await git.run([...LOOK, ...HEAD]);
    const lines = stdout.split(/\r?\n/u).slice(0, -1);
    const [inside, own, common] = lines;
    if (inside === "false") {
      throw new EdaError("precondition", "not-a-repository", `${workspace} is a Git repository without a work tree (bare).`, {
        todo: "Clone it, and open the clone.",
      });
    }
    if (own === undefined || common === undefined || lines[3] === undefined) throw gitError(workspace, LOOK, output);
    // Without a commit the question comes back as it was, and nothing after it.
    const reference = exitCode === 0 && /^(?:refs\/|HEAD$)/u.test(lines.at(-1) as string) ? lines.pop() : undefined;
    const commit = lines.pop();
    await assertTop(lines.slice(3).join("\n"));
    known = { folder: resolve(workspace, own), common: resolve(workspace, common) };
    return {
      folder: known.folder,
      commit: exitCode === 0 ? commit : undefined,
      onBranch: reference?.startsWith("refs/heads/") === true,
    };
  }

  async function assertTop(top: string): Promise<void> {
    if ((await realpath(top)) === (await realpath(workspace))) return;
    throw new EdaError("precondition", "not-a-repository", `${workspace} lies inside the repository ${top} and is none itself.`, {
      todo: `Open ${top} as the workspace, or make a repository of its own with: eda init`,
    });
  }

  /**
   * A branch that was written since the references were last packed is a file with an object name (gitrepository-layout(5)); so is every one
   * that eda has committed to. Undefined for all else, such as packed references and reftable.
   */
  async function looseHead(): Promise<string | undefined> {
    if (known === undefined) return undefined;
    try {
      const branch = SYMBOLIC_REF.exec(await readFile(join(known.folder, "HEAD"), "utf8"))?.[1];
      return branch === undefined ? undefined : OBJECT_NAME.exec(await readFile(join(known.common, branch), "utf8"))?.[1];
    } catch {
      return undefined;
    }
  }

  return {
    look,
    folder: async () => known?.folder ?? (await look()).folder,
    head: async () => (await looseHead()) ?? headCommit(git),
  };
}

/** The commit HEAD points to, asked of Git; undefined before the first one. */
export async function headCommit(git: Git): Promise<string | undefined> {
  const { exitCode, stdout } = await git.run(["rev-parse", "--quiet", "--verify", "HEAD^{commit}"]);
  return exitCode === 0 ? stdout.trim() : undefined;
}

/** Absolute path of a file of the repository, wherever Git keeps it for this work tree. */
export async function gitPath(git: Git, workspace: string, name: string): Promise<string> {
  return resolve(workspace, (await git.text(["rev-parse", "--git-path", name])).replace(/\r?\n$/u, ""));
}
