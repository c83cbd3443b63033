import { readFileSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openFolderStore } from "../../src/adapters/local/object-store.ts";
import { localUri, objectUri } from "../../src/domain/asset.ts";
import { EdaError } from "../../src/domain/errors.ts";
import type { StoredInventoryRow } from "../../src/domain/inventory.ts";
import { BUCKETS } from "../../src/domain/stage.ts";
import { captureStage } from "../../src/pipeline/stages/capture.ts";
import { ingestStage } from "../../src/pipeline/stages/ingest.ts";
import type { Services } from "../../src/pipeline/stage-definition.ts";
import type { ObjectStore, PutRequest } from "../../src/ports/object-store.ts";
import { hashOf } from "../contract/object-store.suite.ts";
import { collect } from "../support/collect.ts";
import { openTestServices, type TestRunOptions, type TestServices } from "../support/services.ts";
import { canMount, smallDisk } from "../support/small-disk.ts";
import { SMALL_DRIVE, SMALL_PROJECT, writeFiles } from "../support/small-project.ts";
import { createWorkspace, type TestWorkspace } from "../support/workspace.ts";

describe("ingest", () => {
  let workspace: TestWorkspace;
  let test: TestServices;
  let raw: string;

  beforeAll(async () => {
    workspace = createWorkspace("ingest");
    test = await openTestServices(workspace);
    raw = join(workspace.folder, "eda/raw-data", SMALL_PROJECT);
  });
  afterAll(async () => {
    await test.close();
    workspace.remove();
  });

  // Rows of former tests stay; each test has files and contents of its own.
  beforeEach(() => rmSync(raw, { recursive: true, force: true }));

  const ingest = (options: TestRunOptions = {}) => test.run(ingestStage, options);
  const versions = (prefix = "") => collect(test.services.objects.versions("raw-data", `${SMALL_PROJECT}/${prefix}`), (info) => info);

  async function rowOf(name: string): Promise<StoredInventoryRow | undefined> {
    return (await test.services.inventory.rows({ inventory: "raw", project: SMALL_PROJECT, name, limit: 1 })).items[0];
  }

  /** The workspace's services with something that happens before each file is taken into the store. */
  function beforeEachPut(happen: (request: PutRequest) => void | Promise<void>): Services {
    const { objects } = test.services;
    const prepare: ObjectStore["prepare"] = async (request) => {
      await happen(request);
      return objects.prepare(request);
    };
    return { ...test.services, objects: { ...objects, prepare } };
  }

  it("stores each file with its hashes and registers it", async () => {
    writeFiles(raw, { "one/voos.csv": "a,b\n", "one/vazio.csv": "" });
    utimesSync(join(raw, "one/voos.csv"), new Date(), new Date("2026-01-02T03:04:05.000Z"));
    const record = await ingest();
    expect(record).toMatchObject({ state: "succeeded", totals: { inputs: 2, inputBytes: 4, outputs: 2, outputBytes: 4 } });
    const row = (await rowOf("one/voos.csv")) as StoredInventoryRow;
    expect(row).toMatchObject({
      bucket: "raw-data",
      key: "lojas/one/voos.csv",
      ...hashOf("a,b\n"),
      mediaType: "text/csv",
      role: "data",
      aliasOf: null,
      run: record.run,
      commitBefore: record.commitBefore,
      details: { modificado_em: "2026-01-02T03:04:05.000Z", origem: null },
    });
    expect(await rowOf("one/vazio.csv")).toMatchObject(hashOf(""));
    expect(await test.services.objects.head("raw-data", row.key, row.versionId)).toMatchObject({ ...hashOf("a,b\n"), run: record.run });
    const { edges } = await test.services.inventory.lineage(objectUri(row));
    expect(edges.map((edge) => edge.from)).toContain(localUri("eda/raw-data/lojas/one/voos.csv", row.sha256));
  });

  it("stores equal contents once: the first by name holds it, the others are its aliases", async () => {
    writeFiles(raw, { "two/b.csv": "equal", "two/a.csv": "equal", "two/c.csv": "equal" });
    await ingest();
    expect(await versions("two/")).toMatchObject([{ key: "lojas/two/a.csv" }]);
    const rows = await Promise.all(["two/a.csv", "two/b.csv", "two/c.csv"].map(rowOf));
    expect(rows.map((row) => row?.aliasOf)).toEqual([null, "two/a.csv", "two/a.csv"]);
    expect(new Set(rows.map((row) => row?.versionId)).size).toBe(1);
  });

  it("makes an alias of a new file whose content an earlier run stored", async () => {
    writeFiles(raw, { "three/z.csv": "known" });
    await ingest();
    writeFiles(raw, { "three/a.csv": "known" });
    await ingest();
    expect(await versions("three/")).toHaveLength(1);
    expect(await rowOf("three/a.csv")).toMatchObject({ aliasOf: "three/z.csv", key: "lojas/three/z.csv" });
  });

  it("has nothing to do when nothing changed: no file read, no commit", async () => {
    writeFiles(raw, { "four/a.csv": "stays" });
    await ingest();
    const commits = workspace.commits().length;
    const read: string[] = [];
    const services = beforeEachPut(({ key }) => void read.push(key));
    expect(await ingest({ services })).toMatchObject({ state: "unchanged", commitAfter: null });
    expect([read, workspace.commits().length]).toEqual([[], commits]);
  });

  it("reads only what changed", async () => {
    writeFiles(raw, { "five/a.csv": "a1", "five/b.csv": "b1" });
    await ingest();
    writeFiles(raw, { "five/b.csv": "b2" });
    const read: string[] = [];
    expect(await ingest({ services: beforeEachPut(({ key }) => void read.push(key)) })).toMatchObject({ state: "succeeded" });
    expect(read).toEqual(["lojas/five/b.csv"]);
  });

  it("stores nothing for a file that was touched but has the same content", async () => {
    writeFiles(raw, { "six/a.csv": "same" });
    await ingest();
    const before = await rowOf("six/a.csv");
    utimesSync(join(raw, "six/a.csv"), new Date(), new Date("2026-01-01T00:00:00Z"));
    expect(await ingest()).toMatchObject({ state: "succeeded" });
    expect(await versions("six/")).toHaveLength(1);
    expect((await rowOf("six/a.csv"))?.versionId).toBe(before?.versionId);
    expect(await ingest()).toMatchObject({ state: "unchanged" });
  });

  it("makes a new version of the key for new content, and keeps the former one", async () => {
    writeFiles(raw, { "seven/a.csv": "v1" });
    await ingest();
    const first = (await rowOf("seven/a.csv")) as StoredInventoryRow;
    writeFiles(raw, { "seven/a.csv": "v2" });
    await ingest();
    const second = (await rowOf("seven/a.csv")) as StoredInventoryRow;
    expect(second).toMatchObject({ key: first.key, ...hashOf("v2") });
    expect((await versions("seven/")).map((info) => info.versionId)).toEqual([first.versionId, second.versionId]);
  });

  it("hands the content over to an alias when its holder gets other content", async () => {
    writeFiles(raw, { "eight/a.csv": "shared", "eight/b.csv": "shared", "eight/c.csv": "shared" });
    await ingest();
    writeFiles(raw, { "eight/a.csv": "moved on" });
    await ingest();
    const rows = await Promise.all(["eight/a.csv", "eight/b.csv", "eight/c.csv"].map(rowOf));
    expect(rows.map((row) => [row?.aliasOf, row?.sha256])).toEqual([
      [null, hashOf("moved on").sha256],
      [null, hashOf("shared").sha256],
      ["eight/b.csv", hashOf("shared").sha256],
    ]);
  });

  it("keeps spaces and long names, and composes decomposed accents", async () => {
    const long = `${"n".repeat(251)}.csv`;
    writeFiles(raw, { [`nine/${long}`]: "long", "nine/with  space .csv": "space", [`nine/${"são.csv".normalize("NFD")}`]: "accent" });
    expect(await ingest()).toMatchObject({ state: "succeeded" });
    const names = [`nine/${long}`, "nine/with  space .csv", `nine/${"são.csv".normalize("NFC")}`];
    expect((await Promise.all(names.map(rowOf))).map((row) => row?.key)).toEqual(names.map((name) => `lojas/${name}`));
    expect(await ingest()).toMatchObject({ state: "unchanged" });
  });

  it("refuses two spellings of one name before anything is stored", async () => {
    writeFiles(raw, { [`ten/${"é.csv".normalize("NFC")}`]: "composed", [`ten/${"é.csv".normalize("NFD")}`]: "decomposed" });
    expect(await ingest()).toMatchObject({ state: "failed", error: { code: "name-collision" }, commitBefore: null });
    expect(await versions("ten/")).toEqual([]);
  });

  it("reports symbolic links and ingests the others", async () => {
    writeFiles(raw, { "eleven/a.csv": "real" });
    symlinkSync("/etc/passwd", join(raw, "eleven/link.csv"));
    const log: string[] = [];
    expect(await ingest({ onLog: (line) => log.push(line) })).toMatchObject({ state: "succeeded", totals: { inputs: 1 } });
    expect(log).toContainEqual(expect.stringContaining("refused: eleven/link.csv: symbolic links are not followed"));
  });

  it("says which names cannot be read, and stores nothing", async () => {
    writeFiles(raw, { "twelve/good.csv": "good" });
    writeFileSync(Buffer.concat([Buffer.from(`${raw}/twelve/caf`), Buffer.from([0xe9])]), "x");
    expect(await ingest()).toMatchObject({
      state: "failed",
      error: { code: "unreadable-files", findings: [{ message: expect.stringContaining("twelve/caf") }] },
    });
    expect(await versions("twelve/")).toEqual([]);
  });

  it("goes on with the others when files fail, then fails naming them all, and nothing of it stays", async () => {
    writeFiles(raw, { "thirteen/a.csv": "a", "thirteen/b.csv": "b", "thirteen/c.csv": "c", "thirteen/d.csv": "d" });
    const read: string[] = [];
    const services = beforeEachPut(({ key, file }) => {
      read.push(key);
      if (key.endsWith("a.csv")) rmSync(file);
      if (key.endsWith("c.csv")) writeFileSync(file, "longer now");
    });
    const record = await ingest({ services });
    expect(record).toMatchObject({
      state: "failed",
      error: {
        code: "files-failed",
        findings: [
          { message: expect.stringMatching(/^thirteen\/a\.csv: .*cannot be read \(ENOENT\)/u) },
          { message: expect.stringMatching(/^thirteen\/c\.csv: it changed while it was read/u) },
        ],
      },
    });
    expect(read).toHaveLength(4);
    expect(await versions("thirteen/")).toEqual([]);
    expect(await rowOf("thirteen/b.csv")).toBeUndefined();
  });

  it("stops at once when the store is away, and removes what it had stored", async () => {
    writeFiles(raw, { "fourteen/a.csv": "14a", "fourteen/b.csv": "14b" });
    const services = beforeEachPut(async ({ key }) => {
      if (key.endsWith("b.csv")) throw new EdaError("unavailable", "store-away", "The object store cannot be reached.");
    });
    expect(await ingest({ services })).toMatchObject({ state: "failed", error: { kind: "unavailable", code: "store-away" } });
    expect(await versions("fourteen/")).toEqual([]);
  });

  it.skipIf(!canMount)("fails on a full disk without a row or a version", async () => {
    writeFiles(raw, { "fifteen/small.csv": "s", "fifteen/large.bin": Buffer.alloc(1024 * 1024, 1) });
    const objects = openFolderStore(smallDisk(512));
    await objects.ensureBuckets(BUCKETS);
    expect(await ingest({ services: { ...test.services, objects } })).toMatchObject({ state: "failed", error: { code: "disk-full" } });
    expect(await collect(objects.versions("raw-data", ""), ({ key }) => key)).toEqual([]);
    expect(await rowOf("fifteen/small.csv")).toBeUndefined();
  });

  it("lets the store send a large file before its content is known only where no other is as large", async () => {
    const mib = 1024 * 1024;
    const like = (size: number, text: string) => Buffer.alloc(size, text);
    writeFiles(raw, { "small.csv": "a\n", "alone.bin": "", "one.bin": "", "two.bin": "" });
    for (const [name, content] of [
      ["alone.bin", like(5 * mib, "a")],
      ["one.bin", like(6 * mib, "b")],
      ["two.bin", like(6 * mib, "c")],
    ] as const) {
      writeFileSync(join(raw, name), content);
    }
    const asked: string[] = [];
    const services = beforeEachPut(({ key, isLikelyNew }) => void (isLikelyNew === true && asked.push(key)));
    expect(await ingest({ services })).toMatchObject({ state: "succeeded" });
    expect(asked).toEqual([`${SMALL_PROJECT}/alone.bin`]);
    asked.length = 0;
    writeFileSync(join(raw, "copy.bin"), like(5 * mib, "a"));
    expect(await ingest({ services })).toMatchObject({ state: "succeeded" });
    expect(asked).toEqual([]);
    expect(await rowOf("copy.bin")).toMatchObject({ aliasOf: "alone.bin" });
  });

  it("says where in Drive a file came from, unless it was changed here since", async () => {
    rmSync(join(workspace.folder, SMALL_DRIVE), { recursive: true });
    writeFiles(join(workspace.folder, SMALL_DRIVE), { "sixteen/a.csv": "from drive", "sixteen/b.csv": "b from drive" });
    const capture = await test.run(captureStage);
    writeFileSync(join(raw, "sixteen/b.csv"), "changed here");
    const log: string[] = [];
    await ingest({ onLog: (line) => log.push(line) });
    const [a, b] = await Promise.all(["sixteen/a.csv", "sixteen/b.csv"].map(rowOf));
    expect(a?.details.origem).toMatchObject({ drive_id: "sixteen/a.csv", nome: "sixteen/a.csv", captura: capture.run });
    expect(b?.details.origem).toBeNull();
    expect(log).toContainEqual(expect.stringContaining("sixteen/b.csv was changed here after it was captured"));
  });

  it("does the same work twice as once, as after a kill between a step's end and its checkpoint", async () => {
    writeFiles(raw, { "seventeen/a.csv": "17", "seventeen/b.csv": "17", "seventeen/c.csv": "seventeen" });
    expect(await ingest({ twice: true })).toMatchObject({ state: "succeeded", totals: { inputs: 3 } });
    expect((await versions("seventeen/")).map(({ key }) => key)).toEqual(["lojas/seventeen/a.csv", "lojas/seventeen/c.csv"]);
  });

  it("ingests everything again when it is forced, without storing it again", async () => {
    writeFiles(raw, { "eighteen/a.csv": "18" });
    await ingest();
    expect(await ingest({ force: true })).toMatchObject({ state: "succeeded", totals: { inputs: 1 } });
    expect(await versions("eighteen/")).toHaveLength(1);
  });

  it("says what to do when there is no raw file", async () => {
    expect(await ingest()).toMatchObject({
      state: "failed",
      error: { code: "no-raw-files", todo: `Capture the data first: eda run capture --project ${SMALL_PROJECT}` },
    });
  });

  it("never changes the raw files", async () => {
    writeFiles(raw, { "nineteen/a.csv": "untouched" });
    const before = statSync(join(raw, "nineteen/a.csv"), { bigint: true });
    await ingest();
    const after = statSync(join(raw, "nineteen/a.csv"), { bigint: true });
    expect([after.ino, after.mtimeNs, after.ctimeNs]).toEqual([before.ino, before.mtimeNs, before.ctimeNs]);
    expect(readFileSync(join(raw, "nineteen/a.csv"), "utf8")).toBe("untouched");
  });
});
