/** What is Google's own in writing: resumable sessions, faults on the way, quota, duplicates. */
import { randomBytes } from "node:crypto";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Drive } from "../../src/ports/drive.ts";
import { temporaryFile, temporaryFolder } from "../support/folders.ts";
import { ANA, type GoogleBench, googleBench } from "../support/google-drive.ts";

const MIB = 1024 * 1024;
const never = new AbortController().signal;

/** Names and contents of what is below the folder. */
function held({ server, folder }: GoogleBench): [string, Buffer][] {
  return server.state
    .children(folder)
    .filter(({ trashed }) => !trashed)
    .map(({ id, name }) => [name, server.state.content(id)]);
}

function ranges({ server }: GoogleBench): (string | undefined)[] {
  return server.requests.filter(({ operation }) => operation === "sessions.put").map(({ contentRange }) => contentRange);
}

async function notes({ stateFolder }: GoogleBench): Promise<string[]> {
  return readdir(join(stateFolder, "uploads")).catch(() => []);
}

describe("an upload", () => {
  it("goes in chunks of a multiple of 256 KiB", async () => {
    const bench = await googleBench();
    const content = randomBytes(600 * 1024);
    await bench.drive.upload(bench.folder, ["a"], await temporaryFile(content), never);
    expect(ranges(bench)).toEqual(["bytes 0-262143/614400", "bytes 262144-524287/614400", "bytes 524288-614399/614400"]);
    expect(held(bench)).toEqual([["a", content]]);
    expect(await notes(bench)).toEqual([]);
  });

  it("says what kind of file it is", async () => {
    const bench = await googleBench();
    const { id } = await bench.drive.upload(bench.folder, ["train.csv"], await temporaryFile("a,b"), never);
    expect(bench.server.state.item(id).mimeType).toBe("text/csv");
  });

  it("goes on where the connection broke in the middle of a chunk", async () => {
    const bench = await googleBench();
    const drive = await bench.open({ limits: { chunkBytes: MIB } });
    const content = randomBytes(3 * MIB);
    bench.server.faults.fail("sessions.put", { kind: "cut-upload", afterBytes: 600 * 1024 }, 2);
    await drive.upload(bench.folder, ["a"], await temporaryFile(content), never);
    expect(held(bench)).toEqual([["a", content]]);
    expect(ranges(bench)).toContain(`bytes 524288-${524288 + MIB - 1}/${3 * MIB}`);
  });

  it("whose answer was lost is there once", async () => {
    const bench = await googleBench();
    const content = randomBytes(100_000);
    bench.server.faults.fail("sessions.put", { kind: "lose-answer" });
    bench.server.faults.fail("sessions.start", { kind: "lose-answer" });
    await bench.drive.upload(bench.folder, ["d", "a"], await temporaryFile(content), never);
    const [inner, ...others] = bench.server.state.children(bench.folder);
    expect(others).toEqual([]);
    expect(bench.server.state.children(inner?.id as string).map(({ name }) => name)).toEqual(["a"]);
  });

  it.each([404, 410] as const)("begins a new session when Drive has forgotten the old one (%i)", async (status) => {
    const bench = await googleBench();
    const content = randomBytes(700_000);
    bench.server.faults.add({ operations: ["sessions.put"], skip: 1, times: 1, fault: { kind: "expired-session", status } });
    await bench.drive.upload(bench.folder, ["a"], await temporaryFile(content), never);
    expect(held(bench)).toEqual([["a", content]]);
    expect(bench.count("sessions.start")).toBe(2);
  });

  it("survives a restart of the host, and sends only what was missing", async () => {
    const bench = await googleBench();
    const content = randomBytes(MIB);
    const file = await temporaryFile(content);
    const killed = new AbortController();
    bench.server.faults.add({ operations: ["sessions.put"], skip: 2, fault: { kind: "delay", milliseconds: 200 }, times: 1 });
    const first = bench.drive.upload(bench.folder, ["a"], file, killed.signal);
    await expect.poll(() => ranges(bench).length).toBe(3);
    killed.abort();
    await expect(first).rejects.toSatisfy((error) => error instanceof Error);
    expect(held(bench)).toEqual([]);
    const [note] = await notes(bench);
    const noteFile = join(bench.stateFolder, "uploads", note as string);
    expect((await stat(noteFile)).mode & 0o777).toBe(0o600);

    const before = ranges(bench).length;
    await (await bench.open()).upload(bench.folder, ["a"], file, never);
    expect(held(bench)).toEqual([["a", content]]);
    expect(ranges(bench).slice(before)).not.toContain(`bytes 0-262143/${MIB}`);
    expect(bench.count("sessions.start")).toBe(1);
    expect(await notes(bench)).toEqual([]);
  });

  it("of another content does not go on with the former session", async () => {
    const bench = await googleBench();
    const killed = new AbortController();
    bench.server.faults.add({ operations: ["sessions.put"], skip: 1, fault: { kind: "delay", milliseconds: 200 }, times: 1 });
    const first = bench.drive.upload(bench.folder, ["a"], await temporaryFile(randomBytes(MIB)), killed.signal);
    await expect.poll(() => ranges(bench).length).toBe(2);
    killed.abort();
    await expect(first).rejects.toBeDefined();
    const content = randomBytes(MIB);
    await bench.drive.upload(bench.folder, ["a"], await temporaryFile(content), never);
    expect(held(bench)).toEqual([["a", content]]);
  });

  it("survives an expired access token between chunks", async () => {
    const bench = await googleBench();
    const content = randomBytes(600 * 1024);
    bench.server.faults.add({ operations: ["sessions.put", "sessions.start"], skip: 1, times: 1, fault: { kind: "expired-token" } });
    await bench.drive.upload(bench.folder, ["a"], await temporaryFile(content), never);
    expect(held(bench)).toEqual([["a", content]]);
  });

  it("is sent again when Drive holds another content, and told when that stays so", async () => {
    const bench = await googleBench();
    const content = randomBytes(1000);
    bench.server.faults.fail("sessions.put", { kind: "wrong-checksums" }, 1);
    bench.server.faults.fail("sessions.start", { kind: "wrong-checksums" }, 1);
    await bench.drive.upload(bench.folder, ["a"], await temporaryFile(content), never);
    expect(held(bench)).toEqual([["a", content]]);
    bench.server.faults.clear();
    bench.server.faults.add({ fault: { kind: "wrong-checksums" } });
    const other = bench.drive.upload(bench.folder, ["b"], await temporaryFile("x"), never);
    await expect(other).rejects.toMatchObject({ kind: "transient", code: "drive-upload-failed" });
    expect(held(bench).map(([name]) => name)).toEqual(["a"]);
  });

  it("of the same content sends nothing", async () => {
    const bench = await googleBench();
    bench.server.state.addFile({ name: "a", parent: bench.folder, content: "same" });
    await bench.drive.upload(bench.folder, ["a"], await temporaryFile("same"), never);
    expect(bench.count("sessions.start")).toBe(0);
  });

  it("updates the oldest of several files of one name, and leaves the others, folders and documents alone", async () => {
    const bench = await googleBench();
    const { state } = bench.server;
    const oldest = state.addFile({ name: "a", parent: bench.folder, content: "1" });
    await new Promise((resolve) => setTimeout(resolve, 5));
    const younger = state.addFile({ name: "a", parent: bench.folder, content: "2" });
    state.addNative({ name: "a", parent: bench.folder, mimeType: "application/vnd.google-apps.document", exports: {} });
    const { id } = await bench.drive.upload(bench.folder, ["a"], await temporaryFile("3"), never);
    expect(id).toBe(oldest);
    expect(String(state.content(younger))).toBe("2");
    expect(state.children(bench.folder)).toHaveLength(3);
  });

  it("makes a folder once for uploads side by side, also where listings show it late", async () => {
    const bench = await googleBench({ visibilityDelayMs: 300 });
    const files = await Promise.all(["a", "b", "c", "d"].map((name) => temporaryFile(name)));
    await Promise.all(files.map((file, index) => bench.drive.upload(bench.folder, ["x", "y", String(index)], file, never)));
    await bench.drive.upload(bench.folder, ["x", "y", "0"], await temporaryFile("other"), never);
    const [x, ...others] = bench.server.state.children(bench.folder);
    expect(others).toEqual([]);
    const [y, ...more] = bench.server.state.children(x?.id as string);
    expect(more).toEqual([]);
    expect(bench.server.state.children(y?.id as string)).toHaveLength(4);
  });

  it("goes into shared drives, by a service account too", async () => {
    const bench = await googleBench();
    const robot = "robo@p.iam.gserviceaccount.com";
    const keyFile = await bench.server.writeServiceAccount(await temporaryFolder(), robot);
    const team = bench.server.state.addSharedDrive("Equipe", { [robot]: "writer" });
    const drive = await bench.open({ auth: { kind: "service-account", keyFile } });
    const { id } = await drive.upload("drive:Equipe", ["d", "a"], await temporaryFile("x"), never);
    expect(bench.server.state.item(id).driveId).toBe(team);
  });
});

