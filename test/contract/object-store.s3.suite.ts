/** What an S3 server can do to the store that a folder cannot. Runs over every S3 server there is. */
import { spawn } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { inspect } from "node:util";
import type { Client } from "minio";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { openS3Store, type S3Store } from "../../src/adapters/minio/object-store.ts";
import type { S3Options } from "../../src/adapters/minio/options.ts";
import { toEdaError } from "../../src/domain/errors.ts";
import { BUCKETS } from "../../src/domain/stage.ts";
import type { ObjectInfo, PutRequest } from "../../src/ports/object-store.ts";
import { temporaryFile, temporaryFolder } from "../support/folders.ts";
import { startProxy } from "../support/proxy.ts";
import { type Misbehaviour, startGateway } from "../support/servers/gateway.ts";
import type { S3Server } from "../support/servers/minio.ts";
import { incompleteUploads, openClient } from "../support/servers/s3-client.ts";
import { hashOf } from "./object-store.suite.ts";

const MIB = 1024 * 1024;
const never = new AbortController().signal;

export function s3StoreContract(name: string, startServer: () => Promise<S3Server>): void {
  describe(`object store on S3: ${name}`, () => {
    let server: S3Server;
    let store: S3Store;
    let client: Client;

    beforeAll(async () => {
      server = await startServer();
      store = openS3Store(server.access);
      client = openClient(server.access);
      await store.ensureBuckets(BUCKETS);
    });
    afterAll(async () => {
      await store.close();
      await server.stop();
    });

    const uniquePrefix = () => `t-${randomUUID()}/`;

    function opened(options: Partial<S3Options>): S3Store {
      const other = openS3Store({ ...server.access, ...options });
      onTestFinished(() => other.close());
      return other;
    }

    /** A store behind a gateway. */
    async function behind(behave: Parameters<typeof startGateway>[1]) {
      const gateway = await startGateway(server.port, behave);
      onTestFinished(() => gateway.stop());
      return { store: opened({ endpoint: gateway.url }), seen: gateway.seen };
    }

    async function request(key: string, content: string | Uint8Array, more: Partial<PutRequest> = {}): Promise<PutRequest> {
      const file = await temporaryFile(content);
      return { bucket: "raw-data", key, file, mediaType: "text/plain", run: "run-1", signal: never, ...more };
    }

    async function versionsOf(prefix: string): Promise<ObjectInfo[]> {
      const found: ObjectInfo[] = [];
      for await (const info of store.versions("raw-data", prefix)) found.push(info);
      return found;
    }

    describe("files in parts", () => {
      it("stores and reads one, byte by byte the same", async () => {
        const content = randomBytes(40 * MIB + 12345);
        const info = await store.put(await request(`${uniquePrefix()}large`, content));
        expect(info).toMatchObject(hashOf(content));
        expect(await store.head("raw-data", info.key)).toEqual(info);
        expect((await buffer(await store.read(info))).equals(content)).toBe(true);
        const file = await store.materialize(info, info, await temporaryFolder(), never);
        expect((await readFile(file)).equals(content)).toBe(true);
        expect(await incompleteUploads(client, "raw-data", info.key)).toEqual([]);
      });

      it.each([4 * MIB, 4 * MIB + 1, 16 * MIB, 16 * MIB + 1, 32 * MIB])("stores one of %i bytes", async (size) => {
        const content = randomBytes(size);
        const reported: number[] = [];
        const info = await store.put(await request(`${uniquePrefix()}a`, content, { onBytes: (bytes) => reported.push(bytes) }));
        expect(info).toMatchObject(hashOf(content));
        expect(reported.reduce((sum, bytes) => sum + bytes, 0)).toBe(size);
        expect((await buffer(await store.read(info))).equals(content)).toBe(true);
      });

      it("is idempotent for one run", async () => {
        const put = await request(`${uniquePrefix()}a`, randomBytes(17 * MIB));
        const first = await store.put(put);
        expect(await store.put(put)).toEqual(first);
        expect(await versionsOf(put.key)).toHaveLength(1);
      });

      it("leaves neither version nor part when it is cancelled between parts", async () => {
        const controller = new AbortController();
        let stored = 0;
        const put = await request(`${uniquePrefix()}a`, randomBytes(64 * MIB), {
          signal: controller.signal,
          onBytes: (bytes) => {
            stored += bytes;
            // The first half is hashing.
            if (stored > 34 * MIB) controller.abort();
          },
        });
        await expect(store.put(put)).rejects.toSatisfy((error) => toEdaError(error).kind === "cancelled");
        expect(await versionsOf(put.key)).toEqual([]);
        expect(await incompleteUploads(client, "raw-data", put.key)).toEqual([]);
      });

      it("stores what it prepared, also when the file changes after it was sent", async () => {
        const content = randomBytes(20 * MIB);
        const put = await request(`${uniquePrefix()}a`, content, { isLikelyNew: true });
        const prepared = await store.prepare(put);
        expect(await incompleteUploads(client, "raw-data", put.key)).toHaveLength(1);
        expect(await versionsOf(put.key)).toEqual([]);
        await writeFile(put.file, randomBytes(20 * MIB));
        const info = await prepared.commit();
        expect(info).toMatchObject(hashOf(content));
        expect((await buffer(await store.read(info))).equals(content)).toBe(true);
      });

      it("leaves no part of what it sent and was told to discard", async () => {
        const put = await request(`${uniquePrefix()}a`, randomBytes(20 * MIB), { isLikelyNew: true });
        const prepared = await store.prepare(put);
        await prepared.discard();
        await prepared.discard();
        expect(await incompleteUploads(client, "raw-data", put.key)).toEqual([]);
        expect(await versionsOf(put.key)).toEqual([]);
      });

      it("commits the same content of one run to one version, also when both were sent before", async () => {
        const put = await request(`${uniquePrefix()}a`, randomBytes(20 * MIB), { isLikelyNew: true });
        const both = [await store.prepare(put), await store.prepare(put)];
        const [first, second] = await Promise.all(both.map((prepared) => prepared.commit()));
        expect(second).toEqual(first);
        expect(await versionsOf(put.key)).toEqual([first]);
        expect(await incompleteUploads(client, "raw-data", put.key)).toEqual([]);
      });

      it("does not send a file again whose latest version is as large, until it is known to differ", async () => {
        const content = randomBytes(20 * MIB);
        const first = await store.put(await request(`${uniquePrefix()}a`, content));
        const put = await request(first.key, content, { isLikelyNew: true, run: "run-2" });
        const prepared = await store.prepare(put);
        expect(await incompleteUploads(client, "raw-data", put.key)).toEqual([]);
        await prepared.discard();
      });

      it("tells the hashes of a large file in listings and heads, and of one that lost them only its size", async () => {
        const info = await store.put(await request(`${uniquePrefix()}a`, randomBytes(17 * MIB)));
        const list = async () => (await store.list({ bucket: "raw-data", prefix: info.key, hierarchical: false, limit: 1 })).items;
        expect(await list()).toEqual([{ type: "object", info }]);
        await client.removeObjectTagging("raw-data", info.key, { versionId: info.versionId });
        expect(await store.head("raw-data", info.key)).toEqual({ ...info, md5: "", sha256: "" });
        const file = await store.materialize(info, info, await temporaryFolder(), never);
        expect(hashOf(await readFile(file))).toMatchObject({ sha256: info.sha256 });
      });

      it("lets go of a connection whose content turns out to be another than expected", async () => {
        const info = await store.put(await request(`${uniquePrefix()}a`, randomBytes(20 * MIB)));
        const other = openS3Store(server.access);
        await expect(other.materialize(info, { ...info, sha256: "0" }, await temporaryFolder(), never)).rejects.toMatchObject({
          code: "hash-mismatch",
        });
        await other.close();
      });

      it("leaves neither version nor part when the file changes after it was hashed", async () => {
        const put = await request(`${uniquePrefix()}a`, randomBytes(20 * MIB));
        const prepared = await store.prepare(put);
        await writeFile(put.file, randomBytes(20 * MIB));
        await expect(prepared.commit()).rejects.toMatchObject({ kind: "terminal", code: "file-changed" });
        expect(await versionsOf(put.key)).toEqual([]);
        expect(await incompleteUploads(client, "raw-data", put.key)).toEqual([]);
      });

      it("aborts at its start what a killed process left", async () => {
        const uploadNotes = join(await temporaryFolder(), "uploads");
        const put = await request(`${uniquePrefix()}a`, randomBytes(64 * MIB));
        await putAndBeKilled({ ...server.access, uploadNotes }, put, 34 * MIB);
        expect(await incompleteUploads(client, "raw-data", put.key)).toHaveLength(1);
        await opened({ uploadNotes }).ensureBuckets(BUCKETS);
        expect(await incompleteUploads(client, "raw-data", put.key)).toEqual([]);
        expect(await versionsOf(put.key)).toEqual([]);
      });

      it("goes on when the server was killed in the middle and is there again", async () => {
        const content = randomBytes(96 * MIB);
        let restarted: Promise<void> | undefined;
        let stored = 0;
        const put = await request(`${uniquePrefix()}a`, content, {
          onBytes: (bytes) => {
            stored += bytes;
            if (stored > 56 * MIB) restarted ??= server.kill().then(() => server.restart());
          },
        });
        const info = await store.put(put);
        await restarted;
        expect(restarted).toBeDefined();
        expect((await buffer(await store.read(info))).equals(content)).toBe(true);
        expect(await versionsOf(put.key)).toEqual([info]);
        expect(await incompleteUploads(client, "raw-data", put.key)).toEqual([]);
      });
    });

    describe("shaky connections", () => {
      const once = (behaviour: Misbehaviour, matches: (line: string) => boolean) => {
        let isDone = false;
        return ({ method, url }: { method?: string | undefined; url?: string | undefined }) => {
          if (isDone || !matches(`${method} ${url}`)) return undefined;
          isDone = true;
          return behaviour;
        };
      };
      const slowDown = { answer: { status: 503, body: "<Error><Code>SlowDown</Code><Message>Slow down.</Message></Error>" } };

      it("asks again when the server is busy", async () => {
        const { store: shaky, seen } = await behind(once(slowDown, (line) => line.startsWith("PUT")));
        const put = await request(`${uniquePrefix()}a`, "busy");
        const info = await shaky.put(put);
        expect(await versionsOf(put.key)).toEqual([info]);
        expect(seen.filter((line) => line.startsWith("PUT")).length).toBeGreaterThan(1);
      });

      it("gives up on a server that stays busy, and says so", async () => {
        const { store: shaky } = await behind(() => slowDown);
        await expect(shaky.head("raw-data", "a")).rejects.toMatchObject({ kind: "transient", code: "store-busy" });
      });

      it("stores one version when the answer to the first attempt was lost", async () => {
        const prefix = uniquePrefix();
        const { store: shaky } = await behind(once({ loseAnswer: true }, (line) => line.startsWith("PUT") && line.includes("lost")));
        await shaky.put(await request(`${prefix}first`, "finds out what the server can do"));
        const info = await shaky.put(await request(`${prefix}lost`, "lost"));
        expect(await versionsOf(`${prefix}lost`)).toEqual([info]);
      });

      it("stores one version when the answer to the completed upload was lost", async () => {
        const { store: shaky } = await behind(once({ loseAnswer: true }, (line) => line.startsWith("POST") && line.includes("uploadId")));
        const put = await request(`${uniquePrefix()}a`, randomBytes(17 * MIB));
        const info = await shaky.put(put);
        expect(await versionsOf(put.key)).toEqual([info]);
      });

      it("sends a part again that got stuck on a network gone silent", async () => {
        const proxy = await startProxy(server.port);
        onTestFinished(() => proxy.stop());
        const stuck = proxy.trap("partNumber=2");
        const hasty = opened({ endpoint: `http://127.0.0.1:${proxy.port}`, stallMs: 500 });
        const put = await request(`${uniquePrefix()}a`, randomBytes(17 * MIB));
        const storing = hasty.put(put);
        await stuck.caught;
        const info = await storing;
        expect(await versionsOf(put.key)).toEqual([info]);
        expect(await incompleteUploads(client, "raw-data", put.key)).toEqual([]);
      });

      it("takes a read up where the connection broke", async () => {
        const content = randomBytes(5 * MIB);
        const info = await store.put(await request(`${uniquePrefix()}a`, content));
        const { store: shaky, seen } = await behind(once({ cutAnswerAfter: 2 * MIB }, (line) => line.startsWith("GET")));
        expect((await buffer(await shaky.read(info))).equals(content)).toBe(true);
        expect(seen.filter((line) => line.startsWith("GET"))).toHaveLength(2);
      });

      it("is idempotent also where a gateway forgets the condition that a key is new", async () => {
        const { store: forgetful } = await behind(() => ({ without: "if-none-match" }));
        const prefix = uniquePrefix();
        for (const name of ["first", "second"]) {
          const put = await request(prefix + name, name);
          const info = await forgetful.put(put);
          expect(await forgetful.put(put)).toEqual(info);
        }
        expect(await versionsOf(prefix)).toHaveLength(2);
      });

      it("sends one request a new file, once it knows the server", async () => {
        const { store: watched, seen } = await behind(() => undefined);
        const prefix = uniquePrefix();
        await watched.put(await request(`${prefix}first`, "finds out"));
        const before = seen.length;
        for (const name of ["a", "b", "c"]) await watched.put(await request(prefix + name, name));
        expect(seen.slice(before)).toEqual(["a", "b", "c"].map((key) => `PUT /raw-data/${prefix}${key}`));
      });
    });

    describe("who else is there", () => {
      it("shows what others put into a bucket, without hashes, and counts it to nobody's versions", async () => {
        const prefix = uniquePrefix();
        await client.putObject("raw-data", `${prefix}theirs`, "theirs", 6, { "content-type": "text/csv" });
        const mine = await store.put(await request(`${prefix}mine`, "mine"));
        const listed = (await store.list({ bucket: "raw-data", prefix, hierarchical: false, limit: 10 })).items;
        expect(listed).toEqual([
          { type: "object", info: mine },
          { type: "object", info: expect.objectContaining({ key: `${prefix}theirs`, size: 6, sha256: "", run: "" }) },
        ]);
        expect(await versionsOf(prefix)).toEqual([mine]);
      });

      it("does not list a key that others deleted, and keeps its versions readable", async () => {
        const prefix = uniquePrefix();
        const info = await store.put(await request(`${prefix}a`, "kept"));
        await client.removeObject("raw-data", info.key);
        expect((await store.list({ bucket: "raw-data", prefix, hierarchical: false, limit: 10 })).items).toEqual([]);
        expect(await store.head("raw-data", info.key)).toBeUndefined();
        expect(await versionsOf(prefix)).toEqual([info]);
        expect((await buffer(await store.read(info))).toString()).toBe("kept");
        const next = await store.put(await request(`${prefix}a`, "again", { run: "run-2" }));
        expect(await versionsOf(prefix)).toEqual([info, next]);
      });
    });

    it("streams and pages more versions than a server tells at once", async () => {
      const prefix = uniquePrefix();
      const file = await temporaryFile("x");
      const count = 1_010;
      const keys = Array.from({ length: count }, (_, index) => `${prefix}${String(index).padStart(4, "0")}`);
      const put = async (key: string, run: string) =>
        store.put({ bucket: "raw-data", key, file, mediaType: "text/plain", run, signal: never });
      const stored = await Promise.all(keys.map((key) => put(key, "run-1")));
      // The last of a server's page, so that its versions lie on both sides.
      const more = [await put(keys[999] as string, "run-2"), await put(keys[999] as string, "run-3")];
      const expected = [...stored.slice(0, 1000), ...more, ...stored.slice(1000)];
      expect((await versionsOf(prefix)).map((info) => info.versionId)).toEqual(expected.map((info) => info.versionId));
      const first = await store.list({ bucket: "raw-data", prefix, hierarchical: false, limit: 1000 });
      const second = await store.list({ bucket: "raw-data", prefix, hierarchical: false, limit: 1000, cursor: first.cursor as string });
      const listed = [...first.items, ...second.items].map((item) => item.type === "object" && item.info.key);
      expect(listed).toEqual(keys);
      expect(second.cursor).toBeUndefined();
    });

    describe("buckets", () => {
      it("refuses one with content that keeps no versions, and says how to switch them on", async () => {
        const own = await startServer();
        onTestFinished(() => own.stop());
        const theirs = openClient(own.access);
        await theirs.makeBucket("raw-data");
        await theirs.putObject("raw-data", "a", "theirs", 6);
        await expect(opened(own.access).ensureBuckets(["raw-data"])).rejects.toMatchObject({
          kind: "precondition",
          code: "versioning-off",
          todo: expect.stringContaining("mc version enable"),
        });
        expect((await theirs.getBucketVersioning("raw-data"))?.Status).not.toBe("Enabled");
      });

      it("finishes one whose making was interrupted", async () => {
        const own = await startServer();
        onTestFinished(() => own.stop());
        const theirs = openClient(own.access);
        await theirs.makeBucket("raw-data");
        const other = opened(own.access);
        await other.ensureBuckets(["raw-data"]);
        expect((await theirs.getBucketVersioning("raw-data"))?.Status).toBe("Enabled");
        expect(await other.listBuckets()).toEqual(["raw-data"]);
      });

      it("makes them with object lock where it is wanted", async () => {
        const own = await startServer();
        onTestFinished(() => own.stop());
        await opened({ ...own.access, objectLock: true }).ensureBuckets(["models"]);
        expect(await openClient(own.access).getObjectLockConfig("models")).toMatchObject({ objectLockEnabled: "Enabled" });
      });
    });

    describe("being refused", () => {
      it.each([
        ["a wrong secret", { secretKey: "wrong-secret-0123456789" }],
        ["an unknown access key", { accessKey: "unknown-access-key" }],
      ])("says so for %s, and shows no secret", async (_, wrong) => {
        const other = opened(wrong);
        const put = await request(`${uniquePrefix()}a`, "x");
        const listing = { bucket: "raw-data", prefix: "", hierarchical: true, limit: 10 } as const;
        for (const work of [() => other.ensureBuckets(BUCKETS), () => other.list(listing), () => other.put(put)]) {
          const error: unknown = await work().then(
            () => undefined,
            (reason: unknown) => reason,
          );
          expect(error).toMatchObject({ kind: "precondition", code: "store-refused", todo: expect.stringContaining("EDA_S3_SECRET_KEY") });
          const everything = inspect(error, { depth: 10, showHidden: true });
          for (const secret of [server.access.secretKey, server.access.accessKey, ...Object.values(wrong)]) {
            expect(everything).not.toContain(secret);
          }
        }
      });

      it("explains clocks that differ", async () => {
        vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 20 * 60_000 });
        onTestFinished(() => void vi.useRealTimers());
        await expect(opened({}).ensureBuckets(BUCKETS)).rejects.toMatchObject({ kind: "precondition", code: "clock-skew" });
      });

      it("says that it asked for another region than the server's", async () => {
        const other = opened({ region: "sa-east-1" });
        await expect(other.list({ bucket: "raw-data", prefix: "", hierarchical: true, limit: 10 })).rejects.toMatchObject({
          kind: "precondition",
          code: "wrong-region",
        });
      });

      it("says that a store is away", async () => {
        const gone = opened({ endpoint: "http://127.0.0.1:9" });
        await expect(gone.head("raw-data", "a")).rejects.toMatchObject({ kind: "unavailable", code: "store-away" });
        await expect(gone.ensureBuckets(BUCKETS)).rejects.toMatchObject({ kind: "unavailable", code: "store-away" });
      });
    });
  });
}

/** Puts from a process of its own that is killed once so many bytes have passed. */
async function putAndBeKilled(options: S3Options, put: PutRequest, afterBytes: number): Promise<void> {
  const script = `
    import { openS3Store } from ${JSON.stringify(new URL("../../src/adapters/minio/object-store.ts", import.meta.url).href)};
    const [options, put, after] = JSON.parse(process.env.TEST_PUT);
    let passed = 0;
    const onBytes = (bytes) => { passed += bytes; if (passed > after) process.kill(process.pid, "SIGKILL"); };
    await openS3Store(options).put({ ...put, signal: new AbortController().signal, onBytes });
  `;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    env: { ...process.env, TEST_PUT: JSON.stringify([options, put, afterBytes]) },
    stdio: "inherit",
  });
  const [, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
  expect(signal).toBe("SIGKILL");
}
