import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it, vi } from "vitest";
import { openFolderStore } from "../../../src/adapters/local/object-store.ts";
import { type BucketName, BUCKETS } from "../../../src/domain/stage.ts";
import { type FirstPages, openFirstPages } from "../../../src/host/first-pages/first-pages.ts";
import { keptPages } from "../../../src/host/first-pages/kept.ts";
import { listEntries } from "../../../src/host/first-pages/list-entries.ts";
import { createPageMemory, type FirstPage, type Place, type PlacedPage } from "../../../src/host/first-pages/memory.ts";
import type { ListingRead } from "../../../src/protocol/messages.ts";
import { temporaryFile, temporaryFolder } from "../../support/folders.ts";

const BUCKET: BucketName = "raw-data";
const never = new AbortController().signal;
const place = (prefix: string): Place => ({ bucket: BUCKET, prefix, limit: 100 });
const names = ({ items }: { readonly items: readonly { readonly key: string }[] }) => items.map(({ key }) => key);

/** A store in a folder whose listings are counted and can be held up or refused, and pages of it. */
async function openWorld(kept: readonly PlacedPage[] = []) {
  const store = openFolderStore(await temporaryFolder());
  await store.ensureBuckets(BUCKETS);
  const world = {
    asked: [] as string[],
    /** Listings wait for it. */
    gate: Promise.resolve() as Promise<unknown>,
    refuses: false,
    cancelled: 0,
    told: [] as ListingRead[],
    async put(key: string, bucket: BucketName = BUCKET) {
      const file = await temporaryFile(key);
      await store.put({ bucket, key, file, mediaType: "text/plain", run: "run", signal: never });
    },
    pages: undefined as unknown as FirstPages,
  };
  world.pages = openFirstPages({
    kept,
    list: async ({ bucket, prefix, limit }, signal) => {
      world.asked.push(prefix);
      signal.addEventListener("abort", () => (world.cancelled += 1));
      await world.gate;
      if (world.refuses) throw new Error("away");
      return listEntries(store, { bucket, prefix, limit, signal });
    },
  });
  world.pages.onRead((read) => world.told.push(read));
  return world;
}

function openGate(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  return Promise.withResolvers<void>();
}

afterEach(() => {
  vi.useRealTimers();
});

/** So much later that no page is young any more. */
function later(): void {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 60_000 });
}

describe("the first page of a folder", () => {
  it("is read once, and shown from memory from then on while the store is asked again", async () => {
    const world = await openWorld();
    await world.put("p/a");
    const first = await world.pages.show(place("p/"), never);
    expect([names(first), first.isBeingRead]).toEqual([["p/a"], false]);
    await world.put("p/b");
    later();
    const gate = openGate();
    world.gate = gate.promise;
    const second = await world.pages.show(place("p/"), never);
    expect([names(second), second.isBeingRead, second.readAt]).toEqual([["p/a"], true, first.readAt]);
    expect(world.told).toEqual([]);
    gate.resolve();
    await vi.waitFor(() => expect(world.told).toEqual([{ bucket: BUCKET, prefix: "p/", changed: true }]));
    expect(names(await world.pages.show(place("p/"), never))).toEqual(["p/a", "p/b"]);
    expect(world.asked).toEqual(["p/", "p/"]);
  });

  it("that is still the same is told to be so", async () => {
    const world = await openWorld();
    await world.put("p/a");
    await world.pages.show(place("p/"), never);
    later();
    await world.pages.show(place("p/"), never);
    await vi.waitFor(() => expect(world.told).toEqual([{ bucket: BUCKET, prefix: "p/", changed: false }]));
  });

  it("that was read just now is not asked for again", async () => {
    const world = await openWorld();
    await world.put("p/a");
    await world.pages.show(place("p/"), never);
    expect((await world.pages.show(place("p/"), never)).isBeingRead).toBe(false);
    expect(world.asked).toEqual(["p/"]);
  });

  it("comes from the store itself for whoever asks so, also while an older reading is under way", async () => {
    const world = await openWorld();
    await world.put("p/a");
    await world.pages.show(place("p/"), never);
    later();
    const gate = openGate();
    world.gate = gate.promise;
    await world.pages.show(place("p/"), never);
    await world.put("p/b");
    world.gate = Promise.resolve();
    const read = await world.pages.read(place("p/"), never);
    expect([names(read), read.isBeingRead]).toEqual([["p/a", "p/b"], false]);
    gate.resolve();
    await vi.waitFor(() => expect(world.told).toHaveLength(1));
    expect(names(await world.pages.show(place("p/"), never))).toEqual(["p/a", "p/b"]);
  });

  it("of a store that is away is forgotten, so that the next look says what is wrong", async () => {
    const world = await openWorld();
    await world.put("p/a");
    await world.pages.show(place("p/"), never);
    later();
    world.refuses = true;
    expect(names(await world.pages.show(place("p/"), never))).toEqual(["p/a"]);
    await vi.waitFor(() => expect(world.told).toEqual([{ bucket: BUCKET, prefix: "p/", changed: true }]));
    await expect(world.pages.show(place("p/"), never)).rejects.toThrow("away");
  });

  it("is read once for all who wait, and cancelled when none does any more", async () => {
    const world = await openWorld();
    world.gate = new Promise(() => undefined);
    const [one, other] = [new AbortController(), new AbortController()];
    const shown = [one, other].map(({ signal }) => world.pages.show(place("p/"), signal));
    await vi.waitFor(() => expect(world.asked).toEqual(["p/"]));
    one.abort(new Error("closed"));
    await expect(shown[0]).rejects.toThrow("closed");
    expect(world.cancelled).toBe(0);
    other.abort(new Error("closed too"));
    await expect(shown[1]).rejects.toThrow("closed too");
    expect(world.cancelled).toBe(1);
  });
});

