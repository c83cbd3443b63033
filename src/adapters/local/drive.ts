/** A mounted or plain folder that stands in for Drive. A file's id is its path in the folder. */
import { constants } from "node:fs";
import { lstat, mkdir, open, readdir, realpath, rename, rm, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Readable } from "node:stream";
import { EdaError, throwIfAborted } from "../../domain/errors.ts";
import { printable } from "../../domain/printable.ts";
import type { Drive, DriveFile } from "../../ports/drive.ts";
import { copyHashed } from "./copy-file.ts";
import { listFiles, PARTIAL_PREFIX, versionOf } from "./drive-files.ts";
import { hasSameContent } from "./same-content.ts";
import { isAbandoned, releaseScratchName, scratchName } from "./scratch.ts";
import { isMissing, systemCode, writeFailure } from "./system-errors.ts";

/** @param workspace what a relative `drive.folder` is relative to */
export function openFolderDrive(workspace: string): Drive {
  return {
    description: "local folder",
    list: async (folder, signal) => listFiles(await rootOf(workspace, folder), signal),
    read: async (folder, file, signal) => {
      const path = await inside(await rootOf(workspace, folder), file.segments);
      if (path === undefined) throw changed(file);
      return readVersion(path, file, signal);
    },
    currentVersion: async (folder, file) => {
      const path = await inside(await rootOf(workspace, folder), file.segments);
      return path === undefined ? undefined : currentVersion(path);
    },
    upload: async (folder, segments, localFile, signal) => {
      const root = await rootOf(workspace, folder);
      try {
        return { id: segments.join("/"), version: await upload(root, segments, localFile, signal) };
      } catch (error) {
        throw writeFailure(error, root);
      }
    },
  };
}

/** The folder's real path. A missing one is never made: it may be a drive that is not mounted. */
async function rootOf(workspace: string, folder: string): Promise<string> {
  const path = resolve(workspace, folder);
  const found = await stat(path).catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw unreadable(path, error);
  });
  if (found?.isDirectory()) return realpath(path);
  const problem = found === undefined ? "does not exist" : "is not a folder";
  throw new EdaError("terminal", "drive-folder-not-found", `The Drive folder ${printable(path)} ${problem}.`, {
    todo: "Correct drive.folder in the project file, or mount the drive.",
  });
}

/** The path of the segments below the root; undefined when a folder on the way is gone or leads elsewhere. */
async function inside(root: string, segments: readonly string[]): Promise<string | undefined> {
  assertSegments(segments);
  const parent = join(root, ...segments.slice(0, -1));
  const real = await realpath(parent).catch(() => undefined);
  return real === parent ? join(root, ...segments) : undefined;
}

function assertSegments(segments: readonly string[]): void {
  const isUnsafe = (segment: string) => segment === "" || segment === "." || segment === ".." || /[/\0]/u.test(segment);
  if (segments.length === 0 || segments.some(isUnsafe)) throw unsafe(segments, "is not a path inside a folder");
}

async function readVersion(path: string, file: DriveFile, signal: AbortSignal): Promise<Readable> {
  throwIfAborted(signal);
  // Neither followed nor waited for, should a link or a pipe have taken the file's place.
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch((error: unknown) => {
    if (isMissing(error) || systemCode(error) === "ELOOP" || systemCode(error) === "ENXIO") throw changed(file);
    throw unreadable(path, error);
  });
  const stats = await handle.stat({ bigint: true });
  if (!stats.isFile() || versionOf(stats) !== file.version) {
    await handle.close();
    throw changed(file);
  }
  return handle.createReadStream({ highWaterMark: 1 << 20, signal });
}

async function currentVersion(path: string): Promise<string | undefined> {
  try {
    const stats = await lstat(path, { bigint: true });
    return stats.isFile() ? versionOf(stats) : undefined;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

async function upload(root: string, segments: readonly string[], localFile: string, signal: AbortSignal): Promise<string> {
  assertSegments(segments);
  throwIfAborted(signal);
  const folder = await makeFolders(root, segments.slice(0, -1));
  const target = join(folder, segments.at(-1) as string);
  const present = await lstat(target).catch(() => undefined);
  if (present !== undefined && !present.isFile()) throw unsafe(segments, "is there already and not a regular file");
  if (present === undefined || !(await hasSameContent(target, localFile, signal))) await replace(folder, target, localFile, signal);
  return (await currentVersion(target)) as string;
}

/** One by one, so that a link on the way is seen before anything is made behind it. */
async function makeFolders(root: string, segments: readonly string[]): Promise<string> {
  let folder = root;
  for (const [index, segment] of segments.entries()) {
    folder = join(folder, segment);
    await mkdir(folder).catch((error: unknown) => {
      if (systemCode(error) !== "EEXIST") throw error;
    });
    if (!(await lstat(folder)).isDirectory()) throw unsafe(segments.slice(0, index + 1), "is there already and not a folder");
  }
  return folder;
}

async function replace(folder: string, target: string, localFile: string, signal: AbortSignal): Promise<void> {
  await removeAbandoned(folder);
  const name = scratchName();
  const partial = join(folder, PARTIAL_PREFIX + name);
  try {
    await copyHashed(localFile, partial, { signal });
    throwIfAborted(signal);
    await rename(partial, target);
  } finally {
    await rm(partial, { force: true });
    releaseScratchName(name);
  }
}

async function removeAbandoned(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name.startsWith(PARTIAL_PREFIX) && isAbandoned(name.slice(PARTIAL_PREFIX.length))) await rm(join(folder, name), { force: true });
  }
}

function changed(file: DriveFile): EdaError {
  return new EdaError(
    "transient",
    "drive-file-changed",
    `${printable(file.segments.join("/"))} is no longer the version that was listed.`,
    {
      todo: "Wait until nothing writes to it and run again.",
    },
  );
}

function unreadable(path: string, cause: unknown): EdaError {
  return new EdaError("terminal", "drive-not-readable", `${printable(path)} cannot be read (${systemCode(cause) ?? String(cause)}).`, {
    todo: "Give the user that runs eda read access to it.",
    cause,
  });
}

function unsafe(segments: readonly string[], problem: string): EdaError {
  return new EdaError("terminal", "unsafe-path", `"${printable(segments.join("/"))}" ${problem}.`, {
    todo: "Choose another name, or remove what is in the way.",
  });
}
