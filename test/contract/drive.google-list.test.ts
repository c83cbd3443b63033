/** What is Google's own in listing and reading: shared drives, shortcuts, exports, addresses, changes, paging, faults. */
import { randomBytes } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import type { Drive, DriveFile } from "../../src/ports/drive.ts";
import { temporaryFolder } from "../support/folders.ts";
import { ANA, type GoogleBench, googleBench, SERVICE } from "../support/google-drive.ts";

const SHEET = "application/vnd.google-apps.spreadsheet";
const never = new AbortController().signal;

async function paths(drive: Drive, folder: string): Promise<string[]> {
  return (await drive.list(folder, never)).files.map(({ segments }) => segments.join("/"));
}

async function only(drive: Drive, folder: string): Promise<DriveFile> {
  const { files } = await drive.list(folder, never);
  expect(files).toHaveLength(1);
  return files[0] as DriveFile;
}

async function content(drive: Drive, folder: string, file: DriveFile): Promise<Buffer> {
  return buffer(await drive.read(folder, file, never));
}

describe("addresses of a folder", () => {
  async function world() {
    const bench = await googleBench();
    const { state } = bench.server;
    const dados = state.addFolder({ name: "Dados" });
    const year = state.addFolder({ name: "it's 2024", parent: dados });
    state.addFile({ name: "a", parent: year, content: "x" });
    const team = state.addSharedDrive("Equipe de dados", { [ANA]: "organizer" });
    const flights = state.addFolder({ name: "voos", parent: team });
    state.addFile({ name: "b", parent: flights, content: "x" });
    return { ...bench, state, dados, year, team, flights };
  }

  it("are its id, its link, its path in My Drive, and a path in a shared drive", async () => {
    const { drive, year, team, flights } = await world();
    for (const address of [year, `https://drive.google.com/drive/u/0/folders/${year}?usp=sharing`, "/Dados/it's 2024"]) {
      expect(await paths(drive, address)).toEqual(["a"]);
    }
    for (const address of [flights, "drive:Equipe de dados/voos", `drive:${team}/voos`]) expect(await paths(drive, address)).toEqual(["b"]);
    expect(await paths(drive, "drive:Equipe de dados")).toEqual(["voos/b"]);
  });

  it("lead through shortcuts", async () => {
    const { drive, state, dados, flights } = await world();
    state.addShortcut({ name: "atalho", parent: dados, target: flights });
    expect(await paths(drive, "/Dados/atalho")).toEqual(["b"]);
  });

  it("that fit several folders are refused with the ids of all", async () => {
    const { drive, state, dados } = await world();
    const twin = state.addFolder({ name: "Dados" });
    const listing = drive.list("/Dados", never);
    await expect(listing).rejects.toMatchObject({ kind: "terminal", code: "drive-folder-ambiguous" });
    const { findings } = await listing.catch((error) => error);
    expect(findings.map(({ message }: { message: string }) => message).join()).toMatch(
      new RegExp(`(${dados}.*${twin}|${twin}.*${dados})`, "u"),
    );
  });

  it.each([
    ["/Dados/1999", "not there"],
    ["drive:Nenhum", "not there"],
    ["https://example.com/x", "not a link"],
  ])("that lead nowhere are named: %s", async (address, problem) => {
    const { drive } = await world();
    await expect(drive.list(address, never)).rejects.toMatchObject({
      code: "drive-folder-not-found",
      message: expect.stringContaining(problem),
      todo: expect.stringContaining(ANA),
    });
  });

  it("that are of a file or in the trash are refused", async () => {
    const { drive, state, dados } = await world();
    const file = state.addFile({ name: "f", content: "x" });
    await expect(drive.list(file, never)).rejects.toMatchObject({ message: expect.stringContaining("is a file") });
    state.trash(dados);
    await expect(drive.list(dados, never)).rejects.toMatchObject({ message: expect.stringContaining("in the trash") });
  });

  it("reach what people share with a service account, by name too", async () => {
    const bench = await world();
    const keyFile = await bench.server.writeServiceAccount(await temporaryFolder(), "robo@p.iam.gserviceaccount.com");
    bench.state.share(bench.dados, "robo@p.iam.gserviceaccount.com", "reader");
    const robot = await bench.open({ auth: { kind: "service-account", keyFile } });
    expect(robot.description).toBe("Google Drive (service account robo@p.iam.gserviceaccount.com)");
    expect(await paths(robot, bench.dados)).toEqual(["it's 2024/a"]);
    expect(await paths(robot, "/Dados/it's 2024")).toEqual(["a"]);
  });
});

