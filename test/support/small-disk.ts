import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** Whether this machine lets the test mount a file system of its own: only root may. */
export const canMount = process.getuid?.() === 0 && mounted((folder) => spawnSync("umount", [folder]));

/** A folder on a disk of its own of so many KiB, gone after the test. */
export function smallDisk(kibibytes: number): string {
  const folder = mkdtempSync(join(tmpdir(), "eda-disk-"));
  mount(folder, kibibytes);
  onTestFinished(() => {
    spawnSync("umount", [folder]);
    rmSync(folder, { recursive: true });
  });
  return folder;
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
