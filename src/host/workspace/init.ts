/** `eda init`: a folder becomes a governed repository. */
import { appendFile, mkdir, realpath, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Git, openGit } from "../../adapters/git/git.ts";
import { gitPath, headCommit } from "../../adapters/git/places.ts";
import { assertIdentity } from "../../adapters/git/preflight.ts";
import { EdaError, toEdaError } from "../../domain/errors.ts";
import { RAW_DATA_FOLDER, STATE_FOLDER } from "../../domain/governed.ts";
import { assertProjectName } from "../../domain/names.ts";
import type { Services } from "../../pipeline/stage-definition.ts";
import { isUntouched, type Layout, layOut } from "./lay-out.ts";
import { projectTemplate, type TemplateFile, workspaceTemplate } from "./templates.ts";

const STRUCTURE_SUBJECT = "init: estrutura do repositório governado";

export type InitServices = Pick<Services, "workspace" | "repository">;

export interface InitOptions {
  /** Lay out a project file as well. */
  readonly project?: string;
  /** Who commits when a repository is made and Git knows nobody. Without it that is an error. */
  readonly fallbackIdentity?: { readonly name: string; readonly email: string };
  /** Environment to run Git in; this process's by default. */
  readonly env?: NodeJS.ProcessEnv;
}

export interface InitResult {
  readonly created: readonly string[];
  readonly kept: readonly string[];
  /** Null when there was nothing to commit. */
  readonly commit: string | null;
}

/**
 * Makes a repository when the workspace is none, lays out what is missing, and commits exactly that. Idempotent; a failure leaves
 * nothing behind.
 * @throws EdaError `precondition` as {@link Services.repository}'s preflight, `path-taken`
 */
export async function initWorkspace(services: InitServices, options: InitOptions = {}): Promise<InitResult> {
  const { project, fallbackIdentity, env = process.env } = options;
  if (project !== undefined) assertProjectName(project);
  const git = openGit(services.workspace, env);
  const madeRepository = await ensureRepository(git, services.workspace);
  try {
    if (madeRepository && fallbackIdentity !== undefined) await ensureIdentity(git, fallbackIdentity);
    const structure = workspaceTemplate();
    const files = project === undefined ? structure : [...structure, projectTemplate(project)];
    const result = await commitLayout(services, git, files, (created) =>
      project === undefined || created.some((path) => structure.some((file) => file.path === path))
        ? STRUCTURE_SUBJECT
        : `init: projeto ${project}`,
    );
    await ignoreState(git, services.workspace);
    return result;
  } catch (error) {
    if (madeRepository) await rm(join(services.workspace, ".git"), { recursive: true, force: true });
    throw error;
  }
}

/**
 * Lays out files in a repository and commits those that were missing. What an interrupted attempt has laid out without committing is
 * committed too, unless a person has edited it.
 */
export async function commitLayout(
  services: InitServices,
  git: Git,
  files: readonly TemplateFile[],
  subjectOf: (created: readonly string[]) => string,
): Promise<InitResult> {
  const { workspace, repository } = services;
  const isFirst = (await headCommit(git)) === undefined;
  if (isFirst) await assertIdentity(git);
  else await repository.preflight();
  const layout: Layout = await layOut(workspace, files);
  try {
    const tracked = isFirst ? new Set() : await committedPaths(git);
    const paths: string[] = [];
    for (const file of files) if (!tracked.has(file.path) && (await isUntouched(workspace, file))) paths.push(file.path);
    const created = [...new Set([...layout.created, ...paths])];
    const kept = layout.kept.filter((path) => !paths.includes(path));
    if (paths.length === 0) return { created, kept, commit: null };
    const message = `${subjectOf(paths)}\n`;
    const commit = isFirst ? await firstCommit(git, paths, message) : await repository.commit(paths, message);
    return { created, kept, commit };
  } catch (error) {
    await layout.undo();
    throw error;
  }
}

/** @returns whether it made one */
async function ensureRepository(git: Git, workspace: string): Promise<boolean> {
  const { exitCode, stdout } = await git.run(["rev-parse", "--show-toplevel"]);
  const top = stdout.replace(/\r?\n$/u, "");
  if (exitCode === 0 && (await realpath(top)) === (await realpath(workspace))) return false;
  await git.text(["init", "--quiet", "--initial-branch=main"]);
  return true;
}

async function ensureIdentity(git: Git, fallback: { readonly name: string; readonly email: string }): Promise<void> {
  try {
    await assertIdentity(git);
  } catch (error) {
    if (toEdaError(error).code !== "missing-identity") throw error;
    await git.text(["config", "--local", "user.name", fallback.name]);
    await git.text(["config", "--local", "user.email", fallback.email]);
  }
}

async function committedPaths(git: Git): Promise<ReadonlySet<string>> {
  return new Set((await git.text(["ls-tree", "-r", "-z", "--name-only", "HEAD"])).split("\0"));
}

/** The first commit of a repository, through Git itself; whatever else the person has staged stays staged. */
async function firstCommit(git: Git, paths: readonly string[], message: string): Promise<string> {
  await git.text(["add", "--", ...paths]);
  const result = await git.run(["commit", "--quiet", "--only", "--file=-", "--", ...paths], { stdin: message, runsHooks: true });
  if (result.exitCode !== 0) {
    await git.run(["rm", "--quiet", "--cached", "--", ...paths]);
    throw new EdaError(
      "precondition",
      "hook-failed",
      `Git refused the first commit: ${result.output === "" ? "it said nothing" : result.output}`,
      {
        todo: "Correct what it complains about and run again.",
      },
    );
  }
  return (await git.text(["rev-parse", "HEAD"])).trim();
}

/** A `.gitignore` that was there before may not know our folders: then the repository's own exclude file does. */
async function ignoreState(git: Git, workspace: string): Promise<void> {
  const missing: string[] = [];
  for (const folder of [STATE_FOLDER, RAW_DATA_FOLDER]) {
    const { exitCode } = await git.run(["check-ignore", "--quiet", "--no-index", `${folder}/x`]);
    if (exitCode !== 0) missing.push(`/${folder}/\n`);
  }
  if (missing.length === 0) return;
  const file = await gitPath(git, workspace, "info/exclude");
  await mkdir(dirname(file), { recursive: true });
  await appendFile(file, missing.join(""));
}
