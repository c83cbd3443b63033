/** Walking `eda/raw-data/<project>/`: what is there, what is refused, and what cannot be read. */
import { type BigIntStats, constants, type Dirent } from "node:fs";
import { access, lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
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
  /** Disk paths of the files whose owner and mode do not say that they can be read: {@link assertReadable} has to. */
  readonly doubtful: ReadonlySet<string>;
}

/** Enough to keep the thread pool busy; more only queues. */
const CONCURRENT_STATS = 8;

export function rawFolder(workspace: string, project: string): string {
  return join(workspace, RAW_DATA_FOLDER, project);
}

export async function walkRawFolder(root: string, signal: AbortSignal): Promise<RawFolder> {
  const files: RawFile[] = [];
  const refused: { path: string; reason: string }[] = [];
  const unreadable: { path: string; reason: string }[] = [];
  const doubtful = new Set<string>();
  const folders = [""];
  for (const folder of folders) {
    signal.throwIfAborted();
    const entries = await readdir(join(root, folder), { withFileTypes: true }).catch((error: unknown) => {
      unreadable.push({ path: folder, reason: toEdaError(error).message });
      return [];
    });
    const visit = async (entry: Dirent) => {
      const diskPath = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) folders.push(diskPath);
      else if (entry.isSymbolicLink())
        refused.push({ path: diskPath, reason: "symbolic links are not followed: copy the file itself here" });
      else if (!entry.isFile()) refused.push({ path: diskPath, reason: "not a regular file" });
      else {
        const stats = await lstat(join(root, diskPath), { bigint: true });
        files.push(describe(diskPath, stats));
        if (!isSurelyReadable(stats)) doubtful.add(diskPath);
      }
    };
    // One iterator for all of them: an object for each of the entries at once would be megabytes.
    const pending = entries.values();
    const visitPending = async () => {
      for (const entry of pending) {
        await visit(entry).catch((error: unknown) => {
          unreadable.push({ path: folder === "" ? entry.name : `${folder}/${entry.name}`, reason: toEdaError(error).message });
        });
      }
    };
    await Promise.all(Array.from({ length: CONCURRENT_STATS }, visitPending));
  }
  files.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : a.diskPath < b.diskPath ? -1 : 1));
  return { files, refused, unreadable, doubtful };
}

/** @throws the system's error when the file cannot be opened for reading */
export async function assertReadable(root: string, file: RawFile): Promise<void> {
  await access(join(root, file.diskPath), constants.R_OK);
}

/** The superuser reads everything, and an owner has what the mode says whatever else an access list grants. */
function isSurelyReadable({ uid, mode }: BigIntStats): boolean {
  const user = process.geteuid?.();
  return user === 0 || (user === Number(uid) && (mode & BigInt(constants.S_IRUSR)) !== 0n);
}

function describe(diskPath: string, { size, mtimeNs, ctimeNs, ino }: BigIntStats): RawFile {
  return {
    path: diskPath.normalize("NFC"),
    diskPath,
    size: Number(size),
    mtimeNs: mtimeNs.toString(),
    ctimeNs: ctimeNs.toString(),
    inode: ino.toString(),
  };
}
