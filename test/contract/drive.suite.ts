/** What every Drive does, as capture and export need it. */
import { randomBytes, randomUUID } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { beforeAll, describe, expect, it } from "vitest";
import type { Drive, DriveFile } from "../../src/ports/drive.ts";
import { temporaryFile } from "../support/folders.ts";

/** A Drive and the other side of it: what people do to its files. */
export interface DriveUnderTest {
  readonly drive: Drive;
  /** Makes an empty folder; answers what `drive.folder` of a project file would hold. */
  makeFolder(): Promise<string>;
  /** Creates the file or gives it other content. */
  write(folder: string, segments: readonly string[], content: string | Uint8Array): Promise<void>;
  remove(folder: string, segments: readonly string[]): Promise<void>;
  content(folder: string, segments: readonly string[]): Promise<Buffer>;
}

const never = new AbortController().signal;

/** @param open is called once, before the first test */
export function driveContract(name: string, open: () => Promise<DriveUnderTest>): void {
  describe(`drive contract: ${name}`, () => {
    let under: DriveUnderTest;
    let drive: Drive;

    beforeAll(async () => {
      under = await open();
      drive = under.drive;
    });

    const paths = (files: readonly DriveFile[]) => files.map((file) => file.segments.join("/")).sort();

    async function listed(folder: string): Promise<readonly DriveFile[]> {
      return (await drive.list(folder, never)).files;
    }

    async function onlyFile(folder: string): Promise<DriveFile> {
      const [file, ...others] = await listed(folder);
      expect(others).toEqual([]);
      return file as DriveFile;
    }

    async function contentOf(folder: string, file: DriveFile): Promise<string> {
      return (await buffer(await drive.read(folder, file, never))).toString();
    }

    describe("list", () => {
      it("lists nothing in an empty folder", async () => {
        expect(await drive.list(await under.makeFolder(), never)).toEqual({ files: [], refused: [] });
      });

      it("lists every file below the folder, with the names on the way to it", async () => {
        const folder = await under.makeFolder();
        const all = [["voos.csv"], ["2001", "janeiro.csv"], ["2001", "notas", "leia-me.txt"]];
        for (const segments of all) await under.write(folder, segments, "x");
        expect(paths(await listed(folder))).toEqual(["2001/janeiro.csv", "2001/notas/leia-me.txt", "voos.csv"]);
      });

      it("gives each file an id of its own, a version, its size and when it was changed", async () => {
        const folder = await under.makeFolder();
        await under.write(folder, ["a.csv"], "12345");
        await under.write(folder, ["b.csv"], "");
        const files = await listed(folder);
        expect(new Set(files.map((file) => file.id)).size).toBe(2);
        expect(files.map((file) => file.size).sort()).toEqual([0, 5]);
        for (const file of files) {
          expect(file.version).not.toBe("");
          expect(Math.abs(Date.parse(file.modifiedAt) - Date.now())).toBeLessThan(3_600_000);
          expect(file.modifiedAt).toMatch(/Z$/u);
        }
      });

      it("says the same of an unchanged file each time", async () => {
        const folder = await under.makeFolder();
        await under.write(folder, ["a.csv"], "12345");
        expect(await listed(folder)).toEqual(await listed(folder));
      });

      it("keeps names as Drive holds them: accents composed and decomposed, spaces, other scripts", async () => {
        const folder = await under.makeFolder();
        const names = ["s\u00e3o paulo.csv", "sa\u0303o paulo.csv", " with  spaces .csv", "数据 \u{1F4CA}.csv", "100% & 'x' #1?.csv"];
        for (const name of names) await under.write(folder, [name], name);
        const files = await listed(folder);
        expect(paths(files)).toEqual([...names].sort());
        expect((await Promise.all(files.map((file) => contentOf(folder, file)))).sort()).toEqual([...names].sort());
      });

      it("refuses a folder that is not there, naming it", async () => {
        const absent = `${await under.makeFolder()}-absent`;
        await expect(drive.list(absent, never)).rejects.toMatchObject({
          kind: "terminal",
          code: "drive-folder-not-found",
          message: expect.stringContaining(absent),
        });
      });

      it("stops when it is cancelled", async () => {
        await expect(drive.list(await under.makeFolder(), AbortSignal.abort())).rejects.toSatisfy(isCancellation);
      });
    });

    describe("read", () => {
      it("streams the content unchanged", async () => {
        const folder = await under.makeFolder();
        const content = randomBytes(3 * 1024 * 1024 + 5);
        await under.write(folder, ["d", "bin"], content);
        expect((await buffer(await drive.read(folder, await onlyFile(folder), never))).equals(content)).toBe(true);
      });

      it("streams an empty file", async () => {
        const folder = await under.makeFolder();
        await under.write(folder, ["vazio"], "");
        expect(await contentOf(folder, await onlyFile(folder))).toBe("");
      });

      it("refuses a file that is no longer the listed version", async () => {
        const folder = await under.makeFolder();
        await under.write(folder, ["a"], "first");
        const file = await onlyFile(folder);
        await under.write(folder, ["a"], "other");
        await expect(drive.read(folder, file, never)).rejects.toMatchObject({ kind: "transient", code: "drive-file-changed" });
      });

      it("refuses a file that is gone as one that changed", async () => {
        const folder = await under.makeFolder();
        await under.write(folder, ["d", "a"], "first");
        const file = await onlyFile(folder);
        await under.remove(folder, ["d", "a"]);
        await expect(drive.read(folder, file, never)).rejects.toMatchObject({ kind: "transient", code: "drive-file-changed" });
      });

      it("ends with an error when it is cancelled", async () => {
        const folder = await under.makeFolder();
        await under.write(folder, ["a"], randomBytes(8 * 1024 * 1024));
        const controller = new AbortController();
        const stream = await drive.read(folder, await onlyFile(folder), controller.signal);
        const reading = (async () => {
          for await (const _ of stream) controller.abort();
        })();
        await expect(reading).rejects.toSatisfy(isCancellation);
      });
    });

    describe("current version", () => {
      it("is the listed one while nothing changes", async () => {
        const folder = await under.makeFolder();
        await under.write(folder, ["a"], "x");
        const file = await onlyFile(folder);
        expect(await drive.currentVersion(folder, file)).toBe(file.version);
      });

      it("is another one after a change, also to content of the same size, and the one then listed", async () => {
        const folder = await under.makeFolder();
        await under.write(folder, ["a"], "first");
        const file = await onlyFile(folder);
        await under.write(folder, ["a"], "other");
        const version = await drive.currentVersion(folder, file);
        expect(version).not.toBe(file.version);
        expect((await onlyFile(folder)).version).toBe(version);
        expect(await contentOf(folder, { ...file, version: version as string })).toBe("other");
      });

      it("is undefined when the file is gone", async () => {
        const folder = await under.makeFolder();
        await under.write(folder, ["a"], "x");
        const file = await onlyFile(folder);
        await under.remove(folder, ["a"]);
        expect(await drive.currentVersion(folder, file)).toBeUndefined();
      });
    });

    describe("upload", () => {
      const upload = async (folder: string, segments: readonly string[], content: string | Uint8Array) =>
        drive.upload(folder, segments, await temporaryFile(content), never);

      it("writes the file below folders that it makes, and answers id and version as listed", async () => {
        const folder = await under.makeFolder();
        const uploaded = await upload(folder, ["datasets", "voos", "train.parquet"], "content");
        expect(await onlyFile(folder)).toMatchObject({ ...uploaded, segments: ["datasets", "voos", "train.parquet"], size: 7 });
        expect((await under.content(folder, ["datasets", "voos", "train.parquet"])).toString()).toBe("content");
      });

      it("writes large and empty files", async () => {
        const folder = await under.makeFolder();
        const content = randomBytes(3 * 1024 * 1024);
        await upload(folder, ["large"], content);
        await upload(folder, ["empty"], "");
        expect((await under.content(folder, ["large"])).equals(content)).toBe(true);
        expect((await under.content(folder, ["empty"])).length).toBe(0);
      });

      it("changes nothing when the content is already there", async () => {
        const folder = await under.makeFolder();
        const first = await upload(folder, ["a"], "same");
        expect(await upload(folder, ["a"], "same")).toEqual(first);
        expect(await listed(folder)).toHaveLength(1);
      });

      it("replaces other content of the same path, as a new version of one file", async () => {
        const folder = await under.makeFolder();
        const first = await upload(folder, ["a"], "first");
        const second = await upload(folder, ["a"], "other");
        expect(second.id).toBe(first.id);
        expect(second.version).not.toBe(first.version);
        expect((await under.content(folder, ["a"])).toString()).toBe("other");
      });

      it.each([[[]], [[""]], [["."]], [["..", "escaped"]], [["a", "..", "..", "escaped"]], [["a/../../escaped"]], [["a\0b"]]])(
        "refuses the path %j",
        async (segments) => {
          const folder = await under.makeFolder();
          await expect(upload(folder, segments, "x")).rejects.toMatchObject({ kind: "terminal", code: "unsafe-path" });
          expect(await listed(folder)).toEqual([]);
        },
      );

      it("refuses a folder that is not there rather than making it", async () => {
        const absent = `absent-${randomUUID()}`;
        await expect(upload(absent, ["a"], "x")).rejects.toMatchObject({ kind: "terminal", code: "drive-folder-not-found" });
      });

      it("leaves nothing when it was cancelled", async () => {
        const folder = await under.makeFolder();
        const uploading = drive.upload(folder, ["a"], await temporaryFile("x"), AbortSignal.abort());
        await expect(uploading).rejects.toSatisfy(isCancellation);
        expect(await listed(folder)).toEqual([]);
      });
    });
  });
}

function isCancellation(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return error.name === "AbortError" || ("kind" in error && error.kind === "cancelled");
}
