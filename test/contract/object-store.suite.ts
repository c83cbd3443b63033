/** What every object store does. Runs over real stores only; each test has a prefix of its own, so one store serves them all. */
import { createHash, randomBytes, randomUUID } from "node:crypto";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { ContentHash, ObjectRef } from "../../src/domain/asset.ts";
import { BUCKETS } from "../../src/domain/stage.ts";
import type { ListItem, ListRequest, ObjectInfo, ObjectStore, PutRequest } from "../../src/ports/object-store.ts";
import { temporaryFile, temporaryFolder } from "../support/folders.ts";

const never = new AbortController().signal;

export function hashOf(content: string | Uint8Array): ContentHash {
  const digest = (algorithm: string) => createHash(algorithm).update(content).digest("hex");
  return { size: Buffer.byteLength(content), md5: digest("md5"), sha256: digest("sha256") };
}

/** @param open answers the store and is called once, before the first test */
export function objectStoreContract(name: string, open: () => Promise<ObjectStore>): void {
  describe(`object store contract: ${name}`, () => {
    let store: ObjectStore;

    beforeAll(async () => {
      store = await open();
      await store.ensureBuckets(BUCKETS);
    });

    const uniquePrefix = () => `t-${randomUUID()}/`;

    async function put(key: string, content: string | Uint8Array, more: Partial<PutRequest> = {}): Promise<ObjectInfo> {
      const file = await temporaryFile(content);
      return store.put({ bucket: "raw-data", key, file, mediaType: "text/plain", run: randomUUID(), signal: never, ...more });
    }

    async function contentOf(ref: ObjectRef): Promise<string> {
      return (await buffer(await store.read(ref))).toString();
    }

    async function everyVersion(prefix: string): Promise<ObjectInfo[]> {
      const found: ObjectInfo[] = [];
      for await (const info of store.versions("raw-data", prefix)) found.push(info);
      return found;
    }

    async function pages(request: Omit<ListRequest, "bucket" | "cursor">): Promise<ListItem[][]> {
      const all: ListItem[][] = [];
      let cursor: string | undefined;
      do {
        const page = await store.list({ bucket: "raw-data", ...request, ...(cursor === undefined ? {} : { cursor }) });
        all.push([...page.items]);
        cursor = page.cursor;
      } while (cursor !== undefined);
      return all;
    }

    async function listedNames(request: Omit<ListRequest, "bucket" | "cursor">): Promise<string[]> {
      return (await pages(request)).flat().map((item) => (item.type === "prefix" ? item.prefix : item.info.key));
    }

    describe("buckets", () => {
      it("has every bucket after ensuring them, in whatever order it lists them", async () => {
        expect([...(await store.listBuckets())].sort()).toEqual([...BUCKETS].sort());
      });

      it("ensures buckets again without losing what is in them", async () => {
        const prefix = uniquePrefix();
        const info = await put(`${prefix}a`, "kept");
        await store.ensureBuckets(BUCKETS);
        expect(await contentOf(info)).toBe("kept");
      });
    });

    describe("put", () => {
      it("answers address, content, media type and run of the new version", async () => {
        const key = `${uniquePrefix()}voos.csv`;
        const info = await put(key, "a,b\n1,2\n", { mediaType: "text/csv", run: "run-1" });
        expect(info).toEqual({
          bucket: "raw-data",
          key,
          versionId: expect.stringMatching(/./u),
          ...hashOf("a,b\n1,2\n"),
          mediaType: "text/csv",
          run: "run-1",
          storedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/u),
        });
      });

      it("says in head what it said in put", async () => {
        const info = await put(`${uniquePrefix()}a`, "content", { run: "run-1" });
        expect(await store.head("raw-data", info.key, info.versionId)).toEqual(info);
      });

      it("stores an empty file", async () => {
        const info = await put(`${uniquePrefix()}vazio`, "");
        expect(info).toMatchObject(hashOf(""));
        expect(await contentOf(info)).toBe("");
      });

      it("stores bytes that are no text unchanged", async () => {
        const content = randomBytes(3 * 1024 * 1024 + 17);
        const info = await put(`${uniquePrefix()}bin`, content);
        expect(info).toMatchObject(hashOf(content));
        expect((await buffer(await store.read(info))).equals(content)).toBe(true);
      });

      it("accepts the content it was told to expect", async () => {
        expect(await put(`${uniquePrefix()}a`, "right", { expected: hashOf("right") })).toMatchObject(hashOf("right"));
      });

      it.each([
        ["size", { ...hashOf("right"), size: 6 }],
        ["md5", { ...hashOf("right"), md5: hashOf("wrong").md5 }],
        ["sha256", { ...hashOf("right"), sha256: hashOf("wrong").sha256 }],
      ])("refuses a file of another %s than expected and leaves nothing", async (_, expected) => {
        const prefix = uniquePrefix();
        await expect(put(`${prefix}a`, "right", { expected })).rejects.toMatchObject({ kind: "terminal", code: "hash-mismatch" });
        expect(await everyVersion(prefix)).toEqual([]);
      });

      it("neither changes nor moves the file it stores", async () => {
        const file = await temporaryFile("source");
        const before = await stat(file, { bigint: true });
        await put(`${uniquePrefix()}a`, "", { file });
        const after = await stat(file, { bigint: true });
        expect([after.ino, after.mtimeNs, after.size]).toEqual([before.ino, before.mtimeNs, before.size]);
        expect(await readFile(file, "utf8")).toBe("source");
      });

      it("keeps what it stored when the source file changes later", async () => {
        const file = await temporaryFile("first");
        const info = await put(`${uniquePrefix()}a`, "", { file });
        await writeFile(file, "later");
        expect(await contentOf(info)).toBe("first");
      });

      it("reports all bytes, in parts, while it stores", async () => {
        const content = randomBytes(5 * 1024 * 1024);
        const reported: number[] = [];
        await put(`${uniquePrefix()}a`, content, { onBytes: (bytes) => reported.push(bytes) });
        expect(reported.reduce((sum, bytes) => sum + bytes, 0)).toBe(content.length);
      });

      it("fails and leaves nothing when the source file does not exist", async () => {
        const prefix = uniquePrefix();
        await expect(put(`${prefix}a`, "", { file: join(await temporaryFolder(), "absent") })).rejects.toThrow("absent");
        expect(await everyVersion(prefix)).toEqual([]);
      });

      it("stores nothing when it was cancelled before it began", async () => {
        const prefix = uniquePrefix();
        await expect(put(`${prefix}a`, "x", { signal: AbortSignal.abort() })).rejects.toSatisfy(isCancellation);
        expect(await everyVersion(prefix)).toEqual([]);
      });

      it("stores nothing when it is cancelled half-way", async () => {
        const prefix = uniquePrefix();
        const controller = new AbortController();
        const storing = put(`${prefix}a`, randomBytes(8 * 1024 * 1024), { signal: controller.signal, onBytes: () => controller.abort() });
        await expect(storing).rejects.toSatisfy(isCancellation);
        expect(await everyVersion(prefix)).toEqual([]);
      });
    });

    describe("versions", () => {
      it("makes a new version each time and keeps the former ones readable", async () => {
        const key = `${uniquePrefix()}a`;
        const first = await put(key, "one");
        const second = await put(key, "two");
        expect(second.versionId).not.toBe(first.versionId);
        expect(await contentOf(first)).toBe("one");
        expect(await contentOf(second)).toBe("two");
      });

      it("answers the latest version when none is named", async () => {
        const key = `${uniquePrefix()}a`;
        await put(key, "one");
        const second = await put(key, "two");
        expect(await store.head("raw-data", key)).toEqual(second);
      });

      it("streams every version by key, oldest first", async () => {
        const prefix = uniquePrefix();
        const stored: string[] = [];
        for (const [name, content] of [
          ["b", "1"],
          ["a", "2"],
          ["b", "3"],
          ["a", "4"],
          ["b", "5"],
        ] as const) {
          stored.push((await put(prefix + name, content)).versionId);
        }
        const [b1, a2, b3, a4, b5] = stored;
        expect((await everyVersion(prefix)).map((info) => info.versionId)).toEqual([a2, a4, b1, b3, b5]);
      });

      it("streams only the versions below a prefix, which may end inside a name", async () => {
        const prefix = uniquePrefix();
        for (const name of ["ab/1", "abc", "ac", "b"]) await put(prefix + name, name);
        expect((await everyVersion(`${prefix}ab`)).map((info) => info.key)).toEqual([`${prefix}ab/1`, `${prefix}abc`]);
      });

      it("is idempotent for one run: the same content again is the same version", async () => {
        const prefix = uniquePrefix();
        const first = await put(`${prefix}a`, "same", { run: "run-1" });
        expect(await put(`${prefix}a`, "same", { run: "run-1" })).toEqual(first);
        expect(await everyVersion(prefix)).toHaveLength(1);
      });

      it("makes a version for other content of the same run, and for the same content of another run", async () => {
        const prefix = uniquePrefix();
        await put(`${prefix}a`, "one", { run: "run-1" });
        await put(`${prefix}a`, "two", { run: "run-1" });
        await put(`${prefix}a`, "two", { run: "run-2" });
        expect((await everyVersion(prefix)).map(({ run, size }) => [run, size])).toEqual([
          ["run-1", 3],
          ["run-1", 3],
          ["run-2", 3],
        ]);
      });

      it("compares with the latest version only: content that returns is a new version", async () => {
        const prefix = uniquePrefix();
        const first = await put(`${prefix}a`, "one", { run: "run-1" });
        await put(`${prefix}a`, "two", { run: "run-1" });
        const third = await put(`${prefix}a`, "one", { run: "run-1" });
        expect(third.versionId).not.toBe(first.versionId);
        expect(await store.head("raw-data", `${prefix}a`)).toEqual(third);
      });

      it("keeps every one of several puts of a key at once", async () => {
        const prefix = uniquePrefix();
        const contents = Array.from({ length: 12 }, (_, index) => `content ${index}`);
        const stored = await Promise.all(contents.map((content) => put(`${prefix}a`, content)));
        expect(new Set(stored.map((info) => info.versionId)).size).toBe(12);
        expect(await Promise.all(stored.map(contentOf))).toEqual(contents);
        expect(await everyVersion(prefix)).toHaveLength(12);
      });

      it("stores many keys at once, each with its own content", async () => {
        const prefix = uniquePrefix();
        const keys = Array.from({ length: 40 }, (_, index) => `${prefix}d${index % 5}/f${index}`);
        const stored = await Promise.all(keys.map((key) => put(key, `content of ${key}`)));
        expect(await Promise.all(stored.map(contentOf))).toEqual(keys.map((key) => `content of ${key}`));
      });
    });

    describe("prepare", () => {
      const prepare = async (key: string, content: string) =>
        store.prepare({
          bucket: "raw-data",
          key,
          file: await temporaryFile(content),
          mediaType: "text/plain",
          run: "run-1",
          signal: never,
        });

      it("knows the content before anything is stored", async () => {
        const prefix = uniquePrefix();
        const prepared = await prepare(`${prefix}a`, "to be decided");
        onTestFinished(() => prepared.discard());
        expect(prepared.content).toEqual(hashOf("to be decided"));
        expect(await everyVersion(prefix)).toEqual([]);
        expect(await store.head("raw-data", `${prefix}a`)).toBeUndefined();
      });

      it("stores on commit what it prepared", async () => {
        const prepared = await prepare(`${uniquePrefix()}a`, "committed");
        const info = await prepared.commit();
        expect(info).toMatchObject({ ...prepared.content, run: "run-1" });
        expect(await contentOf(info)).toBe("committed");
      });

      it("leaves nothing after a discard, and nothing changes by a discard after the commit", async () => {
        const prefix = uniquePrefix();
        await (await prepare(`${prefix}dropped`, "x")).discard();
        const kept = await prepare(`${prefix}kept`, "y");
        const info = await kept.commit();
        await kept.discard();
        expect(await everyVersion(prefix)).toEqual([info]);
        expect(await contentOf(info)).toBe("y");
      });

      it("commits the same content of one run to one version, also when both were prepared before", async () => {
        const key = `${uniquePrefix()}a`;
        const both = await Promise.all([prepare(key, "same"), prepare(key, "same")]);
        const [first, second] = await Promise.all(both.map((prepared) => prepared.commit()));
        expect(second).toEqual(first);
      });
    });

    describe("absent objects", () => {
      it("has no head for an absent key, nor for an absent version of a present key", async () => {
        const info = await put(`${uniquePrefix()}a`, "x");
        const other = await put(`${uniquePrefix()}b`, "y");
        expect(await store.head("raw-data", `${info.key}-absent`)).toBeUndefined();
        expect(await store.head("raw-data", info.key, other.versionId)).toBeUndefined();
        expect(await store.head("staging-data", info.key, info.versionId)).toBeUndefined();
      });

      it.each(["../../../../etc/passwd", "not a version", ""])("has no version with the id %j", async (versionId) => {
        const info = await put(`${uniquePrefix()}a`, "x");
        await expect(store.read({ ...info, versionId })).rejects.toMatchObject({ kind: "terminal", code: "object-not-found" });
      });

      it("refuses to read or materialize what is not there", async () => {
        const info = await put(`${uniquePrefix()}a`, "x");
        const absent = { ...info, key: `${info.key}-absent` };
        const error = { kind: "terminal", code: "object-not-found" };
        await expect(store.read(absent)).rejects.toMatchObject(error);
        await expect(store.materialize(absent, info, await temporaryFolder(), never)).rejects.toMatchObject(error);
      });
    });

    describe("read and materialize", () => {
      it("ends a read with an error when it is cancelled", async () => {
        const info = await put(`${uniquePrefix()}a`, randomBytes(8 * 1024 * 1024));
        const controller = new AbortController();
        const stream = await store.read(info, controller.signal);
        const reading = (async () => {
          for await (const _ of stream) controller.abort();
        })();
        await expect(reading).rejects.toSatisfy(isCancellation);
      });

      it("gives a local file with exactly the bytes of the version", async () => {
        const key = `${uniquePrefix()}a`;
        const first = await put(key, "one");
        await put(key, "two");
        const file = await store.materialize(first, first, await temporaryFolder(), never);
        expect(await readFile(file, "utf8")).toBe("one");
      });

      it("refuses to materialize a version that is not the expected content", async () => {
        const info = await put(`${uniquePrefix()}a`, "one");
        await expect(store.materialize(info, hashOf("two"), await temporaryFolder(), never)).rejects.toMatchObject({
          kind: "terminal",
          code: "hash-mismatch",
        });
      });
    });

    describe("removal", () => {
      it("removes one version and no other", async () => {
        const key = `${uniquePrefix()}a`;
        const first = await put(key, "one");
        const second = await put(key, "two");
        await store.removeVersion(second);
        expect(await store.head("raw-data", key)).toEqual(first);
        expect(await store.head("raw-data", key, second.versionId)).toBeUndefined();
        expect(await contentOf(first)).toBe("one");
      });

      it("is idempotent, and lists nothing of a key whose versions are all gone", async () => {
        const prefix = uniquePrefix();
        const info = await put(`${prefix}d/a`, "one");
        await store.removeVersion(info);
        await store.removeVersion(info);
        expect(await everyVersion(prefix)).toEqual([]);
        expect(await listedNames({ prefix, hierarchical: false, limit: 10 })).toEqual([]);
        expect(await listedNames({ prefix, hierarchical: true, limit: 10 })).toEqual([]);
      });

      it("stores neighbours while others of their folder are removed", async () => {
        const prefix = uniquePrefix();
        for (let round = 0; round < 10; round += 1) {
          const old = await put(`${prefix}d/e/old`, "x");
          const [kept] = await Promise.all([put(`${prefix}d/e/new${round}`, "y"), store.removeVersion(old)]);
          expect(await contentOf(kept)).toBe("y");
        }
      });
    });

    describe("list", () => {
      const names = ["a", "a.txt", "a/1", "a/2", "a0", "b/c/d", "ç", "ü/1", "\u{1F600}", "\uFB00"];

      async function stored(): Promise<string> {
        const prefix = uniquePrefix();
        // "a" and "a/1" together are not for every store.
        for (const name of names.filter((each) => each !== "a")) await put(prefix + name, name);
        return prefix;
      }

      it("lists keys in the order of their UTF-8 bytes", async () => {
        const prefix = await stored();
        const expected = ["a.txt", "a/1", "a/2", "a0", "b/c/d", "ç", "ü/1", "\uFB00", "\u{1F600}"];
        expect(await listedNames({ prefix, hierarchical: false, limit: 1000 })).toEqual(expected.map((name) => prefix + name));
      });

      it("groups at the next slash, among the keys beside the groups", async () => {
        const prefix = await stored();
        const expected = ["a.txt", "a/", "a0", "b/", "ç", "ü/", "\uFB00", "\u{1F600}"];
        expect(await listedNames({ prefix, hierarchical: true, limit: 1000 })).toEqual(expected.map((name) => prefix + name));
        expect(await listedNames({ prefix: `${prefix}b/`, hierarchical: true, limit: 1000 })).toEqual([`${prefix}b/c/`]);
        expect(await listedNames({ prefix: `${prefix}b`, hierarchical: true, limit: 1000 })).toEqual([`${prefix}b/`]);
      });

      it.each([1, 2, 3, 8, 9])("gives the same keys in pages of %i, none empty, none too long", async (limit) => {
        const prefix = await stored();
        for (const hierarchical of [false, true]) {
          const whole = await listedNames({ prefix, hierarchical, limit: 1000 });
          const paged = await pages({ prefix, hierarchical, limit });
          expect(paged.flat().map((item) => (item.type === "prefix" ? item.prefix : item.info.key))).toEqual(whole);
          expect(paged.every((page) => page.length <= limit && page.length > 0)).toBe(true);
        }
      });

      it("has no cursor when the last page is exactly full", async () => {
        const prefix = uniquePrefix();
        for (const name of ["1", "2"]) await put(prefix + name, name);
        expect((await store.list({ bucket: "raw-data", prefix, hierarchical: false, limit: 2 })).cursor).toBeUndefined();
      });

      it("shows the latest version of each key only", async () => {
        const prefix = uniquePrefix();
        await put(`${prefix}a`, "one");
        const latest = await put(`${prefix}a`, "two");
        expect(await pages({ prefix, hierarchical: false, limit: 10 })).toEqual([[{ type: "object", info: latest }]]);
      });

      it("goes on after the last key of a page although keys came and went meanwhile", async () => {
        const prefix = uniquePrefix();
        const before = await Promise.all(["b", "d", "f"].map((name) => put(prefix + name, name)));
        const first = await store.list({ bucket: "raw-data", prefix, hierarchical: false, limit: 2 });
        await store.removeVersion(before[1] as ObjectInfo);
        await put(`${prefix}a`, "before");
        await put(`${prefix}e`, "after");
        const rest = await store.list({ bucket: "raw-data", prefix, hierarchical: false, limit: 10, cursor: first.cursor as string });
        expect(rest.items.map((item) => item.type === "object" && item.info.key)).toEqual([`${prefix}e`, `${prefix}f`]);
      });

      it("keeps buckets apart, and lists nothing for a prefix nobody wrote", async () => {
        const prefix = uniquePrefix();
        await put(`${prefix}a`, "x");
        expect((await store.list({ bucket: "models", prefix, hierarchical: false, limit: 10 })).items).toEqual([]);
        expect(await listedNames({ prefix: uniquePrefix(), hierarchical: true, limit: 10 })).toEqual([]);
      });
    });

    describe("keys", () => {
      it.each([
        ["spaces and punctuation", "with space/100% = a+b ~c & 'd' \"e\" #f ?g;h,i@j"],
        ["accents composed", "s\u00e3o paulo.csv"],
        ["accents decomposed", "sa\u0303o paulo.csv"],
        ["other scripts and emoji", "数据/данные/\u{1F4CA}.csv"],
        ["a name of 255 bytes", `${"n".repeat(251)}.csv`],
        ["900 bytes in all", `${Array.from({ length: 8 }, () => "é".repeat(50)).join("/")}/${"k".repeat(52)}`],
        ["a dot first", ".hidden/..file"],
      ])("survives %s", async (_, name) => {
        const prefix = uniquePrefix();
        const info = await put(prefix + name, name);
        expect(info.key).toBe(prefix + name);
        expect(await contentOf(info)).toBe(name);
        expect(await listedNames({ prefix, hierarchical: false, limit: 10 })).toEqual([prefix + name]);
      });

      it("keeps composed and decomposed accents, and upper and lower case, apart", async () => {
        const prefix = uniquePrefix();
        const keys = ["A", "a", "\u00e3", "a\u0303"].map((name) => prefix + name);
        const stored = await Promise.all(keys.map((key) => put(key, key)));
        expect(await Promise.all(stored.map(contentOf))).toEqual(keys);
      });
    });
  });
}

function isCancellation(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return error.name === "AbortError" || ("kind" in error && error.kind === "cancelled");
}
