/** Governed workspaces with the small project, laid out without a host. */
import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { GOVERNED_FOLDERS } from "../../src/domain/governed.ts";
import { parseTrailers } from "../../src/domain/commit.ts";
import { layOutSmallProject, temporaryFolder, writeFiles } from "./small-project.ts";

export interface TestWorkspace {
  readonly folder: string;
  git(...args: string[]): string;
  /** Commits from the first to HEAD. */
  commits(): TestCommit[];
  /** `git status --porcelain` as lines; empty for a clean work tree. */
  status(): string[];
  remove(): void;
}

export interface TestCommit {
  readonly commit: string;
  readonly subject: string;
  readonly trailers: Readonly<Record<string, string>>;
  /** Paths that the commit changed, ordered. */
  readonly files: readonly string[];
}

const GITIGNORE = ".eda/\neda/raw-data/\n";

/** A repository with an identity of its own and a first commit, then the small project, not yet committed. */
export function createWorkspace(name: string): TestWorkspace {
  const workspace = workspaceAt(temporaryFolder(name));
  const { folder, git } = workspace;
  git("init", "--quiet", "--initial-branch=main");
  git("config", "user.name", "Ana Conceição");
  git("config", "user.email", "ana@example.org");
  writeFiles(folder, { ".gitignore": GITIGNORE, "configs/eda.yaml": "engine:\n  threads: 1\n" });
  for (const governed of GOVERNED_FOLDERS) writeFiles(folder, { [`${governed}/.gitkeep`]: "" });
  git("add", "--all");
  git("commit", "--quiet", "--message", "init: repositório governado");
  layOutSmallProject(folder);
  return workspace;
}

/** A copy with everything in it, also the stores below `.eda`: their host must be stopped. */
export function copyWorkspace(from: TestWorkspace, name: string): TestWorkspace {
  const folder = temporaryFolder(name);
  execFileSync("cp", ["-a", `${from.folder}/.`, folder]);
  return workspaceAt(folder);
}

export function workspaceAt(folder: string): TestWorkspace {
  const git = (...args: string[]) =>
    execFileSync("git", ["-C", folder, "-c", "core.quotePath=false", ...args], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  return {
    folder,
    git,
    commits: () =>
      git("log", "--reverse", "--format=%H")
        .trim()
        .split("\n")
        .map((commit) => {
          const message = git("log", "-1", "--format=%B", commit);
          const files = git("show", "--format=", "--name-only", commit).split("\n").filter(Boolean).sort();
          return { commit, subject: message.split("\n", 1)[0] as string, trailers: parseTrailers(message), files };
        }),
    status: () => git("status", "--porcelain", "--untracked-files=all").split("\n").filter(Boolean),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