describe("a listing", () => {
  it("goes through pages and many folders", async () => {
    const { server, folder, open, count } = await googleBench();
    const drive = await open({ limits: { pageSize: 7, concurrency: 3 } });
    const expected: string[] = [];
    for (let f = 0; f < 12; f += 1) {
      const parent = server.state.addFolder({ name: `pasta ${f}`, parent: folder });
      for (let i = 0; i < 9; i += 1) {
        server.state.addFile({ name: `${i}.csv`, parent, content: String(i) });
        expected.push(`pasta ${f}/${i}.csv`);
      }
    }
    expect(await paths(drive, folder)).toEqual(expected.sort());
    expect(count("files.list")).toBe(2 + 12 * 2);
  });

  it("keeps files of one name apart and names as Drive holds them", async () => {
    const { server, folder, drive } = await googleBench();
    const names = ["a.csv", "a.csv", "../../x", "/etc/x", "a\0b", "\u202Excod.exe"];
    for (const [index, name] of names.entries()) server.state.addFile({ name, parent: folder, content: String(index) });
    const { files } = await drive.list(folder, never);
    expect(files.map(({ segments }) => segments[0]).sort()).toEqual([...names].sort());
    const contents = await Promise.all(files.map((file) => content(drive, folder, file)));
    expect(contents.map(String).sort()).toEqual(["0", "1", "2", "3", "4", "5"]);
  });

  it("follows shortcuts once each, cuts loops, and reports broken ones", async () => {
    const { server, folder, drive } = await googleBench();
    const { state } = server;
    const far = state.addFolder({ name: "longe" });
    const one = state.addFile({ name: "um", parent: far, content: "1" });
    state.addShortcut({ name: "pasta", parent: folder, target: far });
    state.addShortcut({ name: "volta", parent: far, target: folder });
    const loose = state.addFile({ name: "solto", content: "2" });
    state.addShortcut({ name: "z solto", parent: folder, target: loose });
    state.addShortcut({ name: "z um", parent: folder, target: one });
    const gone = state.addFile({ name: "ido", content: "3" });
    state.addShortcut({ name: "quebrado", parent: folder, target: gone });
    state.delete(gone);
    const listing = await drive.list(folder, never);
    expect(listing.files.map(({ id, segments }) => [segments.join("/"), id])).toEqual([
      ["pasta/um", one],
      ["z solto", loose],
    ]);
    expect(listing.refused).toEqual([
      { path: "pasta/volta", reason: expect.stringContaining("itself"), fatal: false },
      { path: "quebrado", reason: expect.stringContaining("gone"), fatal: false },
      { path: "z um", reason: expect.stringContaining("pasta/um"), fatal: false },
    ]);
    expect(String(await content(drive, folder, listing.files[1] as DriveFile))).toBe("2");
  });

  it("says who owns a file, and nobody in a shared drive", async () => {
    const { server, folder, drive } = await googleBench();
    server.state.addFile({ name: "a", parent: folder, content: "x" });
    expect(await only(drive, folder)).toMatchObject({ owner: ANA, mediaType: "application/octet-stream", size: 1 });
    const team = server.state.addSharedDrive("Equipe", { [ANA]: "reader" });
    server.state.addFile({ name: "a", parent: team, content: "x" });
    expect(await only(drive, "drive:Equipe")).toMatchObject({ owner: null });
  });
});

