/**
 * Up to which number each run may have written. A host that resumes a run while MongoDB is away cannot ask for the last one, and a number
 * used twice would lose a line: it goes on behind the mark instead. One small write for every thousand lines.
 */
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { appendLines } from "./spool-file.ts";

const FILE = "sequences";
const STEP = 1_000;
const MAX_AGE_MS = 30 * 24 * 3_600_000;

interface Mark {
  readonly run: string;
  readonly upTo: number;
  /** Milliseconds since 1970. */
  readonly at: number;
}

export interface SequenceMarks {
  /** Call before a line with this number is written. */
  reserve(run: string, sequence: number): Promise<void>;
  /** 0 for a run that has written nothing from here. */
  upTo(run: string): number;
}

/** @param folder that exists */
export async function openSequenceMarks(folder: string, now: () => number = Date.now): Promise<SequenceMarks> {
  const path = join(folder, FILE);
  const text = await readFile(path, "utf8").catch(() => "");
  const marks = new Map<string, Mark>();
  for (const mark of text.split("\n").flatMap(parsed)) if (now() - mark.at < MAX_AGE_MS) marks.set(mark.run, mark);
  const kept = [...marks.values()].map((mark) => `${JSON.stringify(mark)}\n`).join("");
  await writeFile(`${path}.new`, kept);
  await rename(`${path}.new`, path);
  let size = Buffer.byteLength(kept);

  return {
    async reserve(run, sequence) {
      if (sequence <= (marks.get(run)?.upTo ?? 0)) return;
      const mark: Mark = { run, upTo: sequence + STEP, at: now() };
      size = await appendLines(path, size, `${JSON.stringify(mark)}\n`);
      marks.set(run, mark);
    },
    upTo: (run) => marks.get(run)?.upTo ?? 0,
  };
}

function parsed(line: string): Mark[] {
  try {
    const mark = JSON.parse(line) as Partial<Mark> | null;
    return typeof mark?.run === "string" && typeof mark.upTo === "number" && typeof mark.at === "number" ? [mark as Mark] : [];
  } catch {
    return [];
  }
}
