/** Notes of the multipart uploads under way, so that a process finds what its killed predecessor left on the server. */
import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { BUCKETS, type BucketName } from "../../domain/stage.ts";

export interface NotedUpload {
  readonly bucket: BucketName;
  readonly key: string;
  /** What its version would say of itself. */
  readonly storedAt: string;
  /** Absent when the process was killed before the server had answered. */
  readonly uploadId?: string;
}

export interface UploadNote {
  /** Call it when the server has given the upload its id. */
  started(uploadId: string): Promise<void>;
  /** The upload is complete or aborted. */
  end(): Promise<void>;
  /** It could not be aborted: {@link UploadNotes.settle} does that. */
  leave(): void;
}

export interface UploadNotes {
  begin(upload: NotedUpload): Promise<UploadNote>;
  /** Hands each upload over that an earlier process or this one left, and forgets it once that is done. */
  settle(abort: (upload: NotedUpload) => Promise<void>): Promise<void>;
}

/** @param folder of this process alone; undefined: nothing is noted */
export function openUploadNotes(folder: string | undefined): UploadNotes {
  if (folder === undefined) {
    const note: UploadNote = { started: () => Promise.resolve(), end: () => Promise.resolve(), leave: () => undefined };
    return { begin: () => Promise.resolve(note), settle: () => Promise.resolve() };
  }
  const mine = new Set<string>();
  return {
    async begin(upload) {
      const name = `${randomUUID()}.json`;
      const file = join(folder, name);
      const write = (noted: NotedUpload) => writeFile(file, JSON.stringify(noted));
      await mkdir(folder, { recursive: true });
      mine.add(name);
      await write(upload);
      return {
        started: (uploadId) => write({ ...upload, uploadId }),
        async end() {
          await rm(file, { force: true });
          mine.delete(name);
        },
        leave() {
          mine.delete(name);
        },
      };
    },

    async settle(abort) {
      for (const name of await namesIn(folder)) {
        if (mine.has(name)) continue;
        const file = join(folder, name);
        const upload = parsed(await readFile(file, "utf8"));
        if (upload !== undefined) await abort(upload);
        await rm(file, { force: true });
      }
    },
  };
}

async function namesIn(folder: string): Promise<string[]> {
  return await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
}

/** Undefined for a note that was cut short: its upload had not begun. */
function parsed(text: string): NotedUpload | undefined {
  try {
    const { bucket, key, storedAt, uploadId } = JSON.parse(text) as Record<string, unknown>;
    const known = BUCKETS.find((name) => name === bucket);
    if (known === undefined || typeof key !== "string" || typeof storedAt !== "string") return undefined;
    return { bucket: known, key, storedAt, ...(typeof uploadId === "string" ? { uploadId } : {}) };
  } catch {
    return undefined;
  }
}