describe("documents of Google's editors", () => {
  it("are exported as the chosen format, of unknown size, in the version of their last edit", async () => {
    const { server, folder, open, drive } = await googleBench();
    const xlsxType = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    server.state.addNative({ name: "vendas", parent: folder, mimeType: SHEET, exports: { "text/csv": "a,b\n", [xlsxType]: "PK" } });
    const csv = await only(drive, folder);
    expect(csv).toMatchObject({ segments: ["vendas.csv"], size: null, md5: null, sha256: null, mediaType: "text/csv" });
    expect(String(await content(drive, folder, csv))).toBe("a,b\n");
    expect(await drive.currentVersion(folder, csv)).toBe(csv.version);
    const spreadsheets = await open({ exports: { sheets: "xlsx" } });
    const xlsx = await only(spreadsheets, folder);
    expect(xlsx.segments).toEqual(["vendas.xlsx"]);
    expect(String(await content(spreadsheets, folder, xlsx))).toBe("PK");
  });

  it("that are too large to be exported fail with their name and what to do", async () => {
    const { server, folder, drive } = await googleBench();
    const large = Buffer.alloc(10 * 1024 * 1024 + 1, "a");
    server.state.addNative({ name: "enorme", parent: folder, mimeType: SHEET, exports: { "text/csv": large } });
    const file = await only(drive, folder);
    await expect(drive.read(folder, file, never)).rejects.toMatchObject({
      kind: "terminal",
      code: "drive-export-too-large",
      message: expect.stringContaining("enorme.csv"),
    });
  });

  it("are taken again from the start when the connection breaks", async () => {
    const { server, folder, drive } = await googleBench();
    const text = randomBytes(200_000).toString("hex");
    server.state.addNative({ name: "doc", parent: folder, mimeType: SHEET, exports: { "text/csv": text } });
    server.faults.fail("files.export", { kind: "cut-download", afterBytes: 1000 }, 2);
    expect(String(await content(drive, folder, await only(drive, folder)))).toBe(text);
  });
});