describe("after a run", () => {
  it("what its project holds is read again, and nothing else", async () => {
    const world = await openWorld();
    for (const key of ["p/a", "p/d/a", "other/a"]) await world.put(key);
    for (const prefix of ["", "p/", "p/d/", "other/"]) await world.pages.show(place(prefix), never);
    await world.put("p/d/b");
    world.asked.length = 0;
    await world.pages.changed("p", BUCKETS);
    expect(world.asked.sort()).toEqual(["", "p/", "p/d/"]);
    expect(names(await world.pages.show(place("p/d/"), never))).toEqual(["p/d/a", "p/d/b"]);
    expect(world.asked).toHaveLength(3);
  });

  it("a reading that began before its end is not remembered", async () => {
    const world = await openWorld();
    await world.put("p/a");
    await world.pages.show(place("p/"), never);
    later();
    const gate = openGate();
    world.gate = gate.promise.then(() => sleep(20));
    await world.pages.show(place("p/"), never);
    await vi.waitFor(() => expect(world.asked).toHaveLength(2));
    const changed = world.pages.changed("p", BUCKETS);
    await vi.waitFor(() => expect(world.asked).toHaveLength(3));
    gate.resolve();
    await changed;
    expect((await world.pages.show(place("p/"), never)).isBeingRead).toBe(false);
    expect(world.asked).toHaveLength(3);
  });
});

describe("reading ahead", () => {
  it("remembers a folder and the first folders in it, and asks for none twice", async () => {
    const world = await openWorld();
    for (const key of ["p/a", "p/d/a", "p/e/a"]) await world.put(key);
    await world.pages.show(place("p/d/"), never);
    await world.pages.readAhead(place("p/"), never);
    expect(world.asked).toEqual(["p/d/", "p/", "p/e/"]);
    expect(names(await world.pages.show(place("p/e/"), never))).toEqual(["p/e/a"]);
    expect(world.asked).toHaveLength(3);
  });

  it("reads a few folders of many", async () => {
    const world = await openWorld();
    for (let index = 10; index < 30; index += 1) await world.put(`p/${index}/a`);
    await world.pages.readAhead(place("p/"), never);
    expect(world.asked).toHaveLength(9);
  });

  it("lets people go first, and ends when it is cancelled", async () => {
    const world = await openWorld();
    for (const key of ["p/d/a", "p/e/a", "q/a"]) await world.put(key);
    const gate = openGate();
    world.gate = gate.promise;
    const shown = world.pages.show(place("q/"), never);
    const controller = new AbortController();
    const ahead = world.pages.readAhead(place("p/"), controller.signal);
    await sleep(20);
    expect(world.asked).toEqual(["q/"]);
    controller.abort(new Error("gone"));
    gate.resolve();
    await shown;
    await expect(ahead).rejects.toThrow("gone");
    expect(world.asked).toEqual(["q/"]);
  });
});

describe("the memory of pages", () => {
  const page = (count: number): FirstPage => ({
    readAt: "2026-11-24T12:00:00.000Z",
    items: Array.from({ length: count }, (_, index) => ({
      type: "prefix",
      key: `${index}/`,
      size: null,
      versionId: null,
      sha256: null,
      mediaType: null,
      storedAt: null,
    })),
  });

  it("forgets what was looked at longest ago", () => {
    const memory = createPageMemory([], 10);
    for (const prefix of ["a/", "b/"]) memory.set(place(prefix), page(4));
    memory.get(place("a/"));
    memory.set(place("c/"), page(4));
    expect(memory.all().map((each) => each.place.prefix)).toEqual(["a/", "c/"]);
    memory.set(place("a/"), page(1));
    memory.set(place("d/"), page(5));
    expect(memory.all().map((each) => each.place.prefix)).toEqual(["c/", "a/", "d/"]);
  });

  it("holds pages of another size apart", () => {
    const memory = createPageMemory([], 10);
    memory.set(place("a/"), page(1));
    expect(memory.has({ ...place("a/"), limit: 50 })).toBe(false);
  });

  it("outlives the host, for the same store and the same program", async () => {
    const folder = await temporaryFolder();
    const world = await openWorld();
    await world.put("p/a");
    await world.pages.show(place("p/"), never);
    keptPages(folder, "S3 one", "1").write(world.pages.close());
    expect(keptPages(folder, "S3 other", "1").read()).toEqual([]);
    expect(keptPages(folder, "S3 one", "2").read()).toEqual([]);
    const next = await openWorld(keptPages(folder, "S3 one", "1").read());
    later();
    expect(names(await next.pages.show(place("p/"), never))).toEqual(["p/a"]);
    await vi.waitFor(() => expect(next.told).toEqual([{ bucket: BUCKET, prefix: "p/", changed: true }]));
  });
});