describe("a refused upload", () => {
  async function robotIn(bench: GoogleBench): Promise<Drive> {
    const robot = "robo@p.iam.gserviceaccount.com";
    const keyFile = await bench.server.writeServiceAccount(await temporaryFolder(), robot);
    bench.server.state.share(bench.folder, robot, "writer");
    return bench.open({ auth: { kind: "service-account", keyFile } });
  }

  it("says that a service account owns no storage in My Drive, and lets it update there", async () => {
    const bench = await googleBench();
    const drive = await robotIn(bench);
    const creating = drive.upload(bench.folder, ["novo.csv"], await temporaryFile("x"), never);
    await expect(creating).rejects.toMatchObject({
      kind: "terminal",
      code: "drive-quota",
      message: expect.stringMatching(/Service account robo@p\.iam\.gserviceaccount\.com owns no storage.*novo\.csv/u),
      todo: expect.stringContaining("shared drive"),
    });
    const existing = bench.server.state.addFile({ name: "velho", parent: bench.folder, content: "1" });
    await drive.upload(bench.folder, ["velho"], await temporaryFile("2"), never);
    expect(String(bench.server.state.content(existing))).toBe("2");
  });

  it("says whose Drive is full", async () => {
    const bench = await googleBench();
    bench.server.state.setQuota(ANA, 10);
    await expect(bench.drive.upload(bench.folder, ["a"], await temporaryFile(randomBytes(100)), never)).rejects.toMatchObject({
      kind: "terminal",
      code: "drive-quota",
      message: expect.stringContaining(`The Google Drive of ${ANA}`),
    });
  });

  it("says which permission is missing", async () => {
    const bench = await googleBench();
    const robot = "robo@p.iam.gserviceaccount.com";
    const keyFile = await bench.server.writeServiceAccount(await temporaryFolder(), robot);
    bench.server.state.share(bench.folder, robot, "reader");
    const drive = await bench.open({ auth: { kind: "service-account", keyFile } });
    await expect(drive.upload(bench.folder, ["a"], await temporaryFile("x"), never)).rejects.toMatchObject({
      kind: "terminal",
      code: "drive-permission",
      message: expect.stringContaining(robot),
      todo: expect.stringContaining("editor"),
    });
  });
});

