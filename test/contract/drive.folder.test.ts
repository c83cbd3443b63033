import { execFileSync, spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { chmod, link, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { openFolderDrive } from "../../src/adapters/local/drive.ts";
import type { DriveFile } from "../../src/ports/drive.ts";
import { temporaryFile, temporaryFolder } from "../support/folders.ts";
import { canMount, smallDisk } from "../support/small-disk.ts";
import { runUnprivileged } from "../support/unprivileged.ts";
import { driveContract } from "./drive.suite.ts";

const never = new AbortController().signal;
const workspaces: string[] = [];
afterAll(async () => {
  for (const workspace of workspaces) await rm(workspace, { recursive: true, force: true });
});

driveContract("folder", async () => {
  const workspace = await mkdtemp(join(tmpdir(), "eda-drive-"));
  workspaces.push(workspace);
  const path = (folder: string, segments: readonly string[]) => join(workspace, folder, ...segments);
  return {
    drive: openFolderDrive(workspace),
    makeFolder: async () => {
      const folder = `drive-${randomUUID()}`;
      await mkdir(join(workspace, folder));
      return folder;
    },
    write: async (folder, segments, content) => {
      await mkdir(dirname(path(folder, segments)), { recursive: true });
      await writeFile(path(folder, segments), content);
    },
    remove: (folder, segments) => rm(path(folder, segments)),
    content: (folder, segments) => readFile(path(folder, segments)),
  };
});

describe("folder drive", () => {
  async function folderWith(...names: readonly string[]): Promise<string> {
    const folder = await temporaryFolder();
    for (const name of names) await writeFile(join(folder, name), name);
    return folder;
  }

  it("takes an absolute folder, and one that is itself a link: a mounted drive often is", async () => {
    const folder = await folderWith("a");
    const drive = openFolderDrive("/nowhere");
    const alias = join(await temporaryFolder(), "alias");
    await symlink(folder, alias);
    for (const way of [folder, alias]) {
      const { files } = await drive.list(way, never);
      expect(files.map((file) => file.id)).toEqual(["a"]);
      expect(await drive.currentVersion(way, files[0] as DriveFile)).toBe(files[0]?.version);
    }
  });

  it("says when the folder is a file", async () => {
    const drive = openFolderDrive(await folderWith("a"));
    await expect(drive.list("a", never)).rejects.toMatchObject({
      code: "drive-folder-not-found",
      message: expect.stringContaining("is not a folder"),
    });
  });

  it("reports symbolic links, to files and to folders, without following them", async () => {
    const folder = await folderWith("real");
    await symlink(join(folder, "real"), join(folder, "to-file"));
    await symlink("/etc", join(folder, "to-folder"));
    await symlink(join(folder, "absent"), join(folder, "to-nothing"));
    const listing = await openFolderDrive(folder).list(".", never);
    expect(listing.files.map((file) => file.id)).toEqual(["real"]);
    expect(listing.refused).toEqual(
      ["to-file", "to-folder", "to-nothing"].map((path) => ({ path, reason: expect.stringContaining("symbolic links"), fatal: false })),
    );
  });

  it("reports pipes without waiting for them", async () => {
    const folder = await folderWith("real");
    execFileSync("mkfifo", [join(folder, "pipe")]);
    const listing = await openFolderDrive(folder).list(".", never);
    expect(listing.refused).toEqual([{ path: "pipe", reason: "not a regular file", fatal: false }]);
  });

  it("refuses unreadable files and folders as fatal, and lists the others", async () => {
    const folder = await folderWith("readable", "secret");
    await mkdir(join(folder, "closed"));
    await chmod(folder, 0o755);
    await chmod(join(folder, "secret"), 0);
    await chmod(join(folder, "closed"), 0);
    const source = `
      import { openFolderDrive } from "./src/adapters/local/drive.ts";
      const listing = await openFolderDrive("/").list(process.env.FOLDER, new AbortController().signal);
      console.log(JSON.stringify(listing));`;
    expect(runUnprivileged(source, { FOLDER: folder })).toEqual({
      files: [expect.objectContaining({ id: "readable" })],
      refused: [
        { path: "closed", reason: expect.stringContaining("EACCES"), fatal: true },
        { path: "secret", reason: expect.stringContaining("EACCES"), fatal: true },
      ],
    });
  });

  it("refuses as fatal a name that is not UTF-8, which no path can express", async () => {
    const folder = await folderWith("good");
    await writeFile(Buffer.concat([Buffer.from(`${folder}/caf`), Buffer.from([0xe9])]), "latin-1");
    const listing = await openFolderDrive(folder).list(".", never);
    expect(listing.files.map((file) => file.id)).toEqual(["good"]);
    expect(listing.refused).toEqual([{ path: "caf\u{FFFD}", reason: expect.stringContaining("not valid UTF-8"), fatal: true }]);
  });

  it("notices other content although size and modification time were put back", async () => {
    const folder = await folderWith("a");
    const drive = openFolderDrive(folder);
    const [file] = (await drive.list(".", never)).files as [DriveFile];
    const { atime, mtime } = await stat(join(folder, "a"));
    await writeFile(join(folder, "a"), "b");
    await utimes(join(folder, "a"), atime, mtime);
    await expect(drive.read(".", file, never)).rejects.toMatchObject({ code: "drive-file-changed" });
  });

  it("notices a file that was replaced by another one", async () => {
    const folder = await folderWith("a", "b");
    const drive = openFolderDrive(folder);
    const [file] = (await drive.list(".", never)).files as [DriveFile];
    await rename(join(folder, "b"), join(folder, "a"));
    await expect(drive.read(".", file, never)).rejects.toMatchObject({ code: "drive-file-changed" });
  });

  it.each([
    ["a link", (path: string) => symlink("/etc/passwd", path)],
    ["a pipe", async (path: string) => void execFileSync("mkfifo", [path])],
  ])("neither follows nor waits for %s in the place of a listed file", async (_, put) => {
    const folder = await folderWith("a");
    const drive = openFolderDrive(folder);
    const [file] = (await drive.list(".", never)).files as [DriveFile];
    await rm(join(folder, "a"));
    await put(join(folder, "a"));
    await expect(drive.read(".", file, never)).rejects.toMatchObject({ code: "drive-file-changed" });
    expect(await drive.currentVersion(".", file)).toBeUndefined();
  });

  it("does not read through a folder that became a link", async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, "d"));
    await writeFile(join(folder, "d", "a"), "inside");
    const drive = openFolderDrive(folder);
    const [file] = (await drive.list(".", never)).files as [DriveFile];
    const elsewhere = await temporaryFolder();
    await link(join(folder, "d", "a"), join(elsewhere, "a"));
    await rm(join(folder, "d"), { recursive: true });
    await symlink(elsewhere, join(folder, "d"));
    await expect(drive.read(".", file, never)).rejects.toMatchObject({ code: "drive-file-changed" });
  });

  it.each([
    ["a folder on the way is a link", ["out", "a"]],
    ["the file itself is a link", ["link"]],
    ["a folder on the way is a file", ["file", "a"]],
    ["the file is a folder", ["folder"]],
  ])("does not upload where %s", async (_, segments) => {
    const [folder, elsewhere] = [await folderWith("file"), await temporaryFolder()];
    await symlink(elsewhere, join(folder, "out"));
    await symlink(join(elsewhere, "target"), join(folder, "link"));
    await mkdir(join(folder, "folder"));
    const uploading = openFolderDrive(folder).upload(".", segments, await temporaryFile("x"), never);
    await expect(uploading).rejects.toMatchObject({ kind: "terminal", code: "unsafe-path" });
    expect(await readdir(elsewhere)).toEqual([]);
    expect(await readFile(join(folder, "file"), "utf8")).toBe("file");
  });

  it("neither lists nor keeps half-written uploads of a killed process", async () => {
    const folder = await folderWith("a");
    const drive = openFolderDrive(folder);
    await writeFile(join(folder, `.eda-partial-${spawnSync("true").pid}-${randomUUID()}`), "half");
    expect((await drive.list(".", never)).files.map((file) => file.id)).toEqual(["a"]);
    await drive.upload(".", ["b"], await temporaryFile("x"), never);
    expect((await readdir(folder)).sort()).toEqual(["a", "b"]);
  });

  it.skipIf(!canMount)("says that the disk is full and keeps the former content", async () => {
    const folder = smallDisk(512);
    const drive = openFolderDrive(folder);
    await drive.upload(".", ["a"], await temporaryFile("former"), never);
    const uploading = drive.upload(".", ["a"], await temporaryFile("x".repeat(700 * 1024)), never);
    await expect(uploading).rejects.toMatchObject({ kind: "terminal", code: "disk-full" });
    expect(await readdir(folder)).toEqual(["a"]);
    expect(await readFile(join(folder, "a"), "utf8")).toBe("former");
  });
});