describe("changes", () => {
  /** Twice: a listing is trusted once its place in the feed of changes is from before it. */
  async function remembered(bench: GoogleBench): Promise<void> {
    await bench.drive.list(bench.folder, never);
    await bench.drive.list(bench.folder, never);
  }

  async function requestsFor(bench: GoogleBench, drive: Drive = bench.drive): Promise<string[]> {
    const before = bench.server.requests.length;
    await drive.list(bench.folder, never);
    return bench.server.requests.slice(before).map(({ operation }) => operation);
  }

  async function worldWithFiles() {
    const bench = await googleBench();
    const { state } = bench.server;
    const inner = state.addFolder({ name: "interna", parent: bench.folder });
    const a = state.addFile({ name: "a", parent: bench.folder, content: "1" });
    state.addFile({ name: "b", parent: inner, content: "2" });
    return { ...bench, state, inner, a };
  }

  it("make an unchanged folder cost one request, also after a restart", async () => {
    const bench = await worldWithFiles();
    await remembered(bench);
    bench.state.addFile({ name: "elsewhere", content: "x" });
    expect(await requestsFor(bench)).toEqual(["changes.list"]);
    const again = await bench.open();
    expect((await requestsFor(bench, again)).filter((operation) => operation !== "oauth.token")).toEqual(["changes.list"]);
    expect(await paths(again, bench.folder)).toEqual(["a", "interna/b"]);
  });

  it("bring new, changed, renamed and removed files", async () => {
    const bench = await worldWithFiles();
    await remembered(bench);
    const c = bench.state.addFile({ name: "c", parent: bench.inner, content: "3" });
    bench.state.write(bench.a, "other");
    expect(await paths(bench.drive, bench.folder)).toEqual(["a", "interna/b", "interna/c"]);
    bench.state.rename(c, "d");
    bench.state.trash(bench.a);
    expect(await paths(bench.drive, bench.folder)).toEqual(["interna/b", "interna/d"]);
    bench.state.delete(c);
    expect(await paths(bench.drive, bench.folder)).toEqual(["interna/b"]);
    expect(bench.count("files.list")).toBe(4);
  });

  it("of folders lead to a new walk", async () => {
    const bench = await worldWithFiles();
    await remembered(bench);
    const outside = bench.state.addFolder({ name: "fora" });
    bench.state.addFile({ name: "x", parent: outside, content: "x" });
    bench.state.move(outside, bench.folder);
    expect(await paths(bench.drive, bench.folder)).toEqual(["a", "fora/x", "interna/b"]);
    bench.state.rename(bench.inner, "outra");
    expect(await paths(bench.drive, bench.folder)).toEqual(["a", "fora/x", "outra/b"]);
  });

  it("of the folder itself are told: it is gone, or another one of its name appeared", async () => {
    const bench = await googleBench();
    bench.server.state.addFile({ name: "a", parent: bench.folder, content: "1" });
    await bench.drive.list("/dados", never);
    await bench.drive.list("/dados", never);
    const twin = bench.server.state.addFolder({ name: "dados" });
    await expect(bench.drive.list("/dados", never)).rejects.toMatchObject({ code: "drive-folder-ambiguous" });
    bench.server.state.delete(twin);
    bench.server.state.trash(bench.folder);
    await expect(bench.drive.list("/dados", never)).rejects.toMatchObject({ code: "drive-folder-not-found" });
  });

  it("are not asked for where they cannot tell everything: a tree in two drives", async () => {
    const bench = await worldWithFiles();
    const team = bench.state.addSharedDrive("Equipe", { [ANA]: "organizer" });
    const far = bench.state.addFile({ name: "f", parent: team, content: "1" });
    bench.state.addShortcut({ name: "z", parent: bench.folder, target: far });
    await remembered(bench);
    expect(await requestsFor(bench)).not.toContain("changes.list");
    expect(await paths(bench.drive, bench.folder)).toEqual(["a", "interna/b", "z"]);
  });

  it.each([
    ["an expired token", (document: Record<string, unknown>) => ({ ...document, token: "1" })],
    ["a listing that is too old", (document: Record<string, unknown>) => ({ ...document, walkedAt: Date.now() - 25 * 3_600_000 })],
    ["a document of another eda", (document: Record<string, unknown>) => ({ ...document, version: 99 })],
    ["a document cut short", () => undefined],
  ])("are not relied on with %s", async (_, change) => {
    const bench = await worldWithFiles();
    await remembered(bench);
    const listings = join(bench.stateFolder, "listings");
    for (const name of await readdir(listings)) {
      const document = change(JSON.parse(await readFile(join(listings, name), "utf8")));
      await writeFile(join(listings, name), document === undefined ? '{"version":1,' : JSON.stringify(document));
    }
    expect(await requestsFor(bench)).toContain("files.list");
    expect(await paths(bench.drive, bench.folder)).toEqual(["a", "interna/b"]);
  });

  it("do not hide what a listing showed late", async () => {
    const bench = await worldWithFiles();
    const drive = await bench.open({ limits: { listingSettleMs: 60_000 } });
    await drive.list(bench.folder, never);
    await drive.list(bench.folder, never);
    expect(await requestsFor(bench, drive)).toContain("files.list");
  });
});

