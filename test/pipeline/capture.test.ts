import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { driveUri, localUri } from "../../src/domain/asset.ts";
import { sha256Hex } from "../../src/domain/json.ts";
import { captureStage } from "../../src/pipeline/stages/capture.ts";
import type { Drive, DriveFile } from "../../src/ports/drive.ts";
import { openTestServices, type TestRunOptions, type TestServices } from "../support/services.ts";
import { SMALL_DRIVE, SMALL_PROJECT, writeFiles } from "../support/small-project.ts";
import { createWorkspace, type TestWorkspace } from "../support/workspace.ts";

const PROJECT_FILE = "configs/projects/lojas.yaml";

describe("capture", () => {
  let workspace: TestWorkspace;
  let test: TestServices;
  let drive: string;
  let raw: string;

  beforeAll(async () => {
    workspace = createWorkspace("capture");
    test = await openTestServices(workspace);
    drive = join(workspace.folder, SMALL_DRIVE);
    raw = join(workspace.folder, "eda/raw-data", SMALL_PROJECT);
  });
  afterAll(async () => {
    await test.close();
    workspace.remove();
  });

  // Each test has a Drive folder and a raw folder of its own files.
  beforeEach(() => {
    rmSync(drive, { recursive: true });
    rmSync(raw, { recursive: true, force: true });
    writeFiles(drive, { "a.csv": "first", "sub/b.csv": "second" });
  });

  const capture = (options: TestRunOptions = {}) => test.run(captureStage, options);
  const rawFiles = () =>
    existsSync(raw) ? (readdirSync(raw, { recursive: true }) as string[]).filter((path) => statSync(join(raw, path)).isFile()).sort() : [];
  const rawContent = (path: string) => readFileSync(join(raw, path), "utf8");

  /** The workspace's services with a Drive whose file is changed by somebody at the moment it is read. */
  function driveThat(read: (drive: Drive, folder: string, file: DriveFile, signal: AbortSignal) => ReturnType<Drive["read"]>) {
    const original = test.services.drive;
    return { ...test.services, drive: { ...original, read: (...args: Parameters<Drive["read"]>) => read(original, ...args) } };
  }

  it("copies every file of the folder, with the folders on the way", async () => {
    expect(await capture()).toMatchObject({ state: "succeeded", totals: { inputs: 2, inputBytes: 11, outputs: 2, outputBytes: 11 } });
    expect(rawFiles()).toEqual(["a.csv", "sub/b.csv"]);
    expect([rawContent("a.csv"), rawContent("sub/b.csv")]).toEqual(["first", "second"]);
  });

  it("remembers where each file came from, and draws the edge from Drive to it", async () => {
    const record = await capture();
    const captured = [...(await test.services.inventory.captured(SMALL_PROJECT)).values()].find((file) => file.path === "a.csv");
    expect(captured).toMatchObject({ driveId: "a.csv", driveName: "a.csv", size: 5, sha256: sha256Hex("first"), run: record.run });
    const { edges } = await test.services.inventory.lineage(localUri("eda/raw-data/lojas/a.csv", sha256Hex("first")));
    expect(edges.map((edge) => edge.from)).toContain(driveUri("a.csv", captured?.driveVersion as string));
  });

  it("has nothing to do when nothing changed: no copy, no commit", async () => {
    await capture();
    const before = [workspace.commits().length, statSync(join(raw, "a.csv")).ino];
    expect(await capture()).toMatchObject({ state: "unchanged", commitBefore: null, commitAfter: null });
    expect([workspace.commits().length, statSync(join(raw, "a.csv")).ino]).toEqual(before);
  });

  it("takes only what is new or changed, also when the size stayed the same", async () => {
    await capture();
    writeFiles(drive, { "a.csv": "FIRST", "c.csv": "third" });
    expect(await capture()).toMatchObject({ state: "succeeded", totals: { inputs: 2 } });
    expect([rawContent("a.csv"), rawContent("sub/b.csv"), rawContent("c.csv")]).toEqual(["FIRST", "second", "third"]);
  });

  it("takes a file again that was removed or cut short here", async () => {
    await capture();
    unlinkSync(join(raw, "a.csv"));
    writeFileSync(join(raw, "sub/b.csv"), "sec");
    expect(await capture()).toMatchObject({ state: "succeeded", totals: { inputs: 2 } });
    expect([rawContent("a.csv"), rawContent("sub/b.csv")]).toEqual(["first", "second"]);
  });

  it("takes everything again when it is forced", async () => {
    await capture();
    expect(await capture({ force: true })).toMatchObject({ state: "succeeded", totals: { inputs: 2 } });
  });

  it("keeps here what is no longer in Drive, and says so", async () => {
    await capture();
    unlinkSync(join(drive, "a.csv"));
    writeFiles(drive, { "new.csv": "x" });
    const log: string[] = [];
    await capture({ onLog: (line) => log.push(line) });
    expect(log).toContain("no longer in Drive, kept here: a.csv");
    expect(rawContent("a.csv")).toBe("first");
  });

  it("takes a file again that changed while it was copied", async () => {
    let isChanged = false;
    const services = driveThat(async (original, folder, file, signal) => {
      const stream = await original.read(folder, file, signal);
      if (file.id === "a.csv" && !isChanged) {
        isChanged = true;
        writeFileSync(join(drive, "a.csv"), "changed meanwhile");
      }
      return stream;
    });
    const log: string[] = [];
    expect(await capture({ services, onLog: (line) => log.push(line) })).toMatchObject({ state: "succeeded" });
    expect(rawContent("a.csv")).toBe("changed meanwhile");
    expect(log).toContain("a.csv changed while being copied: taking it again");
    expect(await capture()).toMatchObject({ state: "unchanged" });
  });

  it("gives up on a file that never stops changing, names it and publishes nothing", async () => {
    const services = driveThat(async (original, folder, file, signal) => {
      const stream = await original.read(folder, file, signal);
      if (file.id === "a.csv") appendFileSync(join(drive, "a.csv"), "+");
      return stream;
    });
    expect(await capture({ services })).toMatchObject({
      state: "failed",
      error: { code: "files-failed", findings: [{ message: "a.csv: it changed during each of 3 copies" }] },
    });
    expect(rawFiles()).toEqual([]);
  });

  it("says which file was removed from Drive while it was captured", async () => {
    const services = driveThat(async (original, folder, file, signal) => {
      if (file.id === "a.csv") unlinkSync(join(drive, "a.csv"));
      return original.read(folder, file, signal);
    });
    expect(await capture({ services })).toMatchObject({
      state: "failed",
      error: { findings: [{ message: expect.stringMatching(/^a\.csv: .*removed from Drive/u) }] },
    });
  });

  it("never shows a download that broke off: the former file stays", async () => {
    await capture();
    writeFiles(drive, { "a.csv": "y".repeat(100_000) });
    const services = driveThat(async (original, folder, file, signal) => {
      const stream = await original.read(folder, file, signal);
      stream.once("data", () => stream.destroy(new Error("connection reset")));
      return stream;
    });
    expect(await capture({ services })).toMatchObject({ state: "failed", error: { findings: [{ message: "a.csv: connection reset" }] } });
    expect(rawContent("a.csv")).toBe("first");
    expect(await capture()).toMatchObject({ state: "succeeded" });
    expect(rawContent("a.csv")).toBe("y".repeat(100_000));
  });

  it("refuses content that does not have the checksum Drive gives", async () => {
    const original = test.services.drive;
    const list: Drive["list"] = async (...args) => {
      const { files, refused } = await original.list(...args);
      return { files: files.map((file) => ({ ...file, md5: "0".repeat(32) })), refused };
    };
    expect(await capture({ services: { ...test.services, drive: { ...original, list } } })).toMatchObject({
      state: "failed",
      error: { findings: [{ message: expect.stringContaining("checksum") }, { message: expect.stringContaining("checksum") }] },
    });
    expect(rawFiles()).toEqual([]);
  });

  it("reports symbolic links and captures the others", async () => {
    symlinkSync("/etc/passwd", join(drive, "link.csv"));
    const log: string[] = [];
    expect(await capture({ onLog: (line) => log.push(line) })).toMatchObject({ state: "succeeded" });
    expect(log).toContainEqual(expect.stringContaining("refused: link.csv: symbolic links are not followed"));
    expect(rawFiles()).toEqual(["a.csv", "sub/b.csv"]);
  });

  it("makes unsafe names safe, and keeps files apart whose names become the same", async () => {
    rmSync(join(drive, "sub"), { recursive: true });
    writeFiles(drive, { "x_y.csv": "plain", "x\u0001y.csv": "control", "x\u202ey.csv": "bidi", ["ã.csv".normalize("NFD")]: "decomposed" });
    expect(await capture()).toMatchObject({ state: "succeeded", totals: { inputs: 5 } });
    const names = rawFiles();
    expect(names).toHaveLength(5);
    expect(names).toContain("ã.csv".normalize("NFC"));
    for (const name of names) expect(name).toMatch(/^(?:a|ã|x_y(?:~[0-9a-f]{8})?)\.csv$/u);
    expect(names.map(rawContent).sort()).toEqual(["bidi", "control", "decomposed", "first", "plain"]);
    expect(await capture()).toMatchObject({ state: "unchanged" });
  });

  it("does the same work twice as once, as after a kill between a step's end and its checkpoint", async () => {
    expect(await capture({ twice: true })).toMatchObject({ state: "succeeded", totals: { inputs: 2, outputs: 2 } });
    expect(rawFiles()).toEqual(["a.csv", "sub/b.csv"]);
  });

  it("leaves the raw folder as it was when it is cancelled", async () => {
    const controller = new AbortController();
    const onStep = (label: string) => {
      if (label === "execute:start") controller.abort();
    };
    expect(await capture({ signal: controller.signal, onStep })).toMatchObject({ state: "cancelled" });
    expect(rawFiles()).toEqual([]);
  });

  describe("with another project file", () => {
    let original: string;
    beforeEach(() => {
      original = readFileSync(join(workspace.folder, PROJECT_FILE), "utf8");
      return () => writeFileSync(join(workspace.folder, PROJECT_FILE), original);
    });
    const edit = (drivePart: string) =>
      writeFileSync(join(workspace.folder, PROJECT_FILE), original.replace(`  folder: ${SMALL_DRIVE}`, drivePart));

    it("takes what is included and not excluded, hidden files too", async () => {
      writeFiles(drive, { "notes.txt": "n", "sub/draft.csv": "d", ".hidden.csv": "h" });
      edit(`  folder: ${SMALL_DRIVE}\n  include: ["**/*.csv"]\n  exclude: ["**/draft*"]`);
      await capture();
      expect(rawFiles()).toEqual([".hidden.csv", "a.csv", "sub/b.csv"]);
    });

    it("says that nothing matches", async () => {
      edit(`  folder: ${SMALL_DRIVE}\n  include: ["*.xlsx"]`);
      expect(await capture()).toMatchObject({ state: "failed", error: { code: "drive-folder-empty" }, commitBefore: null });
    });

    it("says that the folder is not there", async () => {
      renameSync(drive, `${drive}-away`);
      const record = await capture();
      renameSync(`${drive}-away`, drive);
      expect(record).toMatchObject({
        state: "failed",
        error: { code: "drive-folder-not-found", message: expect.stringContaining(SMALL_DRIVE) },
      });
    });
  });
});
