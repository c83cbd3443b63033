import { execFileSync } from "node:child_process";
import { chown, mkdir, rename, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { walkRawFolder } from "../../../src/pipeline/raw-folder.ts";
import { temporaryFolder } from "../../support/folders.ts";
import { NOBODY, runUnprivileged } from "../../support/unprivileged.ts";

const never = new AbortController().signal;

async function folderWith(...names: readonly string[]): Promise<string> {
  const folder = await temporaryFolder();
  for (const name of names) {
    await mkdir(join(folder, name, ".."), { recursive: true });
    await writeFile(join(folder, name), name);
  }
  return folder;
}

describe("walking the raw folder", () => {
  it("finds every regular file below it, ordered by path", async () => {
    const folder = await folderWith("b.csv", "a/2.csv", "a/1/x.csv", ".hidden", "with space.csv");
    const { files, refused, unreadable } = await walkRawFolder(folder, never);
    expect(files.map((file) => file.path)).toEqual([".hidden", "a/1/x.csv", "a/2.csv", "b.csv", "with space.csv"]);
    expect([refused, unreadable]).toEqual([[], []]);
  });

  it("knows a file by size, times to the nanosecond and inode", async () => {
    const folder = await folderWith("a");
    const { size, mtimeNs, ctimeNs, ino } = await stat(join(folder, "a"), { bigint: true });
    const { files } = await walkRawFolder(folder, never);
    expect(files).toEqual([
      { path: "a", diskPath: "a", size: Number(size), mtimeNs: `${mtimeNs}`, ctimeNs: `${ctimeNs}`, inode: `${ino}` },
    ]);
  });

  it("sees a replaced file although size and modification time are the same", async () => {
    const folder = await folderWith("a", "b");
    const time = new Date("2026-01-01T00:00:00Z");
    for (const name of ["a", "b"]) await utimes(join(folder, name), time, time);
    const [before] = (await walkRawFolder(folder, never)).files;
    await rename(join(folder, "b"), join(folder, "a"));
    const [after] = (await walkRawFolder(folder, never)).files;
    expect(after).toMatchObject({ path: "a", size: before?.size, mtimeNs: before?.mtimeNs });
    expect(after?.inode).not.toBe(before?.inode);
  });

  it("gives the composed name and the one on disk when it is decomposed there", async () => {
    const [composed, decomposed] = ["ação.csv".normalize("NFC"), "ação.csv".normalize("NFD")];
    const { files } = await walkRawFolder(await folderWith(decomposed), never);
    expect(files).toMatchObject([{ path: composed, diskPath: decomposed }]);
  });

  it("keeps two spellings of one name apart, for the caller to refuse", async () => {
    const { files } = await walkRawFolder(await folderWith("é".normalize("NFC"), "é".normalize("NFD")), never);
    expect(files.map((file) => file.path)).toEqual(["é", "é"]);
    expect(new Set(files.map((file) => file.diskPath)).size).toBe(2);
  });

  it("refuses links and pipes without following or opening them", async () => {
    const folder = await folderWith("real");
    await symlink("/etc", join(folder, "to-folder"));
    await symlink("real", join(folder, "to-file"));
    execFileSync("mkfifo", [join(folder, "pipe")]);
    const { files, refused } = await walkRawFolder(folder, never);
    expect(files.map((file) => file.path)).toEqual(["real"]);
    expect(Object.fromEntries(refused.map(({ path, reason }) => [path, reason]))).toEqual({
      "to-folder": expect.stringContaining("symbolic links are not followed"),
      "to-file": expect.stringContaining("symbolic links are not followed"),
      pipe: "not a regular file",
    });
  });

  it("reports a name that is not UTF-8 as unreadable, and goes on", async () => {
    const folder = await folderWith("good");
    await writeFile(Buffer.concat([Buffer.from(`${folder}/caf`), Buffer.from([0xe9])]), "x");
    const { files, unreadable } = await walkRawFolder(folder, never);
    expect(files.map((file) => file.path)).toEqual(["good"]);
    expect(unreadable.map(({ path }) => path)).toEqual(["caf\u{FFFD}"]);
  });

  it("reports folders that may not be read, and goes on", async () => {
    const folder = await folderWith("good", "closed/secret");
    execFileSync("chmod", ["755", folder]);
    execFileSync("chmod", ["000", join(folder, "closed")]);
    const source = `
      import { walkRawFolder } from "./src/pipeline/raw-folder.ts";
      console.log(JSON.stringify(await walkRawFolder(process.env.FOLDER, new AbortController().signal)));`;
    expect(runUnprivileged(source, { FOLDER: folder })).toMatchObject({
      files: [{ path: "good" }],
      unreadable: [{ path: "closed", reason: expect.stringContaining("EACCES") }],
    });
  });

  it("doubts the files of which it cannot tell by their owner and mode that they can be read", async () => {
    const folder = await folderWith("mine", "mine, closed");
    execFileSync("chmod", ["755", folder]);
    execFileSync("chmod", ["000", join(folder, "mine, closed")]);
    const source = `
      import { walkRawFolder } from "./src/pipeline/raw-folder.ts";
      console.log(JSON.stringify([...(await walkRawFolder(process.env.FOLDER, new AbortController().signal)).doubtful]));`;
    const doubted = () => runUnprivileged(source, { FOLDER: folder });
    if (process.getuid?.() === 0) {
      expect(doubted()).toEqual(expect.arrayContaining(["mine", "mine, closed"]));
      for (const name of ["mine", "mine, closed"]) await chown(join(folder, name), NOBODY, NOBODY);
    }
    expect(doubted()).toEqual(["mine, closed"]);
  });

  it("stops when it is cancelled", async () => {
    await expect(walkRawFolder(await folderWith("a"), AbortSignal.abort())).rejects.toThrow("abort");
  });
});
