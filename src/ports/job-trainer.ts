import type { Readable } from "node:stream";
import type { EdaError } from "../domain/errors.ts";
import type { JobLimits } from "../domain/job/limits.ts";
import type { JobRequest } from "../domain/job/prepare.ts";
import type { JsonObject } from "../domain/json.ts";

/** A file in a job folder, as its storage lists it. What the storage does not say is null. */
export interface JobFolderFile {
  /** Relative to the job folder, with `/`. */
  readonly path: string;
  /** Bytes. */
  readonly size: number | null;
  /** Lower-case hexadecimal. */
  readonly sha256: string | null;
  /** When the storage took it, by its own clock. Milliseconds since 1970. */
  readonly storedAt: number | null;
  /** Changes whenever the content may have. */
  readonly version: string;
}

/** A job folder (docs/job-format.md) as we see it, wherever it lies. */
export interface JobFolder {
  /**
   * Everything in it, in any order. Checkpoints may be left out.
   * @throws EdaError `terminal` `job-folder-missing`; `transient`, `unavailable` or `precondition` when a later look may do
   */
  list(signal: AbortSignal): Promise<readonly JobFolderFile[]>;
  /** @throws EdaError `transient` when the file is no longer as listed */
  read(file: JobFolderFile, signal: AbortSignal): Promise<Readable>;
}

/** What a trainer prepares a job from. */
export interface JobParcel {
  /** `inputs` lie under `path` in the folder; a trainer that keeps them elsewhere adds `from`. */
  readonly request: Omit<JobRequest, "drivePath">;
  /** Local file by `path` of the inputs: read only. */
  readonly data: ReadonlyMap<string, string>;
}

/** Where a job is: plain data, kept with the job. */
export interface JobPlace {
  /** What the trainer finds its job by. */
  readonly at: JsonObject;
  /** Where a person opens the prepared notebook, for trainers where a person does. */
  readonly openUrl: string | null;
}

export interface PreparedJob {
  readonly place: JobPlace;
  /** What `jobFiles` gave: text by name in the folder. */
  readonly files: Readonly<Record<"notebook.ipynb" | "eda_job.py" | "job.json", string>>;
}

/**
 * Carries a job folder to a runtime. It knows nothing of states: whoever follows the job reads its folder, and asks the trainer for what
 * lies in no file. Every operation may be asked for again, by a later life of the host too, with the place as it was kept.
 */
export interface JobTrainer {
  /** For people: `jupyter local`, `Google Drive, Colab`. */
  readonly name: string;
  /** How its runtimes are called in records (`Acelerador: cpu, jupyter local`); null: as the runtime itself says. */
  readonly runtime: string | null;
  /** What a person must know before it trains: costs, limits of its own. */
  readonly notice?: string;
  /** Whether it starts attempts by itself; otherwise a person does, at {@link JobPlace.openUrl} or in the folder. */
  readonly startsAttempts: boolean;
  /** Between two looks into the folder, milliseconds. */
  readonly pollMs: number;
  /** Times that fit it better than those for everybody; what a person sets goes before. */
  readonly limits: Partial<JobLimits>;
  /**
   * Puts the job where a runtime finds it: data first, `job.json` last. Idempotent by job id; data that are there already by their hash
   * are not sent again.
   * @throws EdaError of the storage: full, away, not signed in
   */
  prepare(parcel: JobParcel, signal: AbortSignal): Promise<PreparedJob>;
  folder(place: JobPlace): JobFolder;
  /**
   * Starts an attempt, unless one is at work or being started; does nothing where a person starts them. Answers when the runtime was asked
   * for, not when it ends: what becomes of it is read in the folder and asked with {@link trouble}.
   * @param signal ends attempts that live in this process
   * @returns whether it started one: those before it, if any, are then gone for sure
   */
  start(place: JobPlace, signal: AbortSignal): Promise<boolean>;
  /** Why the newest attempt cannot go on, as far as the folder does not tell: kernel dead, runtime refused. Cleared by {@link start}. */
  trouble(place: JobPlace, signal: AbortSignal): Promise<EdaError | undefined>;
  /**
   * Writes `CANCEL` and stops the runtime, its own way.
   * @returns whether nothing of the job is at work any more for sure
   */
  cancel(place: JobPlace): Promise<boolean>;
  /** Frees what the job still holds of a runtime. Called at every end of a job, also after {@link cancel}. */
  release(place: JobPlace): Promise<void>;
  /** The job is over, and what is wanted of it was taken: what of it lies on this machine may go. */
  discard?(place: JobPlace): Promise<void>;
}
