/** A trainer whose job folders lie in memory: what a runtime would write there is what the test puts there. */
import { Readable } from "node:stream";
import { EdaError } from "../../src/domain/errors.ts";
import type { Beat, Done } from "../../src/domain/job/format.ts";
import { jobFiles } from "../../src/domain/job/prepare.ts";
import { sealedText } from "../../src/domain/job/seal.ts";
import { sha256Hex } from "../../src/domain/json.ts";
import type { JobTrainer } from "../../src/ports/job-trainer.ts";
import { beatOf, doneOf, FIRST } from "./job-documents.ts";

export interface MemoryFolder {
  readonly job: string;
  readonly files: Map<string, { readonly bytes: Buffer; readonly storedAt: number }>;
  /** @param storedAt milliseconds since 1970; now by default */
  put(path: string, content: string, storedAt?: number): void;
  /** A beat of now, with what is changed of it. */
  beat(attempt: string, sequence: number, change?: Partial<Beat>): void;
  /** Results of an attempt and their DONE.json, which is left to {@link put} to spoil. */
  finish(attempt: string, results: Readonly<Record<string, string>>, change?: Partial<Done>): void;
  /** Somebody deletes it. */
  remove(): void;
  isRemoved: boolean;
}

export interface MemoryTrainer extends JobTrainer {
  readonly folders: Map<string, MemoryFolder>;
  /** Places that were asked to stop, and those released. */
  readonly told: string[];
}

export interface MemoryTrainerOptions {
  readonly startsAttempts?: boolean;
  /** Plays the runtime. @param attempt 1 for the first */
  readonly onStart?: (folder: MemoryFolder, attempt: number) => void | Promise<void>;
}

export function memoryTrainer({ startsAttempts = true, onStart = () => undefined }: MemoryTrainerOptions = {}): MemoryTrainer {
  const folders = new Map<string, MemoryFolder>();
  const starts = new Map<string, number>();
  const told: string[] = [];
  const folderOf = (place: { readonly at: { readonly job?: unknown } }) => folders.get(String(place.at.job)) as MemoryFolder;
  return {
    name: "test",
    runtime: "test",
    startsAttempts,
    pollMs: 10,
    limits: {},
    folders,
    told,
    async prepare({ request }) {
      const files = jobFiles(request);
      const folder = memoryFolder(request.job);
      for (const [path, text] of Object.entries(files)) folder.put(path, text);
      folders.set(request.job, folder);
      return { files, place: { at: { job: request.job }, openUrl: startsAttempts ? null : "https://colab.research.google.com/drive/x" } };
    },
    folder: (place) => ({
      async list() {
        const folder = folderOf(place);
        if (folder.isRemoved)
          throw new EdaError("terminal", "job-folder-missing", "The job folder is gone.", { todo: "Run the stage again." });
        return [...folder.files].map(([path, { bytes, storedAt }]) => ({
          path,
          size: bytes.length,
          sha256: null,
          storedAt,
          version: sha256Hex(bytes),
        }));
      },
      read: async ({ path }) => Readable.from([folderOf(place).files.get(path)?.bytes ?? Buffer.alloc(0)]),
    }),
    async start(place) {
      const number = (starts.get(folderOf(place).job) ?? 0) + 1;
      starts.set(folderOf(place).job, number);
      await onStart(folderOf(place), number);
      return true;
    },
    trouble: async () => undefined,
    async cancel(place) {
      told.push(`cancel ${folderOf(place).job}`);
      return true;
    },
    async release(place) {
      told.push(`release ${folderOf(place).job}`);
    },
  };
}

function memoryFolder(job: string): MemoryFolder {
  const files: MemoryFolder["files"] = new Map();
  const folder: MemoryFolder = {
    job,
    files,
    isRemoved: false,
    put(path, content, storedAt = Date.now()) {
      files.set(path, { bytes: Buffer.from(content), storedAt });
    },
    beat(attempt, sequence, change = {}) {
      const beat = beatOf(attempt, sequence, { job, at: new Date().toISOString(), ...change });
      folder.put(`beats/${attempt}-${String(sequence).padStart(6, "0")}.json`, sealedText(beat));
    },
    finish(attempt, files, change = {}) {
      const results = Object.fromEntries(Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1)));
      for (const [name, text] of Object.entries(results)) folder.put(`results/${attempt}/${name}`, text);
      const artefacts = Object.entries(results).map(([name, text]) => ({
        name,
        path: `results/${attempt}/${name}`,
        size: Buffer.byteLength(text),
        sha256: sha256Hex(text),
        role: name === "metrics.json" ? ("metrics" as const) : ("result" as const),
      }));
      const at = new Date().toISOString();
      folder.put("DONE.json", sealedText(doneOf(attempt, 1, { job, at, startedAt: at, artefacts, ...change })));
    },
    remove() {
      folder.isRemoved = true;
    },
  };
  return folder;
}

/** Its one attempt leaves these results at once. */
export function writingTrainer(results: Readonly<Record<string, string>>): JobTrainer {
  return memoryTrainer({
    onStart(folder) {
      folder.finish(FIRST, results, {
        metrics: { mae: 0.5 },
        accelerator: { kind: "cpu", name: "cpu", uuid: null, memoryMiB: null },
      });
    },
  });
}
