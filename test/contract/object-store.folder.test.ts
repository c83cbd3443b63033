import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { openFolderStore } from "../../src/adapters/local/object-store.ts";
import type { ObjectInfo, ObjectStore } from "../../src/ports/object-store.ts";
import { temporaryFile, temporaryFolder } from "../support/folders.ts";
import { canMount, smallDisk } from "../support/small-disk.ts";
import { objectStoreContract } from "./object-store.suite.ts";

const roots: string[] = [];
afterAll(async () => {
  for (const root of roots) await rm(root, { recursive: true, force: true });
});

objectStoreContract("folder", async () => {
  const root = await mkdtemp(join(tmpdir(), "eda-store-"));
  roots.push(root);
  return openFolderStore(root);
});

describe("folder store", () => {
  async function put(store: ObjectStore, key: string, content = key): Promise<ObjectInfo> {
    const file = await temporaryFile(content);
    return store.put({ bucket: "raw-data", key, file, mediaType: "text/plain", run: randomUUID(), signal: new AbortController().signal });
  }

  async function listAll(store: ObjectStore, limit: number, hierarchical = false): Promise<string[]> {
    const names: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await store.list({ bucket: "raw-data", prefix: "", hierarchical, limit, ...(cursor === undefined ? {} : { cursor }) });
      names.push(...page.items.map((item) => (item.type === "prefix" ? item.prefix : item.info.key)));
      cursor = page.cursor;
    } while (cursor !== undefined);
    return names;
  }

  const byBytes = (a: string, b: string) => Buffer.from(a).compare(Buffer.from(b));

  async function folderOf(root: string, info: ObjectInfo): Promise<string> {
    const file = (await readdir(root, { recursive: true })).find((path) => path.endsWith(info.versionId));
    return join(root, file as string);
  }

  it("takes keys that no file system would: folder and key at once, empty and dotted segments, segments of 900 bytes", async () => {
    const store = openFolderStore(await temporaryFolder());
    const long = (length: number) => "x".repeat(length);
    const keys = [
      ...["a", "a/", "a//b", "a/b", "a.b", "/a", "//", ".", "..", "../../a", "./a", "=a", "+a/b", "~a", "%2F"],
      ...[199, 200, 201, 400, 900].flatMap((length) => [long(length), `${long(length)}/y`, `${long(length)}!`, `${long(length)}é/z`]),
      ...[198, 199].map((length) => `${long(length)}\u{1F600}${long(300)}`),
      ...["é", "ü", "\uFB00", "\u{1F600}"].map((char) => char.repeat(225)),
    ].filter((key) => Buffer.byteLength(key) <= 1024);
    const stored = await Promise.all(keys.map((key) => put(store, key)));
    expect(stored.map((info) => info.key)).toEqual(keys);
    const sorted = [...keys].sort(byBytes);
    for (const limit of [1, 7, 1000]) expect(await listAll(store, limit)).toEqual(sorted);
    const groups = [...new Set(sorted.map((key) => (key.includes("/") ? key.slice(0, key.indexOf("/") + 1) : key)))].sort(byBytes);
    for (const limit of [1, 1000]) expect(await listAll(store, limit, true)).toEqual(groups);
    await Promise.all(stored.map((info) => store.removeVersion(info)));
    expect(await listAll(store, 1000)).toEqual([]);
  });

  it.each([
    ["an empty key", "", "is empty"],
    ["half a surrogate pair", "a\uD800", "not valid Unicode"],
    ["a NUL", "a\0b", "contains a NUL"],
    ["more than 1,024 bytes", "é".repeat(513), "longer than 1024 bytes"],
  ])("refuses %s", async (_, key, message) => {
    const store = openFolderStore(await temporaryFolder());
    await expect(put(store, key, "x")).rejects.toMatchObject({ code: "invalid-key", message: expect.stringContaining(message) });
  });

  it("lists a folder of more names than it holds at a time", async () => {
    const root = await temporaryFolder();
    const store = openFolderStore(root);
    const names = Array.from({ length: 5_000 }, (_, index) => `f${(index * 7919) % 5_000}`);
    const model = await put(store, "f0");
    const bucket = join(root, "raw-data");
    for (const name of names) {
      const folder = join(bucket, `=${name}`, model.versionId);
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, "metadata.json"), JSON.stringify({ ...model, key: name }));
    }
    expect(await listAll(store, 1000)).toEqual([...names].sort(byBytes));
  });

  it("gives its own, read-only file to engines", async () => {
    const root = await temporaryFolder();
    const store = openFolderStore(root);
    const info = await put(store, "a");
    const file = await store.materialize(info, info, "unused", new AbortController().signal);
    expect(file.startsWith(root)).toBe(true);
    expect((await stat(file)).mode & 0o777).toBe(0o444);
  });

  it("keeps everything over a restart", async () => {
    const root = await temporaryFolder();
    const info = await put(openFolderStore(root), "a");
    expect(await openFolderStore(root).head("raw-data", "a")).toEqual(info);
  });

  it("sorts a new version after the latest one although the clock was set back", async () => {
    const root = await temporaryFolder();
    const store = openFolderStore(root);
    const old = await put(store, "a", "from the future");
    const folder = await folderOf(root, old);
    const future = "01ffffff-ffff-7fff-bfff-ffffffffffff";
    await mkdir(join(folder, "..", future));
    await chmod(join(folder, "metadata.json"), 0o644);
    await writeFile(join(folder, "..", future, "metadata.json"), JSON.stringify({ ...old, versionId: future }));
    const next = await put(store, "a", "now");
    expect(next.versionId > future).toBe(true);
    expect(await store.head("raw-data", "a")).toEqual(next);
  });

  it("removes at opening what a killed process left half-made, and leaves what living ones make", async () => {
    const root = await temporaryFolder();
    const living = openFolderStore(root);
    const prepared = await living.prepare({
      bucket: "raw-data",
      key: "a",
      file: await temporaryFile("unfinished"),
      mediaType: "text/plain",
      run: "run-1",
      signal: new AbortController().signal,
    });
    const killed = join(root, ".tmp", `${deadPid()}-${randomUUID()}`, "version");
    const earlierWithOurPid = join(root, ".tmp", `${process.pid}-${randomUUID()}`);
    await mkdir(killed, { recursive: true });
    await mkdir(earlierWithOurPid);
    await writeFile(join(killed, "data"), "half");
    openFolderStore(root);
    await expect(stat(killed)).rejects.toThrow("ENOENT");
    await expect(stat(earlierWithOurPid)).rejects.toThrow("ENOENT");
    expect((await prepared.commit()).size).toBe("unfinished".length);
  });

  it("leaves no half-made file after a refused put", async () => {
    const root = await temporaryFolder();
    const store = openFolderStore(root);
    const expected = { size: 1, md5: "0".repeat(32), sha256: "0".repeat(64) };
    const file = await temporaryFile("other");
    const refused = store.put({
      bucket: "raw-data",
      key: "a",
      file,
      expected,
      mediaType: "",
      run: "r",
      signal: new AbortController().signal,
    });
    await expect(refused).rejects.toMatchObject({ code: "hash-mismatch" });
    const paths = await readdir(root, { recursive: true, withFileTypes: true });
    expect(paths.filter((entry) => entry.isFile())).toEqual([]);
  });

  it.skipIf(!canMount)("says that the disk is full, keeps nothing half-written and goes on when there is space", async () => {
    const root = smallDisk(1024);
    const store = openFolderStore(root);
    const kept = await put(store, "kept", "k".repeat(600 * 1024));
    await expect(put(store, "too-large", "x".repeat(700 * 1024))).rejects.toMatchObject({ kind: "terminal", code: "disk-full" });
    expect(await listAll(store, 10)).toEqual(["kept"]);
    await store.removeVersion(kept);
    expect((await put(store, "too-large", "x".repeat(700 * 1024))).size).toBe(700 * 1024);
  });

  it.each([
    ["missing", "object-metadata-missing", async (file: string) => rm(file)],
    ["no JSON", "object-metadata-corrupt", async (file: string) => rewrite(file, "{")],
    ["empty", "object-metadata-corrupt", async (file: string) => rewrite(file, "")],
    ["without a hash", "object-metadata-corrupt", async (file: string) => rewrite(file, JSON.stringify({ bucket: "raw-data" }))],
  ])("says which metadata file is %s, and takes new versions all the same", async (_, code, damage) => {
    const root = await temporaryFolder();
    const store = openFolderStore(root);
    const info = await put(store, "a", "one");
    const file = join(await folderOf(root, info), "metadata.json");
    await damage(file);
    await expect(store.head("raw-data", "a")).rejects.toMatchObject({ kind: "terminal", code, message: expect.stringContaining(file) });
    const next = await put(store, "a", "two");
    expect(await store.head("raw-data", "a")).toEqual(next);
  });

  it("refuses metadata that was copied from another object", async () => {
    const root = await temporaryFolder();
    const store = openFolderStore(root);
    const [a, b] = [await put(store, "a"), await put(store, "b")];
    await rewrite(join(await folderOf(root, a), "metadata.json"), JSON.stringify(b));
    await expect(store.head("raw-data", "a")).rejects.toMatchObject({ code: "object-metadata-corrupt" });
  });

  it("refuses to materialize a file that was cut short", async () => {
    const root = await temporaryFolder();
    const store = openFolderStore(root);
    const info = await put(store, "a", "whole");
    await rewrite(join(await folderOf(root, info), "data"), "who");
    await expect(store.materialize(info, info, "unused", new AbortController().signal)).rejects.toMatchObject({ code: "hash-mismatch" });
  });
});

async function rewrite(file: string, text: string): Promise<void> {
  await chmod(file, 0o644);
  await writeFile(file, text);
}

function deadPid(): number {
  return spawnSync("true").pid;
}