describe("with a fifth of all requests failing", () => {
  it.each([1, 2, 3])("everything arrives, once (seed %i)", async (seed) => {
    const bench = await googleBench();
    const drive = await bench.open({ limits: { attempts: 12 } });
    const contents = new Map(Array.from({ length: 12 }, (_, index) => [`f${index}`, randomBytes(1 + index * 90_000)]));
    bench.server.faults.failRandomly(0.2, seed);
    for (const [name, content] of contents) await drive.upload(bench.folder, ["d", name], await temporaryFile(content), never);
    const { files } = await drive.list(bench.folder, never);
    expect(files.map(({ segments }) => segments.join("/")).sort()).toEqual([...contents.keys()].map((name) => `d/${name}`).sort());
    for (const file of files) {
      const chunks: Buffer[] = [];
      for await (const chunk of await drive.read(bench.folder, file, never)) chunks.push(chunk);
      expect(Buffer.concat(chunks).equals(contents.get(file.segments[1] as string) as Buffer)).toBe(true);
    }
    expect(bench.server.requests.some(({ faults }) => faults.length > 0)).toBe(true);
    expect(await notes(bench)).toEqual([]);
  });

  it("no log line and no error holds a token or the address of a session", async () => {
    const bench = await googleBench();
    const drive = await bench.open({ limits: { attempts: 1 } });
    bench.server.faults.failRandomly(0.5, 7);
    const errors: unknown[] = [];
    for (let index = 0; index < 30; index += 1) {
      await drive.upload(bench.folder, [`f${index}`], await temporaryFile("x"), never).catch((error) => errors.push(error));
    }
    expect(errors.length).toBeGreaterThan(5);
    const everything = errors.map(withCauses).join() + bench.log.join();
    expect(everything).not.toMatch(/Bearer|ya29\.|upload_id|ABgVH8|assertion/u);
  });
});

function withCauses(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return `${error.stack}${JSON.stringify(error, Object.getOwnPropertyNames(error))}${withCauses(error.cause)}`;
}
