/** Laying files out in a workspace: what exists is kept, and a failure leaves nothing behind. */
import { mkdir, readFile, rm, rmdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { EdaError } from "../../domain/errors.ts";
import type { TemplateFile } from "./templates.ts";

export interface Layout {
  readonly created: readonly string[];
  readonly kept: readonly string[];
  /** Takes back what was created. */
  undo(): Promise<void>;
}

/**
 * Writes the files that are missing.
 * @throws EdaError `precondition` `path-taken` when something else is where a folder should be; nothing is left behind then
 */
export async function layOut(workspace: string, files: readonly TemplateFile[]): Promise<Layout> {
  const created: string[] = [];
  const kept: string[] = [];
  const folders: string[] = [];
  const undo = async () => {
    for (const path of created.splice(0)) await rm(join(workspace, path), { force: true });
    // Deepest first; one that somebody has put something into meanwhile stays.
    for (const folder of folders.splice(0).sort().reverse()) await rmdir(folder).catch(() => undefined);
  };
  try {
    for (const { path, text } of files) {
      const target = join(workspace, path);
      folders.push(...(await makeFolders(dirname(target), path)));
      if (await writeNew(target, text)) created.push(path);
      else kept.push(path);
    }
  } catch (error) {
    await undo();
    throw error;
  }
  return { created, kept, undo };
}

/** Whether the file in the workspace is exactly the template: laid out earlier and not touched since. */
export async function isUntouched(workspace: string, { path, text }: TemplateFile): Promise<boolean> {
  return (await readFile(join(workspace, path), "utf8").catch(() => undefined)) === text;
}

/** @returns the folders that were missing */
async function makeFolders(folder: string, path: string): Promise<string[]> {
  let first: string | undefined;
  try {
    first = await mkdir(folder, { recursive: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "EEXIST" && code !== "ENOTDIR") throw error;
    throw new EdaError("precondition", "path-taken", `${path} cannot be made: something on its way is not a folder.`, {
      todo: "Move it away and run again.",
      at: { file: path },
      cause: error,
    });
  }
  const made: string[] = [];
  for (let each = folder; first !== undefined && each.startsWith(first); each = dirname(each)) made.push(each);
  return made;
}

/** @returns false when there is something already, a dangling link included */
async function writeNew(target: string, text: string): Promise<boolean> {
  try {
    await writeFile(target, text, { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}
