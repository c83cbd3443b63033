/** Bringing back what an attempt made: compared with its DONE.json before and after it is downloaded. */
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { checkArtefacts } from "../../domain/job/artefacts.ts";
import type { Done } from "../../domain/job/format.ts";
import type { Problem } from "../../domain/job/status.ts";
import { printable } from "../../domain/printable.ts";
import type { JobFolder, JobFolderFile } from "../../ports/job-trainer.ts";

export type Collection =
  /** Everything lies in the folder it was collected into, under the artefacts' names, and is as DONE.json says. */
  | { readonly kind: "here" }
  /** Not there yet, or not to its end: storages that sync show files late. */
  | { readonly kind: "missing"; readonly paths: readonly string[] }
  | { readonly kind: "refused"; readonly problem: Problem };

export interface CollectOptions {
  readonly folder: JobFolder;
  /** As listed last. */
  readonly files: readonly JobFolderFile[];
  readonly done: Done;
  readonly into: string;
}

/** @throws EdaError when the folder cannot be read now; what was downloaded by then is not downloaded again */
export async function collectResults({ folder, files, done, into }: CollectOptions, signal: AbortSignal): Promise<Collection> {
  const listed = new Map(files.map((file) => [file.path, file]));
  const { missing, findings } = checkArtefacts(done, listed);
  if (findings.length > 0) return refused(findings.map(({ message }) => message));
  if (missing.length > 0) return { kind: "missing", paths: missing };
  for (const artefact of done.artefacts) {
    const target = join(into, artefact.name);
    if (await hasContent(target, artefact.sha256)) continue;
    const partial = `${target}.eda-partial`;
    await mkdir(dirname(target), { recursive: true });
    try {
      const arrived = await download(folder, listed.get(artefact.path) as JobFolderFile, partial, signal);
      if (arrived.size < artefact.size) return { kind: "missing", paths: [artefact.path] };
      if (arrived.sha256 !== artefact.sha256) {
        return refused([`${printable(artefact.path)} has another content than DONE.json says (sha256).`]);
      }
      await rename(partial, target);
    } finally {
      await rm(partial, { force: true });
    }
  }
  return { kind: "here" };
}

async function download(folder: JobFolder, file: JobFolderFile, target: string, signal: AbortSignal) {
  const hash = createHash("sha256");
  let size = 0;
  const measure = new Transform({
    transform(chunk: Buffer, _encoding, next) {
      hash.update(chunk);
      size += chunk.length;
      next(null, chunk);
    },
  });
  await pipeline(await folder.read(file, signal), measure, createWriteStream(target), { signal });
  return { size, sha256: hash.digest("hex") };
}

async function hasContent(file: string, sha256: string): Promise<boolean> {
  const hash = createHash("sha256");
  try {
    await pipeline(createReadStream(file), hash);
  } catch {
    return false;
  }
  return hash.digest("hex") === sha256;
}

function refused(messages: readonly string[]): Collection {
  return {
    kind: "refused",
    problem: {
      code: "result-changed",
      message: messages.join(" "),
      todo: "Somebody or something changed it after the attempt had finished. Run the stage again to train anew.",
    },
  };
}
