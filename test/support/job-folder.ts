/** A job folder on a disk, read as a follower reads it. */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Beat, type Done, readBeat, readDone } from "../../src/domain/job/format.ts";

/** Every whole beat, ordered by name. @throws Error for one that is whole and not of the format */
export async function beatsIn(folder: string): Promise<Beat[]> {
  const names = (await readdir(join(folder, "beats")).catch(() => [])).sort();
  const readings = await Promise.all(names.map(async (name) => readBeat(await readFile(join(folder, "beats", name), "utf8"))));
  return readings.flatMap((reading, index) => {
    if (reading.kind === "invalid") throw new Error(`${names[index]}: ${reading.problem}`);
    return reading.kind === "whole" ? [reading.document] : [];
  });
}

/** @throws Error when it is there and not of the format */
export async function doneIn(folder: string): Promise<Done | undefined> {
  const text = await readFile(join(folder, "DONE.json"), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const reading = readDone(text);
  if (reading.kind !== "whole") throw new Error(`DONE.json: ${JSON.stringify(reading)}`);
  return reading.document;
}

/** Size and hash of every file, by path with `/`. */
export async function filesIn(folder: string): Promise<Map<string, { readonly size: number; readonly sha256: string }>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return new Map(
    await Promise.all(
      files.map(async (file) => {
        const bytes = await readFile(file);
        return [file.slice(folder.length + 1), { size: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") }] as const;
      }),
    ),
  );
}
