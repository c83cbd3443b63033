/** Governed workspaces with the small project, laid out without a host. */
import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { GOVERNED_FOLDERS } from "../../src/domain/governed.ts";
import { parseTrailers } from "../../src/domain/commit.ts";
import { layOutSmallProject, SMALL_PROJECT, smallProjectFiles, temporaryFolder, writeFiles } from "./small-project.ts";

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

/** Separators that no message holds. */
const RECORD = "\u001e";
const FIELD = "\u001f";
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

/** To an empty folder, which may be a disk of its own. */
export function moveWorkspace(from: TestWorkspace, folder: string): TestWorkspace {
  execFileSync("cp", ["-a", `${from.folder}/.`, folder]);
  from.remove();
  return workspaceAt(folder);
}

/** Adds projects that differ from the small one in nothing but their name, and commits them. */
export function addProjects({ folder, git }: TestWorkspace, names: readonly string[]): void {
  const { [`configs/projects/${SMALL_PROJECT}.yaml`]: projectFile, ...files } = smallProjectFiles();
  for (const name of names) {
    writeFiles(folder, {
      [`configs/projects/${name}.yaml`]: (projectFile as string).replace(/^project: .*$/mu, `project: ${name}`),
      ...Object.fromEntries(Object.entries(files).map(([path, text]) => [path.replace(`sql/${SMALL_PROJECT}/`, `sql/${name}/`), text])),
    });
  }
  git("add", "--all");
  git("commit", "--quiet", "--message", "feat: projetos");
}

export function workspaceAt(folder: string): TestWorkspace {
  const git = (...args: string[]) =>
    execFileSync("git", ["-C", folder, "-c", "core.quotePath=false", ...args], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  return {
    folder,
    git,
    commits: () =>
      git("log", "--reverse", "--name-only", `--format=${RECORD}%H${FIELD}%B${FIELD}`)
        .split(RECORD)
        .slice(1)
        .map((record) => {
          const [commit, message, files] = record.split(FIELD) as [string, string, string];
          return {
            commit,
            subject: message.split("\n", 1)[0] as string,
            trailers: parseTrailers(message),
            files: files.split("\n").filter(Boolean).sort(),
          };
        }),
    status: () => git("status", "--porcelain", "--untracked-files=all").split("\n").filter(Boolean),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
