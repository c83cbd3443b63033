/**
 * What waits for MongoDB, on disk: a file a run, in the order of writing. A file goes when all of it is delivered; until then nothing of
 * its run overtakes it. A line that is delivered twice, as after a kill, is the same document twice.
 */
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import pLimit from "p-limit";
import { EdaError } from "../../domain/errors.ts";
import { safeSegment } from "../../domain/names.ts";
import type { LogLine } from "../../domain/run.ts";
import { type Entry, parseEntry, runOf } from "./entry.ts";
import type { OnNotice } from "./notice.ts";
import { appendLines, mendFile, readLines } from "./spool-file.ts";

const ENDING = ".ndjson";
const BATCH_BYTES = 1024 * 1024;
/** Where the disk takes nothing, so much waits in memory: lost by a kill, not by a moment without space. */
const MAX_HELD_BYTES = 8 * 1024 * 1024;

export interface SpoolOptions {
  /** Of this process alone; made when it is missing. */
  readonly folder: string;
  /** The spool takes no more than this. */
  readonly maxBytes: number;
  readonly onNotice: OnNotice;
}

export interface Batch {
  readonly entries: readonly Entry[];
  /** All of it is delivered. */
  done(): Promise<void>;
}

export interface Spool {
  isEmpty(): boolean;
  /** Bytes that wait, on disk and in memory. */
  waitingBytes(): number;
  /** @throws EdaError `terminal` `log-lost` when neither disk nor memory takes them */
  add(entries: readonly Entry[]): Promise<void>;
  /** The oldest of a run; undefined when nothing waits. */
  next(): Promise<Batch | undefined>;
  /** Lines of a run with a number above `after`, in order, at most `limit`; undefined when no line of it waits. */
  lines(run: string, after: number, limit: number): Promise<readonly LogLine[] | undefined>;
  /** Writes down what is in memory, if it can. */
  close(): Promise<void>;
}

interface WaitingFile {
  readonly path: string;
  size: number;
  delivered: number;
}

interface Held {
  readonly entry: Entry;
  readonly bytes: number;
}

export async function openSpool({ folder, maxBytes, onNotice }: SpoolOptions): Promise<Spool> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const files = await mendAll(folder);
  const lock = pLimit(1);
  let held: readonly Held[] = [];
  let isFull = false;
  let unreadable = 0;

  const bytesOnDisk = () => [...files.values()].reduce((sum, { size }) => sum + size, 0);
  const bytesHeld = () => held.reduce((sum, { bytes }) => sum + bytes, 0);

  const write = async (entries: readonly Entry[]) => {
    for (const [name, text] of textOfRuns(entries)) {
      if (bytesOnDisk() + Buffer.byteLength(text) > maxBytes) throw new Error(`its bound of ${maxBytes} bytes is reached`);
      const file = files.get(name) ?? { path: join(folder, name), size: 0, delivered: 0 };
      file.size = await appendLines(file.path, file.size, text);
      files.set(name, file);
    }
  };
  const writeOrHold = async (entries: readonly Entry[]) => {
    const waiting = [...held, ...entries.map((entry) => ({ entry, bytes: Buffer.byteLength(JSON.stringify(entry)) }))];
    try {
      await write(waiting.map(({ entry }) => entry));
      held = [];
      isFull = false;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (!isFull) onNotice({ level: "error", code: "spool-full", message: `The spool in ${folder} takes no more log lines: ${reason}` });
      isFull = true;
      if (waiting.reduce((sum, { bytes }) => sum + bytes, 0) > MAX_HELD_BYTES) throw lost(entries.length, folder, reason);
      held = waiting;
    }
  };
  const parsed = (text: string): Entry[] => {
    const entry = parseEntry(text);
    if (entry !== undefined) return [entry];
    unreadable += 1;
    if (unreadable === 1) {
      onNotice({
        level: "warn",
        code: "spool-damaged",
        message: `The spool in ${folder} holds lines that cannot be read; they are left out.`,
      });
    }
    return [];
  };
  const batchOf = async (name: string, file: WaitingFile): Promise<Batch> => {
    const entries: Entry[] = [];
    let end = file.delivered;
    for await (const line of readLines(file.path, file.delivered, file.size)) {
      entries.push(...parsed(line.text));
      end = line.end;
      if (end - file.delivered >= BATCH_BYTES) break;
    }
    const done = () =>
      lock(async () => {
        file.delivered = end;
        if (file.delivered < file.size) return;
        files.delete(name);
        await rm(file.path, { force: true });
      });
    return { entries, done };
  };

  return {
    isEmpty: () => files.size === 0 && held.length === 0,
    waitingBytes: () => bytesOnDisk() + bytesHeld(),
    add: (entries) => lock(() => writeOrHold(entries)),
    async next() {
      const [oldest] = files;
      if (oldest !== undefined) return batchOf(...oldest);
      if (held.length === 0) return undefined;
      const sent = new Set(held);
      const done = () =>
        lock(async () => {
          held = held.filter((each) => !sent.has(each));
        });
      return { entries: [...sent].map(({ entry }) => entry), done };
    },
    async lines(run, after, limit) {
      const file = files.get(fileName(run));
      const inMemory = held.map(({ entry }) => entry).filter((entry) => runOf(entry) === run);
      let some = false;
      const found = new Map<number, LogLine>();
      const take = (entry: Entry) => {
        if (!("line" in entry) || entry.line.run !== run) return;
        some = true;
        if (entry.line.sequence > after && !found.has(entry.line.sequence)) found.set(entry.line.sequence, entry.line);
      };
      if (file !== undefined) for await (const { text } of stillThere(readLines(file.path, 0, file.size))) parsed(text).forEach(take);
      inMemory.forEach(take);
      return some ? [...found.values()].sort((a, b) => a.sequence - b.sequence).slice(0, limit) : undefined;
    },
    close: () =>
      lock(async () => {
        if (held.length > 0) await writeOrHold([]);
        if (held.length > 0) throw lost(held.length, folder, "the host ends");
      }),
  };
}

/** Files of earlier processes, without the line that a kill cut short. */
async function mendAll(folder: string): Promise<Map<string, WaitingFile>> {
  const files = new Map<string, WaitingFile>();
  for (const name of (await readdir(folder)).filter((each) => each.endsWith(ENDING)).sort()) {
    const path = join(folder, name);
    const size = await mendFile(path);
    if (size > 0) files.set(name, { path, size, delivered: 0 });
  }
  return files;
}

/** A file that is delivered meanwhile is gone: its lines are in the store then. */
async function* stillThere<T>(lines: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* lines;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

function fileName(run: string): string {
  return `${safeSegment(run)}${ENDING}`;
}

function textOfRuns(entries: readonly Entry[]): Map<string, string> {
  const texts = new Map<string, string>();
  for (const entry of entries) {
    const name = fileName(runOf(entry));
    texts.set(name, `${texts.get(name) ?? ""}${JSON.stringify(entry)}\n`);
  }
  return texts;
}

function lost(count: number, folder: string, reason: string): EdaError {
  return new EdaError("terminal", "log-lost", `${count} log lines were lost: MongoDB is away and ${folder} takes no more (${reason}).`, {
    todo: "Free some space and see that MongoDB runs.",
  });
}
