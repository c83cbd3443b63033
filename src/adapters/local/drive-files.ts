/** The files of a folder as Drive would list them. */
import { type BigIntStats, constants } from "node:fs";
import { access, lstat, readdir } from "node:fs/promises";
import { userInfo } from "node:os";
import { join } from "node:path";
import pLimit from "p-limit";
import { throwIfAborted } from "../../domain/errors.ts";
import type { DriveFile, DriveListing, DriveRefusal } from "../../ports/drive.ts";
import { isMissing, systemCode } from "./system-errors.ts";

/** Half-written uploads start with it: they are no files yet. */
export const PARTIAL_PREFIX = ".eda-partial-";

/** Enough to keep the thread pool busy; more only queues. */
const CONCURRENT_STATS = 32;

/** Changes with the content and whenever it may have: size, times in nanoseconds, inode. */
export function versionOf({ size, mtimeNs, ctimeNs, ino }: BigIntStats): string {
  return [size, mtimeNs, ctimeNs, ino].join(".");
}

/** Everything below the folder, ordered by path. Symlinks are neither followed nor listed as files: they may lead anywhere. */
export async function listFiles(root: string, signal: AbortSignal): Promise<DriveListing> {
  const files: DriveFile[] = [];
  const refused: DriveRefusal[] = [];
  const limit = pLimit(CONCURRENT_STATS);
  const folders: (readonly string[])[] = [[]];
  for (const parent of folders) {
    throwIfAborted(signal);
    const entries = await readFolder(root, parent, refused);
    await Promise.all(
      entries.map((entry) =>
        limit(async () => {
          const segments = [...parent, entry.name];
          if (entry.isDirectory()) folders.push(segments);
          else if (!entry.name.startsWith(PARTIAL_PREFIX)) await describe(root, segments, files, refused);
        }),
      ),
    );
  }
  const path = (file: DriveFile) => file.segments.join("/");
  return {
    files: files.sort((a, b) => (path(a) < path(b) ? -1 : 1)),
    refused: refused.sort((a, b) => (a.path < b.path ? -1 : 1)),
  };
}

async function readFolder(root: string, segments: readonly string[], refused: DriveRefusal[]) {
  try {
    return await readdir(join(root, ...segments), { withFileTypes: true });
  } catch (error) {
    // A folder removed while it was listed is simply not there; the listed one itself must be.
    if (isMissing(error) && segments.length > 0) return [];
    if (segments.length === 0) throw error;
    refused.push({ path: segments.join("/"), reason: `the folder cannot be read (${systemCode(error) ?? error})`, fatal: true });
    return [];
  }
}

async function describe(root: string, segments: readonly string[], files: DriveFile[], refused: DriveRefusal[]): Promise<void> {
  const path = segments.join("/");
  const file = join(root, ...segments);
  const refuse = (reason: string, fatal: boolean) => refused.push({ path, reason, fatal });
  try {
    const stats = await lstat(file, { bigint: true });
    if (stats.isSymbolicLink()) return void refuse("symbolic links are not followed: put the file itself there", false);
    if (!stats.isFile()) return void refuse("not a regular file", false);
    await access(file, constants.R_OK);
    files.push(fileOf(path, segments, stats));
  } catch (error) {
    if (!isMissing(error)) refuse(`it cannot be read (${systemCode(error) ?? error})`, true);
    // The system's names are bytes; one that is not UTF-8 comes with replacement characters and is not found under them.
    else if (path.includes("\u{FFFD}")) refuse("its name is not valid UTF-8: rename it", true);
  }
}

function fileOf(path: string, segments: readonly string[], stats: BigIntStats): DriveFile {
  return {
    id: path,
    segments,
    version: versionOf(stats),
    size: Number(stats.size),
    modifiedAt: stats.mtime.toISOString(),
    createdAt: stats.birthtimeNs === 0n ? null : stats.birthtime.toISOString(),
    owner: ownerOf(Number(stats.uid)),
    mediaType: null,
    md5: null,
    sha256: null,
  };
}

function ownerOf(uid: number): string {
  return uid === process.getuid?.() ? userInfo().username : `uid ${uid}`;
}
