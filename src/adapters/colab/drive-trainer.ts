/**
 * Training through Drive: the job folder lies there, a person opens its notebook in Colab, and everything else is read from the files that
 * the runtime leaves. Datasets lie beside the jobs, once by their content.
 */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { EdaError, toEdaError } from "../../domain/errors.ts";
import { JOB_FILES } from "../../domain/job/format.ts";
import { jobFiles } from "../../domain/job/prepare.ts";
import type { Drive, DriveFile } from "../../ports/drive.ts";
import type { JobFolder, JobFolderFile, JobParcel, JobTrainer, PreparedJob } from "../../ports/job-trainer.ts";

const JOBS = ["eda", "jobs"] as const;
const DATASETS = ["eda", "datasets"] as const;
const POLL_MS = 10_000;
/** A folder that was just made may not be listed yet. */
const VISIBLE_AFTER_MS = 5 * 60_000;

export interface DriveTrainerOptions {
  readonly drive: Drive;
  /** Folder below which `eda/jobs` and `eda/datasets` lie, as the drive's own addresses have it: a path that can be extended. */
  readonly root: string;
  /** The same as a runtime sees it, below My Drive or a shared drive: `` for the top. Undefined where no runtime mounts it. */
  readonly mountedRoot: string | undefined;
  /** Where a file of the drive is opened in Colab; undefined for a drive that Colab does not know. */
  readonly openUrl: ((fileId: string) => string) | undefined;
  /** Folder for files on their way; made when missing. */
  readonly scratchFolder: string;
  readonly pollMs?: number;
  readonly visibleAfterMs?: number;
}

const placeSchema = z.object({ job: z.string(), preparedAt: z.number() });

export function openDriveTrainer(options: DriveTrainerOptions): JobTrainer {
  const { drive, root } = options;
  const folderOf = (job: string) => [root.replace(/\/+$/u, ""), ...JOBS, job].join("/");
  /** Jobs whose folder was listed once: when it is not any more, it is gone. */
  const seen = new Set<string>();

  async function putText(segments: readonly string[], text: string, signal: AbortSignal): Promise<string> {
    await mkdir(options.scratchFolder, { recursive: true });
    const folder = await mkdtemp(join(options.scratchFolder, "job-"));
    try {
      const file = join(folder, "file");
      await writeFile(file, text);
      return (await drive.upload(root, segments, file, signal)).id;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  async function prepare({ request, data }: JobParcel, signal: AbortSignal): Promise<PreparedJob> {
    const { job } = request;
    // Seen from `eda/jobs/<job>`.
    const inputs = request.inputs.map((input) => ({ ...input, from: `../../${DATASETS.at(-1)}/${input.sha256}` }));
    const drivePath = options.mountedRoot === undefined ? {} : { drivePath: [options.mountedRoot, ...JOBS, job].filter(Boolean).join("/") };
    const files = jobFiles({ ...request, inputs, ...drivePath });
    for (const { path, sha256 } of inputs) await drive.upload(root, [...DATASETS, sha256], data.get(path) as string, signal);
    let notebook = "";
    // In the order that jobFiles gives: job.json last.
    for (const [name, text] of Object.entries(files)) {
      const id = await putText([...JOBS, job, name], text, signal);
      if (name === JOB_FILES.notebook) notebook = id;
    }
    return { files, place: { at: { job, preparedAt: Date.now() }, openUrl: options.openUrl?.(notebook) ?? null } };
  }

  function folder(job: string, preparedAt: number): JobFolder {
    const listed = new Map<string, DriveFile>();
    const list = async (signal: AbortSignal) => {
      try {
        const { files } = await drive.list(folderOf(job), signal);
        seen.add(job);
        return files;
      } catch (error) {
        const failure = toEdaError(error);
        if (failure.code !== "drive-folder-not-found") throw failure;
        const isYoung = Date.now() - preparedAt < (options.visibleAfterMs ?? VISIBLE_AFTER_MS);
        throw !seen.has(job) && isYoung ? notYet(failure) : missing(folderOf(job), failure);
      }
    };
    return {
      async list(signal) {
        const files = await list(signal);
        listed.clear();
        return files.map((file) => {
          const listing = listingOf(file);
          listed.set(keyOf(listing), file);
          return listing;
        });
      },
      async read(file, signal) {
        const source = listed.get(keyOf(file));
        if (source === undefined) throw new EdaError("transient", "drive-file-changed", `${file.path} is no longer as it was listed.`);
        return drive.read(folderOf(job), source, signal);
      },
    };
  }

  return {
    name: options.openUrl === undefined ? `${drive.description}, a person's runtime` : `${drive.description}, Colab`,
    runtime: null,
    startsAttempts: false,
    pollMs: options.pollMs ?? POLL_MS,
    limits: {},
    prepare,
    folder: ({ at }) => {
      const { job, preparedAt } = placeSchema.parse(at);
      return folder(job, preparedAt);
    },
    start: async () => false,
    trouble: async () => undefined,
    async cancel({ at }) {
      const { job } = placeSchema.parse(at);
      await putText([...JOBS, job, JOB_FILES.cancel], "", new AbortController().signal);
      return false;
    },
    release: async () => undefined,
  };
}

function listingOf({ id, segments, size, sha256, createdAt, version }: DriveFile): JobFolderFile {
  const storedAt = createdAt === null ? null : Date.parse(createdAt);
  return { path: segments.join("/"), size, sha256, storedAt, version: `${id}.${version}` };
}

/** Drive can hold two files of one name. */
function keyOf({ path, version }: JobFolderFile): string {
  return `${path}\n${version}`;
}

function notYet(cause: EdaError): EdaError {
  return new EdaError("transient", "job-folder-not-visible", "The job folder is not listed yet.", { cause });
}

function missing(folder: string, cause: EdaError): EdaError {
  return new EdaError("terminal", "job-folder-missing", `The job folder ${folder} is gone.`, {
    todo: "Somebody removed it, and its checkpoints with it: run the stage again to train anew.",
    cause,
  });
}
