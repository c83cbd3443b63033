import { spawnSync } from "node:child_process";
import { chmodSync, closeSync, mkdtempSync, openSync, realpathSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** Whether this machine lets the test mount a file system of its own: only root may. */
export const canMount = process.getuid?.() === 0 && mounted((folder) => spawnSync("umount", [folder]));

export interface SmallDisk {
  readonly folder: string;
  /** Leaves no byte free, wherever on it. */
  fill(): void;
  /** What {@link fill} took is free again. */
  free(): void;
  remove(): void;
}

/** A disk of its own of so many KiB, until it is removed. */
export function openSmallDisk(kibibytes: number): SmallDisk {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "eda-disk-")));
  mount(folder, kibibytes);
  // As other temporary folders: the database may run as another user.
  chmodSync(folder, 0o755);
  const ballast = join(folder, ".ballast");
  return {
    folder,
    fill: () => writeUntilFull(ballast),
    free: () => rmSync(ballast, { force: true }),
    remove() {
      // Lazily: a process may still have something open there.
      spawnSync("umount", ["--lazy", folder]);
      rmSync(folder, { recursive: true });
    },
  };
}

/** A folder on a disk of its own of so many KiB, gone after the test. */
export function smallDisk(kibibytes: number): string {
  const disk = openSmallDisk(kibibytes);
  onTestFinished(disk.remove);
  return disk.folder;
}

function writeUntilFull(file: string): void {
  const handle = openSync(file, "a");
  try {
    for (let bytes = 1024 * 1024; bytes >= 1; ) {
      try {
        writeSync(handle, Buffer.alloc(bytes));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
        bytes = Math.floor(bytes / 2);
      }
    }
  } finally {
    closeSync(handle);
  }
}

function mount(folder: string, kibibytes: number): void {
  const result = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${kibibytes}k`, "tmpfs", folder], { encoding: "utf8" });
  if (result.status !== 0) throw new Error(`mount: ${result.stderr}`);
}

function mounted(end: (folder: string) => void): boolean {
  const folder = mkdtempSync(join(tmpdir(), "eda-disk-"));
  try {
    mount(folder, 64);
    end(folder);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
