/** Stage 1: from Drive to `eda/raw-data/<project>/`. Only new and changed files are taken; each arrives whole or not at all. */
import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import picomatch from "picomatch";
import { driveUri, type InputAsset, localUri } from "../../domain/asset.ts";
import { EdaError, type ErrorKind, toEdaError } from "../../domain/errors.ts";
import { RAW_DATA_FOLDER } from "../../domain/governed.ts";
import { sha256Hex } from "../../domain/json.ts";
import { safeRelativePath } from "../../domain/names.ts";
import { printable } from "../../domain/printable.ts";
import type { DriveFile } from "../../ports/drive.ts";
import type { CapturedFile } from "../../ports/inventory.ts";
import { inBatches } from "../batches.ts";
import type { StageContext, StageDefinition, Unit, UnitResult } from "../stage-definition.ts";

/** A file that changes under our hands is taken again this often before the run gives up on it. */
const MAX_TAKES = 3;

interface PlannedFile {
  readonly file: DriveFile;
  readonly path: string;
}

const KINDS_OF_THE_RUN: readonly ErrorKind[] = ["cancelled", "unavailable", "precondition"];

export const captureStage: StageDefinition = {
  id: "capture",

  async plan(context) {
    const { drive, inventory, workspace } = context.services;
    const { folder, include, exclude } = context.project.drive;
    const project = context.request.project;
    const listing = await drive.list(folder, context.signal);
    const wanted = picomatch([...include], { dot: true, ignore: [...exclude] });
    // By the safe name: no pattern matches a name of dots or one that holds a slash, and nothing may be left out without a word.
    const files = listing.files.filter((file) => wanted(safeRelativePath(file.segments)));
    const unreadable = listing.refused.filter((refusal) => refusal.fatal);
    if (unreadable.length > 0) {
      throw new EdaError("terminal", "unreadable-files", `${unreadable.length} file(s) in Drive cannot be read.`, {
        todo: "Give the account read access to them, or exclude them in the project file (drive.exclude).",
        findings: unreadable.map(({ path, reason }) => ({ message: `${printable(path)}: ${reason}` })),
      });
    }
    if (files.length === 0) {
      throw new EdaError("terminal", "drive-folder-empty", `No file in "${printable(folder)}" matches drive.include.`, {
        todo: "Put the data into that folder, or correct drive.folder, drive.include and drive.exclude in the project file.",
      });
    }
    const known = await inventory.captured(project);
    const planned = assignPaths(files, known);
    const changed: PlannedFile[] = [];
    for (const item of planned) {
      const before = known.get(item.file.id);
      const same = before !== undefined && before.driveVersion === item.file.version && before.path === item.path;
      if (context.request.force || !same || !(await hasSize(join(workspace, RAW_DATA_FOLDER, project, item.path), before.size))) {
        changed.push(item);
      }
    }
    const gone = [...known.values()].filter((file) => !files.some((present) => present.id === file.driveId));
    const inputs: InputAsset[] = changed.map(({ file, path }) => ({
      uri: driveUri(file.id, file.version),
      name: path,
      size: file.size ?? 0,
      sha256: file.sha256,
    }));
    return {
      inputs,
      code: [],
      config: { drive: { folder, include, exclude } },
      units: inBatches(changed, ({ file }) => file.size ?? 0).map(
        (batch, index): Unit => ({ id: `files-${index}`, label: `${batch.length} file(s)`, data: { files: batch.map(toPlain) } }),
      ),
      nothingToDo: changed.length === 0,
      notices: [
        ...listing.refused.map(({ path, reason }) => `refused: ${printable(path)}: ${reason}`),
        ...gone.map((file) => `no longer in Drive, kept here: ${printable(file.path)}`),
      ],
    };
  },

  async execute(unit, _earlier, context) {
    const files = unit.data.files as unknown as PlannedFile[];
    const captured: UnitResult["captured"] = [];
    const failures: { name: string; message: string }[] = [];
    const total = files.reduce((bytes, { file }) => bytes + (file.size ?? 0), 0);
    let done = 0;
    for (const planned of files) {
      try {
        (captured as Omit<CapturedFile, "run">[]).push(await takeFile(planned, context));
      } catch (error) {
        const failure = toEdaError(error);
        // What is about the whole run (cancelled, Drive away or refusing, disk full) stops it; what is about one file lets the others go on.
        if (KINDS_OF_THE_RUN.includes(failure.kind) || failure.code === "disk-full") throw failure;
        failures.push({ name: planned.path, message: failure.message });
      }
      done += planned.file.size ?? 0;
      context.progress({ done, total, unit: "bytes", label: printable(planned.path) });
    }
    return {
      written: [],
      rows: [],
      captured,
      failures,
      edges: captured.map((file) => ({
        from: driveUri(file.driveId, file.driveVersion),
        to: localUri(`${RAW_DATA_FOLDER}/${file.project}/${file.path}`, file.sha256),
      })),
    };
  },

  async settle(results, context, folderOf) {
    const target = join(context.services.workspace, RAW_DATA_FOLDER, context.request.project);
    for (const [unit, result] of Object.entries(results)) {
      for (const { path, size } of result.captured ?? []) {
        const from = join(folderOf(unit), path);
        const to = join(target, path);
        await mkdir(dirname(to), { recursive: true });
        try {
          await rename(from, to);
        } catch (error) {
          // Moved by an attempt that was killed after the rename.
          if (!(await hasSize(to, size))) throw error;
        }
      }
    }
  },
};

