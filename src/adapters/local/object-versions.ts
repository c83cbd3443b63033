/** One folder a version, its metadata, and the order of versions of a key. */
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { v7 as uuidV7 } from "uuid";
import { z } from "zod";
import { EdaError } from "../../domain/errors.ts";
import { BUCKETS } from "../../domain/stage.ts";
import type { ObjectInfo } from "../../ports/object-store.ts";
import { METADATA_FILE } from "./object-layout.ts";
import { isMissing } from "./system-errors.ts";

const hex = (digits: number) => z.string().regex(new RegExp(`^[0-9a-f]{${digits}}$`, "u"));

const metadataSchema = z.strictObject({
  bucket: z.enum(BUCKETS as [(typeof BUCKETS)[number], ...typeof BUCKETS]),
  key: z.string().min(1),
  versionId: z.uuid(),
  size: z.int().nonnegative(),
  md5: hex(32),
  sha256: hex(64),
  mediaType: z.string(),
  run: z.string(),
  storedAt: z.iso.datetime(),
}) satisfies z.ZodType<ObjectInfo>;

export function isVersionId(text: string): boolean {
  return /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/u.test(text);
}

/**
 * A version id that sorts after the latest one: a UUID version 7 (RFC 9562), which starts with the time in milliseconds. A clock that
 * was set back does not make a new version look old.
 */
export function nextVersionId(latest: string | undefined): string {
  const id = uuidV7();
  if (latest === undefined || id > latest) return id;
  return uuidV7({ msecs: Number.parseInt(latest.replace("-", "").slice(0, 12), 16) + 1 });
}

/** Version ids in a key's folder, oldest first. */
export async function versionIds(keyFolder: string): Promise<string[]> {
  try {
    return (await readdir(keyFolder)).filter(isVersionId).sort();
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/**
 * Undefined when there is no such version.
 * @throws EdaError `terminal` `object-metadata-missing`, or `object-metadata-corrupt` also when it is another object's
 */
export async function readMetadata(
  keyFolder: string,
  address: Pick<ObjectInfo, "bucket" | "key" | "versionId">,
): Promise<ObjectInfo | undefined> {
  const folder = join(keyFolder, address.versionId);
  const file = join(folder, METADATA_FILE);
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if (!isMissing(error)) throw error;
    if (!(await exists(folder))) return undefined;
    throw damaged("object-metadata-missing", `${file} is missing`, error);
  }
  const parsed = metadataSchema.safeParse(parseJson(text));
  if (!parsed.success) throw damaged("object-metadata-corrupt", `${file} cannot be read: ${z.prettifyError(parsed.error)}`, parsed.error);
  const info = parsed.data;
  if (info.bucket !== address.bucket || info.key !== address.key || info.versionId !== address.versionId) {
    throw damaged("object-metadata-corrupt", `${file} describes ${info.bucket}/${info.key}@${info.versionId} instead of its own object`);
  }
  return info;
}

function damaged(code: string, message: string, cause?: unknown): EdaError {
  return new EdaError("terminal", code, `${message}.`, {
    todo: "Restore the object store's folder from a backup, or check what was changed in it with: eda verify",
    cause,
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
