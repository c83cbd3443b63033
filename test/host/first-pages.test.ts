import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openFolderStore } from "../../src/adapters/local/object-store.ts";
import { ListingReadAgain, ListObjects, type ListingRead, ReadAhead } from "../../src/protocol/messages.ts";
import { temporaryFile } from "../support/folders.ts";
import { openTestHost, type TestHost } from "../support/host.ts";
import { SMALL_PROJECT } from "../support/small-project.ts";
import { createWorkspace, type TestWorkspace } from "../support/workspace.ts";

/** Longer than a page counts as just read. */
const NOT_YOUNG_MS = 2_100;
const ROOT = { bucket: "raw-data", prefix: "", limit: 100 } as const;

let workspace: TestWorkspace;
let host: TestHost;
let told: ListingRead[];

beforeEach(async () => {
  workspace = createWorkspace("first-pages");
  await open();
});

afterEach(async () => {
  await host.stop();
  workspace.remove();
});

async function open(): Promise<void> {
  host = await openTestHost(workspace.folder);
  told = [];
  host.rpc.onNotification(ListingReadAgain, (read) => {
    told.push(read);
  });
}

/** Behind the host's back. */
async function put(key: string): Promise<void> {
  const file = await temporaryFile(key);
  const store = openFolderStore(join(workspace.folder, ".eda", "objects"));
  await store.put({ bucket: "raw-data", key, file, mediaType: "text/plain", run: "r", signal: new AbortController().signal });
}

async function listed(firstPage?: "remembered" | "anew", prefix = ""): Promise<readonly [readonly string[], boolean]> {
  const { items, isBeingRead } = await host.rpc.sendRequest(ListObjects, {
    ...ROOT,
    prefix,
    ...(firstPage === undefined ? {} : { firstPage }),
  });
  return [items.map(({ key }) => key), isBeingRead];
}

async function untilTold(): Promise<ListingRead> {
  for (let waited = 0; told.length === 0 && waited < 10_000; waited += 20) await sleep(20);
  return told.shift() as ListingRead;
}

it("only whoever asks for a remembered page gets one; it is compared with the store behind the answer", async () => {
  await put("p/a");
  expect(await listed("remembered")).toEqual([["p/"], false]);
  await put("q/a");
  expect(await listed()).toEqual([["p/", "q/"], false]);
  await sleep(NOT_YOUNG_MS);
  expect(await listed("remembered")).toEqual([["p/"], true]);
  expect(await untilTold()).toEqual({ bucket: "raw-data", prefix: "", changed: true });
  expect((await listed("remembered"))[0]).toEqual(["p/", "q/"]);
  await put("r/a");
  expect(await listed("anew")).toEqual([["p/", "q/", "r/"], false]);
});

it("a page that was read ahead is there at once, also in the next host", async () => {
  await put("p/a");
  await host.rpc.sendRequest(ReadAhead, ROOT);
  await put("p/b");
  expect((await listed("remembered", "p/"))[0]).toEqual(["p/a"]);
  await host.stop();
  await sleep(NOT_YOUNG_MS);
  await open();
  expect(await listed("remembered", "p/")).toEqual([["p/a"], true]);
  expect(await untilTold()).toEqual({ bucket: "raw-data", prefix: "p/", changed: true });
});

it("what a run has changed is not remembered past its end", async () => {
  const prefix = `${SMALL_PROJECT}/`;
  expect(await listed("remembered", prefix)).toEqual([[], false]);
  await host.run("capture");
  expect((await host.run("ingest")).state).toBe("succeeded");
  expect((await listed("remembered", prefix))[0].length).toBeGreaterThan(0);
});
