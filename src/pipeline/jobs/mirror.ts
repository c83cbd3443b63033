/**
 * What this host keeps of a training job, as plain files below `.eda/jobs/<job>`: `host.json` (place, status), `job.json`, and what was read
 * of the job folder so far (`beats/`, `logs/`, `done/`, `results/`). A file's time is when the storage took it. Jobs thereby outlive
 * host and machine: whoever starts next reads itself up again.
 */
import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { STATE_FOLDER } from "../../domain/governed.ts";
import { type JobDocument, readJobDocument } from "../../domain/job/format.ts";
import type { JobStatus } from "../../domain/job/status.ts";
import type { JobPlace } from "../../ports/job-trainer.ts";
import { isErrno } from "./errno.ts";

const JOBS_FOLDER = "jobs";
const HOST_FILE = "host.json";
const JOB_ID = /^[0-9a-z][0-9a-z-]{0,62}$/u;

/** A dataset that the job reads, as it lies in the object store. */
export interface KeptInput {
  readonly name: string;
  readonly size: number;
  readonly sha256: string;
  readonly object: { readonly bucket: string; readonly key: string; readonly versionId: string };
}

/** `host.json` */
export interface KeptJob {
  readonly version: 1;
  readonly job: string;
  readonly project: string;
  readonly run: string;
  /** For people. */
  readonly trainer: string;
  /** See `JobTrainer.runtime`. */
  readonly runtime: string | null;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  /** Null until the trainer has it. */
  readonly place: JobPlace | null;
  readonly status: JobStatus;
  readonly inputs: readonly KeptInput[];
}

export interface MirroredFile {
  readonly path: string;
  readonly text: string;
  /** Milliseconds since 1970. */
  readonly storedAt: number;
}

export interface JobMirror {
  /** Absolute. */
  readonly folder: string;
  kept(): Promise<KeptJob | undefined>;
  keep(job: KeptJob): Promise<void>;
  document(): Promise<JobDocument | undefined>;
  /** Whole or not at all. @param storedAt milliseconds since 1970; null is now */
  write(path: string, text: string, storedAt?: number | null): Promise<void>;
  /** Names in one of its folders, ordered. */
  names(folder: "beats" | "logs" | "done"): Promise<readonly string[]>;
  read(path: string): Promise<MirroredFile>;
  /** Results are kept until they are published; what a person looks at later stays. */
  removeResults(): Promise<void>;
}

export function openJobMirror(workspace: string, job: string): JobMirror {
  if (!JOB_ID.test(job)) throw new RangeError(`not a job id: ${JSON.stringify(job)}`);
  const folder = join(workspace, STATE_FOLDER, JOBS_FOLDER, job);
  const write = async (path: string, text: string, storedAt: number | null = null) => {
    const target = join(folder, path);
    const partial = `${target}.${randomBytes(4).toString("hex")}.partial`;
    await mkdir(dirname(target), { recursive: true });
    try {
      await writeFile(partial, text);
      if (storedAt !== null) await utimes(partial, storedAt / 1_000, storedAt / 1_000);
      await rename(partial, target);
    } catch (error) {
      await rm(partial, { force: true });
      throw error;
    }
  };
  return {
    folder,
    write,
    kept: async () => {
      const text = await textOf(join(folder, HOST_FILE));
      const kept = text === undefined ? undefined : (JSON.parse(text) as KeptJob);
      return kept?.version === 1 ? kept : undefined;
    },
    keep: (kept) => write(HOST_FILE, `${JSON.stringify(kept, null, 1)}\n`),
    document: async () => {
      const text = await textOf(join(folder, "job.json"));
      const reading = text === undefined ? undefined : readJobDocument(text);
      return reading?.kind === "whole" ? reading.document : undefined;
    },
    names: async (name) => {
      const names = await readdir(join(folder, name)).catch((error: unknown) => {
        if (isErrno(error, "ENOENT")) return [];
        throw error;
      });
      return names.filter((each) => !each.endsWith(".partial")).sort();
    },
    read: async (path) => {
      const file = join(folder, path);
      const [text, { mtimeMs }] = await Promise.all([readFile(file, "utf8"), stat(file)]);
      return { path, text, storedAt: mtimeMs };
    },
    removeResults: () => rm(join(folder, "results"), { recursive: true, force: true }),
  };
}

async function textOf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (isErrno(error, "ENOENT")) return undefined;
    throw error;
  }
}
