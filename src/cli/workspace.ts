/** Which workspace a command is about, found the way Git finds a repository: here or in a folder above. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { EdaError } from "../domain/errors.ts";
import { projectFilePath, SETTINGS_FILE, STATE_FOLDER } from "../domain/governed.ts";
import { assertProjectName } from "../domain/names.ts";
import { printable } from "../domain/printable.ts";
import type { Cli, GlobalOptions } from "./context.ts";
import { nearest } from "../domain/nearest.ts";

/** Folder of the demonstration, when the current one is in use. */
const DEMO_FOLDER = "eda-demo";
const DEMO_PROJECT = "projeto_voos";

/** The folder that `--workspace` names, or the current one; it may not exist. */
function namedFolder(cli: Cli, options: GlobalOptions): string {
  return resolve(cli.cwd, options.workspace ?? ".");
}

/** Undefined when neither the folder nor one above it holds `configs/eda.yaml`. */
export function findWorkspace(folder: string): string | undefined {
  if (existsSync(join(folder, SETTINGS_FILE))) return folder;
  const parent = dirname(folder);
  return parent === folder ? undefined : findWorkspace(parent);
}

/** @throws EdaError `precondition` `not-a-workspace` */
export function requireWorkspace(cli: Cli, options: GlobalOptions): string {
  const folder = namedFolder(cli, options);
  const found = findWorkspace(folder);
  if (found !== undefined) return found;
  const message = isFolder(folder)
    ? `${printable(folder)} is not an eda workspace: it has no ${SETTINGS_FILE}.`
    : `The folder ${printable(folder)} does not exist.`;
  throw new EdaError("precondition", "not-a-workspace", message, {
    todo: "Run eda init to make one here, name one with --workspace DIR, or see the demonstration: eda demo",
  });
}

/** The folder whose host is meant: a workspace, or a folder where a host left its state before there was a workspace. */
export function hostFolder(cli: Cli, options: GlobalOptions): string | undefined {
  const folder = namedFolder(cli, options);
  return findWorkspace(folder) ?? (existsSync(join(folder, STATE_FOLDER)) ? folder : undefined);
}

/**
 * Where `eda init` works. Without `--workspace`, a folder inside a workspace is refused: a repository in a repository helps nobody.
 * @throws EdaError `precondition` `inside-workspace`
 */
export function initFolder(cli: Cli, options: GlobalOptions): string {
  const folder = namedFolder(cli, options);
  const found = findWorkspace(folder);
  if (options.workspace === undefined && found !== undefined && found !== folder) {
    throw new EdaError("precondition", "inside-workspace", `This folder belongs to the workspace ${printable(found)}.`, {
      todo: "Run eda init there, or name this folder with --workspace . to make a workspace of its own.",
    });
  }
  return folder;
}

/** Where `eda demo` works: the named folder; the current one when it is empty or holds the demonstration; else a new one in it. */
export function demoFolder(cli: Cli, options: GlobalOptions): string {
  if (options.workspace !== undefined) return namedFolder(cli, options);
  const holdsDemo = existsSync(join(cli.cwd, projectFilePath(DEMO_PROJECT)));
  const isEmpty = readdirSync(cli.cwd).every((name) => name === ".git" || name === STATE_FOLDER);
  return holdsDemo || isEmpty ? cli.cwd : join(cli.cwd, DEMO_FOLDER);
}

export function projectsOf(workspace: string): string[] {
  const folder = join(workspace, dirname(projectFilePath("x")));
  if (!isFolder(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith(".yaml"))
    .map((name) => name.slice(0, -".yaml".length))
    .sort();
}

/**
 * The project a command is about: the named one, or the only one there is.
 * @throws EdaError `usage` for an impossible or missing name, `precondition` `unknown-project` when it has no file
 */
export function requireProject(workspace: string, named: string | undefined): string {
  const known = projectsOf(workspace);
  if (named === undefined) {
    if (known.length === 1) return known[0] as string;
    throw new EdaError("usage", "project-missing", "Say which project: --project NAME", {
      todo: known.length === 0 ? "There is none yet: eda init --project NAME makes one." : `Known: ${known.join(", ")}.`,
    });
  }
  assertProjectName(named);
  if (known.includes(named)) return named;
  const near = nearest(named, known);
  throw new EdaError("precondition", "unknown-project", `There is no project '${named}': ${projectFilePath(named)} does not exist.`, {
    todo: near === undefined ? `Make it with: eda init --project ${named}` : `Did you mean ${near}?`,
    at: { file: projectFilePath(named) },
  });
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
