/** Walking `eda/raw-data/<project>/`: what is there, what is refused, and what cannot be read. */
import { constants } from "node:fs";
import { access, lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import pLimit from "p-limit";
import { toEdaError } from "../domain/errors.ts";
import { RAW_DATA_FOLDER } from "../domain/governed.ts";

/** A regular file as `lstat` gives it. Times in nanoseconds since the epoch, as decimal text. */
export interface RawFile {
  /** Relative to the folder, `/`-separated, NFC. */
  readonly path: string;
  /** The same as it is spelled on disk, which may be NFD. */
  readonly diskPath: string;
  readonly size: number;
  readonly mtimeNs: string;
  readonly ctimeNs: string;
  readonly inode: string;
}

export interface RawFolder {
  /** Ordered by path. */
  readonly files: readonly RawFile[];
  readonly refused: readonly { readonly path: string; readonly reason: string }[];
  readonly unreadable: readonly { readonly path: string; readonly reason: string }[];
}

/** Enough to keep the thread pool busy; more only queues. */
const CONCURRENT_STATS = 32;

export function rawFolder(workspace: string, project: string): string {
  return join(workspace, RAW_DATA_FOLDER, project);
}

export async function walkRawFolder(root: string, signal: AbortSignal): Promise<RawFolder> {
  const files: RawFile[] = [];
  const refused: { path: string; reason: string }[] = [];
  const unreadable: { path: string; reason: string }[] = [];
  const limit = pLimit(CONCURRENT_STATS);
  const folders = [""];
  for (const folder of folders) {
    signal.throwIfAborted();
    const entries = await readdir(join(root, folder), { withFileTypes: true }).catch((error: unknown) => {
      unreadable.push({ path: folder, reason: toEdaError(error).message });
      return [];
    });
    await Promise.all(
      entries.map((entry) =>
        limit(async () => {
          const diskPath = folder === "" ? entry.name : `${folder}/${entry.name}`;
          if (entry.isDirectory()) folders.push(diskPath);
          else if (entry.isSymbolicLink())
            refused.push({ path: diskPath, reason: "symbolic links are not followed: copy the file itself here" });
          else if (!entry.isFile()) refused.push({ path: diskPath, reason: "not a regular file" });
          else files.push(await describe(root, diskPath));
        }).catch((error: unknown) => {
          unreadable.push({ path: folder === "" ? entry.name : `${folder}/${entry.name}`, reason: toEdaError(error).message });
        }),
      ),
    );
  }
  files.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : a.diskPath < b.diskPath ? -1 : 1));
  return { files, refused, unreadable };
}

/** @throws the system's error when the file cannot be opened for reading */
export async function assertReadable(root: string, file: RawFile): Promise<void> {
  await access(join(root, file.diskPath), constants.R_OK);
}

async function describe(root: string, diskPath: string): Promise<RawFile> {
  const stats = await lstat(join(root, diskPath), { bigint: true });
  return {
    path: diskPath.normalize("NFC"),
    diskPath,
    size: Number(stats.size),
    mtimeNs: stats.mtimeNs.toString(),
    ctimeNs: stats.ctimeNs.toString(),
    inode: stats.ino.toString(),
  };
}
