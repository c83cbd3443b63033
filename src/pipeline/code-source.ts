/** Reading governed files: from the work tree while planning, from the before-commit while executing. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { EdaError } from "../domain/errors.ts";
import type { Repository } from "../ports/repository.ts";

export interface CodeSource {
  readonly readCode: (path: string) => Promise<string>;
  readonly listCode: (folder: string) => Promise<readonly string[]>;
}

export function workTreeSource(workspace: string): CodeSource {
  return {
    readCode: async (path) => {
      try {
        return await readFile(join(workspace, path), "utf8");
      } catch (error) {
        throw missingFile(path, error);
      }
    },
    listCode: async (folder) => {
      const entries = await readdir(join(workspace, folder), { recursive: true, withFileTypes: true }).catch(() => []);
      return entries
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(workspace.length + 1))
        .sort();
    },
  };
}

/** What a commit holds never changes: each file is read once. */
export function commitSource(repository: Repository, commit: string): CodeSource {
  const files = new Map<string, string>();
  return {
    readCode: async (path) => {
      const known = files.get(path);
      if (known !== undefined) return known;
      const content = await repository.readAt(commit, path);
      if (content === undefined) throw missingFile(path);
      const text = new TextDecoder().decode(content);
      files.set(path, text);
      return text;
    },
    listCode: (folder) => repository.listAt(commit, folder),
  };
}

function missingFile(path: string, cause?: unknown): EdaError {
  return new EdaError("precondition", "missing-file", `${path} does not exist.`, {
    todo: "Create it, or correct the path in the project file.",
    at: { file: path },
    cause,
  });
}
