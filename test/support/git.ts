/** Real Git repositories in temporary folders, out of reach of the machine's own configuration. */
import { execFileSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

export interface GitSandbox {
  /** Work tree of the repository; its name holds a space and an accent. */
  readonly folder: string;
  /** Empty home of the test's person, beside the repository. */
  readonly home: string;
  /** The person's environment: a home of its own, no configuration of the system. */
  readonly env: NodeJS.ProcessEnv;
  /** Runs git as the person would. @returns its standard output, without the last line feed */
  git(...args: readonly string[]): string;
  /** Exit code and everything it said, for commands that are meant to fail. */
  attempt(...args: readonly string[]): { readonly status: number; readonly output: string };
  write(path: string, content: string | Uint8Array): Promise<void>;
  /** Installs an executable hook. @param script body of a POSIX shell script */
  hook(name: string, script: string): Promise<void>;
  /** `git status --porcelain` as lines, sorted. */
  status(): string[];
  remove(): Promise<void>;
}

export interface SandboxOptions {
  /** Initialise a repository; by default with an identity and a first commit. */
  readonly repository?: boolean;
  readonly firstCommit?: boolean;
  readonly identity?: boolean;
}

export const PERSON = { name: "Ana Conceição", email: "ana@example.com" } as const;

export async function createGitSandbox(options: SandboxOptions = {}): Promise<GitSandbox> {
  const { repository = true, firstCommit = repository, identity = true } = options;
  const root = await realpath(await mkdtemp(join(tmpdir(), "eda-git-")));
  const folder = join(root, "área de trabalho");
  const home = join(root, "home");
  await Promise.all([mkdir(folder), mkdir(home)]);
  const env: NodeJS.ProcessEnv = {
    PATH: process.env.PATH,
    HOME: home,
    TMPDIR: process.env.TMPDIR,
    GIT_CONFIG_NOSYSTEM: "1",
    // No repository above the temporary folder takes part.
    GIT_CEILING_DIRECTORIES: root,
  };
  const attempt = (...args: readonly string[]) => runGit(folder, env, args);
  const sandbox: GitSandbox = {
    folder,
    home,
    env,
    attempt,
    git: (...args) => {
      const { status, output } = attempt(...args);
      if (status !== 0) throw new Error(`git ${args.join(" ")}: ${output}`);
      return output.replace(/\n$/u, "");
    },
    write: async (path, content) => {
      const file = join(folder, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, content);
    },
    hook: async (name, script) => {
      const file = join(folder, ".git", "hooks", name);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, `#!/bin/sh\n${script}\n`);
      await chmod(file, 0o755);
    },
    status: () => sandbox.git("-c", "core.quotePath=false", "status", "--porcelain", "-uall").split("\n").filter(Boolean).sort(),
    remove: () => rm(root, { recursive: true, force: true }),
  };
  if (identity) {
    sandbox.git("config", "--global", "user.name", PERSON.name);
    sandbox.git("config", "--global", "user.email", PERSON.email);
  }
  if (repository) sandbox.git("init", "--quiet", "--initial-branch=main");
  if (firstCommit) {
    await sandbox.write(".gitignore", ".eda/\neda/raw-data/\n");
    sandbox.git("add", ".gitignore");
    sandbox.git("-c", "user.name=Start", "-c", "user.email=start@example.com", "commit", "--quiet", "-m", "init: repositório governado");
  }
  return sandbox;
}

function runGit(cwd: string, env: NodeJS.ProcessEnv, args: readonly string[]): { status: number; output: string } {
  try {
    return {
      status: 0,
      output: execFileSync("git", args, { cwd, env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], maxBuffer: 2 ** 28 }),
    };
  } catch (error) {
    const { status, stdout, stderr } = error as { status: number | null; stdout: string; stderr: string };
    return { status: status ?? -1, output: `${stdout}${stderr}` };
  }
}