describe("a download", () => {
  async function withFile(bytes: Buffer) {
    const bench = await googleBench();
    const id = bench.server.state.addFile({ name: "voos.parquet", parent: bench.folder, content: bytes });
    return { ...bench, id, file: await only(bench.drive, bench.folder), bytes };
  }

  it("goes on where the connection broke", async () => {
    const { server, drive, folder, file, bytes } = await withFile(randomBytes(3_000_000));
    server.faults.fail("files.media", { kind: "cut-download", afterBytes: 700_000 }, 3);
    expect((await content(drive, folder, file)).equals(bytes)).toBe(true);
    const ranges = server.requests.filter(({ operation }) => operation === "files.media").map(({ range }) => range);
    expect(ranges).toHaveLength(4);
    expect(ranges[0]).toBeUndefined();
    for (const range of ranges.slice(1)) expect(range).toMatch(/^bytes=[1-9]\d*-$/u);
  });

  it("goes on when the server falls silent", async () => {
    const { server, open, folder, file, bytes } = await withFile(randomBytes(1_000_000));
    const drive = await open({ limits: { stallMs: 300 } });
    server.faults.fail("files.media", { kind: "stall-download", afterBytes: 400_000 });
    expect((await content(drive, folder, file)).equals(bytes)).toBe(true);
  });

  it("is no mixture of two versions", async () => {
    const { server, drive, folder, file, id } = await withFile(randomBytes(2_000_000));
    server.faults.fail("files.media", { kind: "cut-download", afterBytes: 500_000 });
    const stream = await drive.read(folder, file, never);
    const reading = (async () => {
      for await (const _ of stream) server.state.write(id, randomBytes(2_000_000));
    })();
    await expect(reading).rejects.toMatchObject({ kind: "transient", code: "drive-file-changed" });
  });

  it.each([
    ["what arrives is another content", { kind: "corrupt-download" }, "files.media"],
    ["Drive's checksums fit another content", { kind: "wrong-checksums" }, "files.get"],
  ] as const)("fails when %s", async (_, fault, operation) => {
    const { server, drive, folder, file } = await withFile(randomBytes(10_000));
    server.faults.fail(operation, fault, 1);
    await expect(content(drive, folder, file)).rejects.toMatchObject({ kind: "transient", code: "drive-checksum-mismatch" });
  });

  it.each([
    ["downloadQuotaExceeded", "drive-download-quota"],
    ["dailyLimitExceeded", "drive-daily-limit"],
    ["cannotDownloadFile", "drive-permission"],
    ["appNotAuthorizedToFile", "drive-permission"],
  ] as const)("refused for %s says which account and file, at once", async (reason, code) => {
    const { server, drive, folder, file, count } = await withFile(randomBytes(100));
    server.faults.fail("files.media", { kind: "error", reason }, 100);
    await expect(content(drive, folder, file)).rejects.toMatchObject({
      kind: "terminal",
      code,
      message: expect.stringContaining(ANA),
      todo: expect.anything(),
    });
    expect(count("files.media")).toBe(1);
  });

  it("of malware is refused by name", async () => {
    const { server, drive, folder, file, id } = await withFile(randomBytes(100));
    server.state.markAbusive(id);
    await expect(content(drive, folder, file)).rejects.toMatchObject({
      code: "drive-abusive-file",
      message: expect.stringContaining("voos.parquet"),
    });
  });
});

describe("the account", () => {
  it("gets a new token when the server no longer takes the old one", async () => {
    const { server, drive, folder, count } = await googleBench();
    server.state.addFile({ name: "a", parent: folder, content: "x" });
    const file = await only(drive, folder);
    server.credentials.expireAccessTokens();
    expect(String(await content(drive, folder, file))).toBe("x");
    expect(count("oauth.token")).toBe(2);
  });

  it("that Google no longer knows is signed out, without a secret in the error", async () => {
    const { server, drive, folder } = await googleBench();
    server.credentials.serviceKeys.clear();
    const error = await drive.list(folder, never).catch((thrown) => thrown);
    expect(error).toMatchObject({ kind: "precondition", code: "drive-signed-out", message: expect.stringContaining(ANA) });
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toMatch(/PRIVATE KEY|assertion|Bearer|ya29/u);
  });

  it("that may not act for a person says so", async () => {
    const bench = await googleBench({ accounts: [ANA, "bia@example.com"] });
    const keyFile = await bench.server.writeServiceAccount(await temporaryFolder(), SERVICE, []);
    const drive = await bench.open({ auth: { kind: "service-account", keyFile, subject: "bia@example.com" } });
    await expect(drive.list(bench.folder, never)).rejects.toMatchObject({ kind: "precondition", code: "drive-delegation-refused" });
  });

  it("is away when nothing answers", async () => {
    const { drive, folder, server } = await googleBench();
    await drive.list(folder, never);
    await server.close().catch(() => undefined);
    await expect(drive.list(folder, never)).rejects.toMatchObject({ kind: "unavailable", code: "drive-away" });
  });

  it("whose key file is none says which file, and not what is in it", async () => {
    const bench = await googleBench();
    const keyFile = join(await temporaryFolder(), "key.json");
    await writeFile(keyFile, '{"type":"service_account","private_key":"very secret"}');
    const drive = await bench.open({ auth: { kind: "service-account", keyFile } });
    expect(drive.description).toBe("Google Drive (not signed in)");
    const error = await drive.list(bench.folder, never).catch((thrown) => thrown);
    expect(error).toMatchObject({ kind: "precondition", code: "drive-key-invalid", message: expect.stringContaining(keyFile) });
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain("very secret");
  });
});
