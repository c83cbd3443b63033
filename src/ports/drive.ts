import type { Readable } from "node:stream";

/** A file in Drive, as listed. */
export interface DriveFile {
  /** Stable id. */
  readonly id: string;
  /** Folder names from the captured folder down, then the file's name: as Drive holds them, unsafe. */
  readonly segments: readonly string[];
  /** Changes whenever the content may have: revision id, or size and times. */
  readonly version: string;
  /** Content bytes; null when Drive does not say. */
  readonly size: number | null;
  /** ISO 8601, UTC. */
  readonly modifiedAt: string;
  readonly createdAt: string | null;
  readonly owner: string | null;
  readonly mediaType: string | null;
  /** Lower-case hexadecimal, when Drive gives them. */
  readonly md5: string | null;
  readonly sha256: string | null;
}

/** Something in the folder that cannot be captured, and why: a symlink, a device, an unreadable file. */
export interface DriveRefusal {
  readonly path: string;
  readonly reason: string;
  /** An unreadable file fails the run at its end; a refused symlink is only reported. */
  readonly fatal: boolean;
}

export interface DriveListing {
  readonly files: readonly DriveFile[];
  readonly refused: readonly DriveRefusal[];
}

/**
 * Transport from and to Drive. Failures: `unavailable`, `transient` (rate limits, resets, file changed while read),
 * `terminal` (`drive-folder-not-found`, permission, quota).
 */
export interface Drive {
  /** What stands behind it, for people: `folder /mnt/drive`, `Google Drive (ana@example.com)`. */
  readonly description: string;
  /** Everything below the folder. */
  list(folder: string, signal: AbortSignal): Promise<DriveListing>;
  /** Content of the listed version. @throws transient `drive-file-changed` when it is no longer that version. */
  read(folder: string, file: DriveFile, signal: AbortSignal): Promise<Readable>;
  /** The file's version right now, or undefined when it is gone: asked after a download, to know that it was one version throughout. */
  currentVersion(folder: string, file: DriveFile): Promise<string | undefined>;
  /** Writes a local file under a path below the folder, whole or not at all. Idempotent when the content is already there. */
  upload(
    folder: string,
    segments: readonly string[],
    localFile: string,
    signal: AbortSignal,
  ): Promise<{ readonly id: string; readonly version: string }>;
}
