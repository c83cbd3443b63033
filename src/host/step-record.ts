/**
 * What the workflow engine keeps of a checkpoint. The result of a step over many files is tens of megabytes: such a one goes to a file in
 * the run's scratch folder, in pieces, and the engine keeps its name and hash. Held as one text it would be in memory several times over.
 */
import { createHash } from "node:crypto";
import { mkdir, open, readdir, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { parseChunked, stringifyChunked } from "@discoveryjs/json-ext";
import { EdaError, type ErrorDocument, errorFromDocument } from "../domain/errors.ts";

/** Errors are values, so that they come back typed after a restart. */
export type StepOutcome<T> = { readonly value: T } | { readonly error: ErrorDocument };

type StepRecord<T> = StepOutcome<T> | { readonly file: string; readonly sha256: string };

/** Characters. A row of the engine's table of up to this size costs less than a file. */
const INLINE_LIMIT = 256 * 1024;
const PIECE = 64 * 1024;
/** No unit's folder can have this name: units are named after tables and numbers. */
const FOLDER = ".checkpoints";

/**
 * @param runFolder scratch folder of the run, which lives as long as its checkpoints are needed
 * @returns the record, JSON text of at most about 256 KiB
 */
export async function recordStep<T>(name: string, outcome: StepOutcome<T>, runFolder: string): Promise<string> {
  const pieces = stringifyChunked(outcome, { highWaterMark: PIECE });
  const first: string[] = [];
  let length = 0;
  for (let next = pieces.next(); !next.done; next = pieces.next()) {
    first.push(next.value);
    length += next.value.length;
    // Not a for…of, which would end the generator on leaving it.
    if (length > INLINE_LIMIT) return JSON.stringify(await writePieces(name, first, pieces, runFolder));
  }
  return first.join("");
}

/** @throws the error that was recorded; EdaError `terminal` `checkpoint-missing` when the record's file is gone or not what was written */
export async function recordedValue<T>(record: string, runFolder: string): Promise<T> {
  const kept = JSON.parse(record) as StepRecord<T>;
  const outcome = "file" in kept ? await readPieces<T>(join(runFolder, FOLDER, kept.file), kept.sha256) : kept;
  if ("error" in outcome) throw errorFromDocument(outcome.error);
  return outcome.value;
}

/**
 * Makes the files written so far outlive the machine, too. A file system that takes in thousands of other files needs long for it, so this is done once:
 * until then a machine that dies costs the run, which ends with `checkpoint-missing` and is undone.
 */
export async function syncRecords(runFolder: string): Promise<void> {
  const folder = join(runFolder, FOLDER);
  const files = await readdir(folder).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  });
  if (files === undefined) return;
  for (const path of [...files.map((file) => join(folder, file)), folder]) {
    await using handle = await open(path, "r");
    await handle.sync();
  }
}

async function writePieces(
  name: string,
  first: readonly string[],
  rest: Iterable<string>,
  runFolder: string,
): Promise<{ readonly file: string; readonly sha256: string }> {
  const folder = join(runFolder, FOLDER);
  await mkdir(folder, { recursive: true });
  const file = `${encodeURIComponent(name)}.json`;
  const hash = createHash("sha256");
  const unfinished = join(folder, `${file}.part`);
  const handle = await open(unfinished, "w");
  try {
    for (const pieces of [first, rest]) {
      for (const piece of pieces) {
        hash.update(piece);
        await handle.writeFile(piece);
      }
    }
  } finally {
    await handle.close();
  }
  await rename(unfinished, join(folder, file));
  return { file, sha256: hash.digest("hex") };
}

async function readPieces<T>(path: string, sha256: string): Promise<StepOutcome<T>> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw checkpointMissing(path, error);
  });
  if (createHash("sha256").update(bytes).digest("hex") !== sha256) throw checkpointMissing(path);
  return (await parseChunked([bytes])) as StepOutcome<T>;
}

function checkpointMissing(path: string, cause?: unknown): EdaError {
  return new EdaError("terminal", "checkpoint-missing", `What the run had done so far is gone: ${path} was removed or changed.`, {
    todo: "Run the stage again.",
    cause,
  });
}
