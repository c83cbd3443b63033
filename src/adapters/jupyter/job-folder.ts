/** A job folder on this machine's disk. */
import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { EdaError } from "../../domain/errors.ts";
import { JOB_FILES } from "../../domain/job/format.ts";
import { printable } from "../../domain/printable.ts";
import type { JobFolder, JobFolderFile } from "../../ports/job-trainer.ts";

/** Nobody reads them here: the kernel has them. */
const LEFT_OUT: readonly string[] = [JOB_FILES.data, JOB_FILES.checkpoints];

/** Written once under fresh names, and many: those that have settled are not asked for again. */
const IMMUTABLE = /^(?:beats|logs)\//u;
const SETTLED_MS = 10_000;
type Known = Map<string, JobFolderFile>;

export function localJobFolder(folder: string): JobFolder {
  const known: Known = new Map();
  return {
    async list() {
      const top = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
        throw missing(folder, error);
      });
      const files = await Promise.all(
        top.flatMap((entry) => {
          if (entry.isFile()) return [describe(folder, join(folder, entry.name), known)];
          return entry.isDirectory() && !LEFT_OUT.includes(entry.name) ? [below(folder, join(folder, entry.name), known)] : [];
        }),
      );
      return files.flat();
    },
    read: async ({ path }) => createReadStream(join(folder, ...path.split("/"))),
  };
}

async function below(root: string, folder: string, known: Known): Promise<JobFolderFile[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => entry.isFile());
  return (await Promise.all(files.map((entry) => describe(root, join(entry.parentPath, entry.name), known)))).flat();
}

/** Nothing for a file that went away meanwhile. */
async function describe(root: string, file: string, known: Known): Promise<JobFolderFile[]> {
  const before = known.get(file);
  if (before !== undefined) return [before];
  const stats = await stat(file, { bigint: true }).catch(() => undefined);
  if (stats === undefined) return [];
  const path = relative(root, file).split(sep).join("/");
  const storedAt = Number(stats.mtimeMs);
  const version = `${stats.size}.${stats.mtimeNs}.${stats.ino}`;
  const described = { path, size: Number(stats.size), sha256: null, storedAt, version };
  if (IMMUTABLE.test(path) && Date.now() - storedAt > SETTLED_MS) known.set(file, described);
  return [described];
}

function missing(folder: string, cause: unknown): EdaError {
  return new EdaError("terminal", "job-folder-missing", `The job folder ${printable(folder)} is gone.`, {
    todo: "Somebody removed it, and its checkpoints with it: run the stage again to train anew.",
    cause,
  });
}
