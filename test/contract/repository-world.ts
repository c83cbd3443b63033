/** What each case of the Repository contract starts from. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect } from "vitest";
import { commitMessage } from "../../src/domain/commit.ts";
import type { EdaError } from "../../src/domain/errors.ts";
import type { Repository } from "../../src/ports/repository.ts";
import { createGitSandbox, type GitSandbox, type SandboxOptions } from "../support/git.ts";

export interface OpenOptions {
  readonly workspace: string;
  readonly maxFileBytes: number;
  readonly pushRemote: string;
  readonly env: NodeJS.ProcessEnv;
}
export type OpenRepository = (options: OpenOptions) => Repository;

/** Size guard of the repositories under test, in bytes. */
export const MAX_FILE_BYTES = 64 * 1024;
export const RUN = "20261124-153012-k3f9qz";

export interface World {
  readonly sandbox: GitSandbox;
  readonly repository: Repository;
  /** Opens the repository again, in another environment or folder. */
  reopen(options?: Partial<OpenOptions>): Repository;
}

/** A fresh repository for each test of the block that calls it. */
export function freshWorld(open: OpenRepository, options: SandboxOptions = {}): World {
  const world: { sandbox: GitSandbox; repository: Repository; reopen: World["reopen"] } = {} as never;
  beforeEach(async () => {
    world.sandbox = await createGitSandbox(options);
    const { folder: workspace, env } = world.sandbox;
    world.reopen = (other) => open({ workspace, env, maxFileBytes: MAX_FILE_BYTES, pushRemote: "origin", ...other });
    world.repository = world.reopen();
  });
  afterEach(() => world.sandbox.remove());
  return world;
}

export function planMessage(run = RUN, moment: "antes" | "depois" = "antes"): string {
  return commitMessage("docs: plano da etapa ingest do projeto projeto_voos", { project: "projeto_voos", stage: "ingest", run, moment });
}

/** The failure of something that must fail, as the command line would show it. */
export async function failureOf(work: Promise<unknown>): Promise<EdaError> {
  const outcome = await work.then(
    () => undefined,
    (error: unknown) => error as EdaError,
  );
  if (outcome === undefined) throw new Error("it did not fail");
  expect(outcome.name, outcome.stack).toBe("EdaError");
  return outcome;
}

/** Paths of a commit with their change letter: `M sql/a.sql`. */
export function filesOf(sandbox: GitSandbox, commit: string): string[] {
  const text = sandbox.git("-c", "core.quotePath=false", "show", "--no-renames", "--name-status", "--format=", commit);
  return text
    .split("\n")
    .filter(Boolean)
    .map((line) => line.replace("\t", " "));
}

export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

export function contentAt(sandbox: GitSandbox, commit: string, path: string): string {
  return sandbox.git("show", `${commit}:${path}`);
}

export function contentOf(sandbox: GitSandbox, path: string): Promise<string> {
  return readFile(join(sandbox.folder, path), "utf8");
}

export async function commitFiles(sandbox: GitSandbox, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await sandbox.write(path, content);
    sandbox.git("add", "--force", "--", path);
  }
  sandbox.git("commit", "--quiet", "--no-verify", "-m", "refactor: arquivos");
}