/**
 * The local path of each Drive file: the one it had before, or its names made safe. Two files that would share a path (Drive allows
 * equal names in a folder) are kept apart by a hash of the later one's id.
 */
function assignPaths(files: readonly DriveFile[], known: ReadonlyMap<string, CapturedFile>): PlannedFile[] {
  const ordered = [...files].sort((a, b) => compare(a.segments.join("/"), b.segments.join("/")) || compare(a.id, b.id));
  const taken = new Set<string>();
  const keepers = ordered.filter((file) => known.get(file.id)?.driveName === recordedName(file));
  const paths = new Map<string, string>();
  for (const file of keepers) {
    const path = (known.get(file.id) as CapturedFile).path;
    paths.set(file.id, path);
    taken.add(path);
  }
  for (const file of ordered) {
    if (paths.has(file.id)) continue;
    const safe = safeRelativePath(file.segments);
    const path = taken.has(safe) ? withSuffix(safe, sha256Hex(file.id).slice(0, 8)) : safe;
    paths.set(file.id, path);
    taken.add(path);
  }
  return ordered.map((file) => ({ file, path: paths.get(file.id) as string }));
}

function withSuffix(path: string, suffix: string): string {
  const match = /^(.*?)(\.[^./]+)?$/su.exec(path) as RegExpExecArray;
  return `${match[1]}~${suffix}${match[2] ?? ""}`;
}

async function takeFile(planned: PlannedFile, context: StageContext): Promise<Omit<CapturedFile, "run">> {
  const { drive } = context.services;
  const { folder } = context.project.drive;
  let file = planned.file;
  for (let take = 1; ; take += 1) {
    const taken = await download(file, planned.path, context).catch((error: unknown) => {
      if (toEdaError(error).code === "drive-file-changed") return undefined;
      throw error;
    });
    const version = await drive.currentVersion(folder, file);
    if (version === undefined) throw new EdaError("terminal", "drive-file-gone", "it was removed from Drive while being captured");
    if (taken !== undefined && version === file.version) {
      return {
        project: context.request.project,
        driveId: file.id,
        driveVersion: file.version,
        path: planned.path,
        size: taken.size,
        sha256: taken.sha256,
        modifiedAt: file.modifiedAt,
        owner: file.owner,
        driveName: recordedName(file),
      };
    }
    if (take === MAX_TAKES) throw new EdaError("transient", "drive-file-keeps-changing", `it changed during each of ${MAX_TAKES} copies`);
    context.log("info", `${printable(planned.path)} changed while being copied: taking it again`);
    // The listed checksums are of the former version.
    file = { ...file, version, size: null, md5: null, sha256: null };
  }
}

async function download(file: DriveFile, path: string, context: StageContext): Promise<{ size: number; sha256: string }> {
  const target = join(context.workDir, path);
  await mkdir(dirname(target), { recursive: true });
  await rm(target, { force: true });
  const sha256 = createHash("sha256");
  const md5 = createHash("md5");
  let size = 0;
  const source = await context.services.drive.read(context.project.drive.folder, file, context.signal);
  await pipeline(
    source,
    async function* (chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        sha256.update(chunk);
        md5.update(chunk);
        size += chunk.length;
        yield chunk;
      }
    },
    createWriteStream(target, { flush: true }),
    { signal: context.signal },
  );
  const digests = { sha256: sha256.digest("hex"), md5: md5.digest("hex") };
  if ((file.sha256 ?? digests.sha256) !== digests.sha256 || (file.md5 ?? digests.md5) !== digests.md5) {
    throw new EdaError("transient", "drive-checksum-mismatch", "what arrived does not match the checksum that Drive gives");
  }
  return { size, sha256: digests.sha256 };
}

async function hasSize(path: string, size: number): Promise<boolean> {
  try {
    const found = await stat(path);
    return found.isFile() && found.size === size;
  } catch {
    return false;
  }
}

function toPlain(item: PlannedFile): { file: { readonly [key: string]: string | number | null | readonly string[] }; path: string } {
  return { file: { ...item.file }, path: item.path };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The name as Drive has it, but for NUL, which PostgreSQL cannot hold: Unicode's picture of it stands in. */
function recordedName({ segments }: DriveFile): string {
  return segments.join("/").replaceAll("\0", "\u2400");
}
