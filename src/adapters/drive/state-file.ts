/** Small JSON documents that outlive the host: for its user only, there whole or not at all. */
import { randomUUID } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { z } from "zod";
import { sha256Hex } from "../../domain/json.ts";

export interface StateFiles<T> {
  /** Undefined for what is not there, was cut short, or is of another eda: it is only a memory. */
  read(key: string): Promise<T | undefined>;
  write(key: string, value: T): Promise<void>;
  /** Idempotent. */
  remove(key: string): Promise<void>;
}

/** @param folder made when needed */
export function openStateFiles<S extends z.ZodType>(folder: string, schema: S): StateFiles<z.infer<S>> {
  const fileOf = (key: string) => join(folder, `${sha256Hex(key)}.json`);
  return {
    async read(key) {
      try {
        return schema.parse(JSON.parse(await readFile(fileOf(key), "utf8")));
      } catch {
        return undefined;
      }
    },
    async write(key, value) {
      const file = fileOf(key);
      const partial = `${file}.${randomUUID()}`;
      await mkdir(folder, { recursive: true, mode: 0o700 });
      try {
        await writeFile(partial, JSON.stringify(value), { mode: 0o600, flag: "wx" });
        await rename(partial, file);
      } finally {
        await rm(partial, { force: true });
      }
    },
    remove: (key) => rm(fileOf(key), { force: true }),
  };
}
