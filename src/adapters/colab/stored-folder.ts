/** A job folder in a bucket. */
import { EdaError } from "../../domain/errors.ts";
import type { JobFolder, JobFolderFile } from "../../ports/job-trainer.ts";
import type { Bucket, StoredObject } from "./storage.ts";

/** Colab Enterprise puts the executed notebook below it, under a name of its own. */
const EXECUTED = /^executed\/.+\.ipynb$/u;
/** Nobody reads them here. */
const LEFT_OUT = /^(?:checkpoints|executions|data)\//u;
const EXECUTED_NOTEBOOK = "executed.ipynb";

/** @param folder name of its objects, without a slash at its end */
export function openStoredFolder(bucket: Bucket, folder: string): JobFolder {
  const listed = new Map<string, StoredObject>();
  return {
    async list(signal) {
      const objects = await bucket.list(`${folder}/`, signal);
      if (objects.length === 0) throw missing(bucket.uri(folder));
      listed.clear();
      const files: JobFolderFile[] = [];
      for (const object of objects) {
        const path = object.name.slice(folder.length + 1);
        if (LEFT_OUT.test(path)) continue;
        const file = described(path, object);
        files.push(file);
        listed.set(keyOf(file), object);
      }
      const [executed] = files.filter(({ path }) => EXECUTED.test(path)).sort((a, b) => (b.storedAt ?? 0) - (a.storedAt ?? 0));
      if (executed === undefined) return files;
      const asNotebook = { ...executed, path: EXECUTED_NOTEBOOK };
      listed.set(keyOf(asNotebook), listed.get(keyOf(executed)) as StoredObject);
      return [...files, asNotebook];
    },
    async read(file, signal) {
      const object = listed.get(keyOf(file));
      const body = object === undefined ? undefined : await bucket.read(object.name, object.generation, signal);
      if (body === undefined) throw new EdaError("transient", "stored-file-changed", `${file.path} is no longer as it was listed.`);
      return body;
    },
  };
}

function described(path: string, { size, generation, timeCreated }: StoredObject): JobFolderFile {
  // Cloud Storage knows MD5 and CRC32C, and no SHA-256.
  return { path, size: Number(size), sha256: null, storedAt: Date.parse(timeCreated), version: generation };
}

function keyOf({ path, version }: JobFolderFile): string {
  return `${path}\n${version}`;
}

function missing(uri: string): EdaError {
  return new EdaError("terminal", "job-folder-missing", `The job folder ${uri} is gone.`, {
    todo: "Somebody removed it, and its checkpoints with it: run the stage again to train anew.",
  });
}
