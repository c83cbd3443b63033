import { describe, expect, it } from "vitest";
import { type ListingContext, ListingNode } from "../../../src/extension/views/listing-node.ts";
import type { ListedObjects, ListObjectsParams, ObjectEntry } from "../../../src/protocol/messages.ts";

const READ_AT = "2026-11-24T12:00:00.000Z";
const BUCKET_ROW = { label: "raw-data", icon: { id: "database" }, context: "bucket" };

function entry(key: string): ObjectEntry {
  const type = key.endsWith("/") ? "prefix" : "object";
  return { type, key, size: null, versionId: null, sha256: null, mediaType: null, storedAt: null };
}

/** A bucket whose host answers what it is told to, and remembers what it was asked. */
function openBucket(keys: readonly string[]) {
  const host = {
    keys,
    isBeingRead: false,
    asked: [] as ListObjectsParams[],
    ahead: [] as string[],
    refreshed: [] as string[],
  };
  const context: ListingContext = {
    list: async (params): Promise<ListedObjects> => {
      host.asked.push(params);
      const from = Number(params.cursor ?? 0);
      const inside = host.keys.filter((key) => key.startsWith(params.prefix));
      const next = from + params.limit;
      return {
        items: inside.slice(from, next).map(entry),
        ...(next < inside.length ? { cursor: String(next) } : {}),
        readAt: READ_AT,
        isBeingRead: host.isBeingRead,
      };
    },
    readAhead: (bucket, prefix) => host.ahead.push(`${bucket}/${prefix}`),
    pageSize: () => 2,
    refresh: (node) => host.refreshed.push(node.id),
  };
  return { host, node: new ListingNode("raw-data", "", BUCKET_ROW, context) };
}

const labels = async (node: ListingNode) => (await node.children()).map((child) => child.row().label);

describe("a bucket in the tree", () => {
  it("takes what the host remembers, says that it is read again, and stops saying so", async () => {
    const { host, node } = openBucket(["a", "b"]);
    host.isBeingRead = true;
    expect(await labels(node)).toEqual(["a", "b"]);
    expect(host.asked).toEqual([{ bucket: "raw-data", prefix: "", limit: 2, firstPage: "remembered" }]);
    expect(host.refreshed).toEqual([node.id]);
    expect(node.row().description).toMatch(/^as of .*, reading again…$/u);
    expect(node.row().icon?.id).toBe("loading~spin");
    node.wasReadAgain(false);
    expect(node.row()).toEqual(BUCKET_ROW);
    expect(host.refreshed).toEqual([node.id, node.id]);
    await node.children();
    expect(host.asked).toHaveLength(1);
  });

  it("asks again when it was told that something changed", async () => {
    const { host, node } = openBucket(["a"]);
    host.isBeingRead = true;
    await node.children();
    host.keys = ["a", "b"];
    host.isBeingRead = false;
    node.wasReadAgain(true);
    expect(await labels(node)).toEqual(["a", "b"]);
    expect(node.row()).toEqual(BUCKET_ROW);
  });

  it("goes past the host's memory when a person asks for it, once", async () => {
    const { host, node } = openBucket(["a", "b", "c"]);
    await node.children();
    node.invalidate(true);
    await node.children();
    node.invalidate(false);
    await node.children();
    expect(host.asked.map(({ firstPage }) => firstPage)).toEqual(["remembered", "anew", "remembered"]);
  });

  it("asks for later pages without the memory", async () => {
    const { host, node } = openBucket(["a", "b", "c"]);
    const more = (await node.children()).at(-1) as unknown as { load(): Promise<void> };
    await more.load();
    expect(host.asked[1]).toEqual({ bucket: "raw-data", prefix: "", limit: 2, cursor: "2" });
    expect(await labels(node)).toEqual(["a", "b", "c"]);
  });

  it("lets its folders be read ahead, and finds them by their prefix", async () => {
    const { host, node } = openBucket(["p/", "x"]);
    await node.children();
    expect(host.ahead).toEqual(["raw-data/"]);
    host.keys = ["p/d/"];
    const folder = node.find("p/");
    await folder?.children();
    expect(node.find("p/d/")?.prefix).toBe("p/d/");
    expect(node.find("q/")).toBeUndefined();
  });
});
