import { describe, expect, it } from "vitest";
import { ANA, BIA, clientAs, serverWithClient } from "../../support/drive-server/client.ts";

const FOLDER = "application/vnd.google-apps.folder";

const refusal = (reason: string, location?: string) => ({
  response: {
    data: {
      error: {
        code: 400,
        errors: [expect.objectContaining({ domain: "global", reason, ...(location === undefined ? {} : { location }) })],
      },
    },
  },
});

describe("files.list of the fake Drive", () => {
  it("pages through a folder with a thousand files, each once, in the order asked for", async () => {
    const { server, drive } = await serverWithClient();
    const folder = server.state.addFolder({ name: "dados" });
    for (let n = 0; n < 1050; n++) server.state.addFile({ name: `f${n}`, parent: folder, content: String(n) });
    server.state.addFile({ name: "elsewhere", content: "" });
    const names: string[] = [];
    let pageToken: string | undefined;
    const sizes: number[] = [];
    do {
      const { data } = await drive.files.list({
        q: `'${folder}' in parents and trashed = false`,
        pageSize: 400,
        orderBy: "name_natural desc",
        fields: "nextPageToken,files(name)",
        ...(pageToken === undefined ? {} : { pageToken }),
      });
      names.push(...(data.files ?? []).map((file) => file.name as string));
      sizes.push(data.files?.length ?? 0);
      pageToken = data.nextPageToken ?? undefined;
    } while (pageToken !== undefined);
    expect(sizes).toEqual([400, 400, 250]);
    expect(names).toEqual(Array.from({ length: 1050 }, (_, n) => `f${1049 - n}`));
  });

  it("refuses a page token with another query, and after it expired", async () => {
    const { server, drive } = await serverWithClient();
    for (const name of ["a", "b"]) server.state.addFile({ name, content: "" });
    const { data } = await drive.files.list({ pageSize: 1 });
    const pageToken = data.nextPageToken as string;
    await expect(drive.files.list({ pageSize: 1, q: "trashed = false", pageToken })).rejects.toMatchObject(refusal("invalid", "pageToken"));
    server.pages.expire();
    await expect(drive.files.list({ pageSize: 1, pageToken })).rejects.toMatchObject(refusal("invalid", "pageToken"));
  });

  it.each([
    ["name = 'It\\'s \\\\ ok'", ["It's \\ ok"]],
    ["name contains 'vo'", ["voos 2001.csv"]],
    ["name contains '2001'", ["voos 2001.csv"]],
    ["name contains 'oos'", []],
    [`mimeType = '${FOLDER}'`, ["pasta"]],
    [`mimeType != '${FOLDER}' and not trashed = true`, ["It's \\ ok", "voos 2001.csv"]],
    ["trashed = true", ["lixo"]],
    ["name = 'lixo' or name = 'pasta' and trashed = true", ["lixo"]],
    ["(name = 'lixo' or name = 'pasta') and trashed = false", ["pasta"]],
    ["modifiedTime > '2001-06-01T00:00:00' and modifiedTime <= '2002-01-01T00:00:00Z'", ["voos 2001.csv"]],
    ["modifiedTime < '2001-06-01T12:00:00-03:00'", []],
    ["appProperties has { key='eda' and value='1' }", []],
    ["'me' in owners and name = 'pasta'", ["pasta"]],
    ["'bia@example.com' in readers", []],
  ])("finds by %s", async (q, names) => {
    const { server, drive } = await serverWithClient();
    server.state.addFolder({ name: "pasta" });
    server.state.addFile({ name: "It's \\ ok", content: "" });
    server.state.addFile({ name: "voos 2001.csv", content: "", modifiedAt: new Date("2001-12-31T23:59:59Z") });
    server.state.trash(server.state.addFile({ name: "lixo", content: "" }));
    const { data } = await drive.files.list({ q, orderBy: "name" });
    expect(data.files?.map((file) => file.name)).toEqual(names);
  });

  it.each([
    "name",
    "name = dados",
    'name = "dados"',
    "name < 'a'",
    "title = 'a'",
    "name = 'a' and",
    "name = 'a' name = 'b'",
    "(name = 'a'",
    "name = 'it's'",
    "name = 'a\\n'",
    "trashed = 'false'",
    "modifiedTime > 'yesterday'",
    "'x' in folders",
    "fullText contains 'a'",
  ])("refuses the query %s", async (q) => {
    const { drive } = await serverWithClient();
    await expect(drive.files.list({ q })).rejects.toMatchObject(refusal("invalid", "q"));
  });

  it("refuses unknown parameters, fields and orders, and pages that are too large", async () => {
    const { server, drive } = await serverWithClient();
    const authorization = `Bearer ${server.accessToken(ANA)}`;
    const asked = async (query: string) => {
      const answer = await fetch(`${server.url}/drive/v3/files?${query}`, { headers: { authorization } });
      return [answer.status, (await answer.json()) as unknown];
    };
    expect(await asked("pagesize=3")).toEqual([400, { error: expect.objectContaining({ message: expect.stringContaining("pagesize") }) }]);
    await expect(drive.files.list({ fields: "files(id,titel)" })).rejects.toMatchObject(refusal("invalidParameter", "fields"));
    await expect(drive.files.list({ fields: "files(id" })).rejects.toMatchObject(refusal("invalidParameter", "fields"));
    await expect(drive.files.list({ orderBy: "size" })).rejects.toMatchObject(refusal("invalid", "orderBy"));
    await expect(drive.files.list({ pageSize: 1001 })).rejects.toMatchObject(refusal("invalid", "pageSize"));
    await expect(drive.files.list({ corpora: "domain" })).rejects.toMatchObject(refusal("badRequest"));
  });

  it("answers exactly the fields asked for, and few without a mask", async () => {
    const { server, drive } = await serverWithClient();
    server.state.addFile({ name: "a.tar.gz", content: "abc", mimeType: "application/gzip" });
    const list = async (fields?: string) => (await drive.files.list(fields === undefined ? {} : { fields })).data;
    expect(await list()).toEqual({
      kind: "drive#fileList",
      incompleteSearch: false,
      files: [{ kind: "drive#file", id: expect.any(String), name: "a.tar.gz", mimeType: "application/gzip" }],
    });
    expect(await list("files(size,owners/emailAddress,capabilities(canEdit))")).toEqual({
      files: [{ size: "3", owners: [{ emailAddress: ANA }], capabilities: { canEdit: true } }],
    });
    expect((await list("*")).files?.[0]).toMatchObject({
      md5Checksum: "900150983cd24fb0d6963f7d28e17f72",
      sha1Checksum: "a9993e364706816aba3e25717850c26c9cd0d89d",
      sha256Checksum: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
      fullFileExtension: "tar.gz",
      trashed: false,
    });
  });

  it("keeps names as they were given, several alike in one folder", async () => {
    const { server, drive } = await serverWithClient();
    const names = ["../../x", "/etc/x", "a\0b", "a\u202Egpj.exe", "gêmeo", "gêmeo"];
    for (const name of names) server.state.addFile({ name, content: "" });
    const { data } = await drive.files.list({ orderBy: "name" });
    expect(data.files?.map((file) => file.name).sort()).toEqual([...names].sort());
    expect(new Set(data.files?.map((file) => file.id)).size).toBe(names.length);
  });

  it("shows what is trashed by a folder above as trashed", async () => {
    const { server, drive } = await serverWithClient();
    const folder = server.state.addFolder({ name: "pasta" });
    server.state.addFile({ name: "dentro", parent: folder, content: "" });
    server.state.trash(folder);
    const { data } = await drive.files.list({ q: "name = 'dentro'", fields: "files(trashed,explicitlyTrashed)" });
    expect(data.files).toEqual([{ trashed: true, explicitlyTrashed: false }]);
  });

  it("hides the items of shared drives from who does not ask for them", async () => {
    const { server, drive } = await serverWithClient();
    const shared = server.state.addSharedDrive("Dados", { [ANA]: "organizer" });
    const file = server.state.addFile({ name: "voos", parent: shared, content: "" });
    const found = async (more: object) =>
      (await drive.files.list({ q: `'${shared}' in parents`, ...more })).data.files?.map(({ id }) => id);
    const all = { supportsAllDrives: true, includeItemsFromAllDrives: true };
    expect(await found({})).toEqual([]);
    expect(await found(all)).toEqual([file]);
    expect(await found({ ...all, corpora: "drive", driveId: shared })).toEqual([file]);
    await expect(found({ corpora: "drive", driveId: shared })).rejects.toMatchObject({ status: 403 });
    await expect(found({ ...all, driveId: shared })).rejects.toMatchObject({ status: 403 });
    await expect(drive.files.get({ fileId: file })).rejects.toMatchObject({ status: 404 });
    const { data } = await drive.files.get({ fileId: file, supportsAllDrives: true, fields: "driveId,owners,capabilities/canDelete" });
    expect(data).toEqual({ driveId: shared, capabilities: { canDelete: true } });
  });

  it("shows nobody what is not shared with her, and says of unknown folders that they are not there", async () => {
    const { server, drive } = await serverWithClient();
    const folder = server.state.addFolder({ name: "de Bia", owner: BIA });
    const file = server.state.addFile({ name: "a", parent: folder, content: "" });
    const inFolder = () => drive.files.list({ q: `'${folder}' in parents`, fields: "files(id,parents,ownedByMe)" });
    await expect(inFolder()).rejects.toMatchObject({ status: 404, message: "File not found: ." });
    server.state.share(folder, ANA, "reader");
    expect((await inFolder()).data.files).toEqual([{ id: file, parents: [folder], ownedByMe: false }]);
    server.state.unshare(folder, ANA);
    server.state.share(file, ANA, "reader");
    expect((await drive.files.get({ fileId: file, fields: "parents,name" })).data).toEqual({ name: "a" });
    expect((await clientAs(server, BIA).files.get({ fileId: file, fields: "parents" })).data).toEqual({ parents: [folder] });
  });

  it("lists what was created or changed only after the delay, and gets it at once", async () => {
    const { server, drive } = await serverWithClient();
    const id = server.state.addFile({ name: "antes", content: "" });
    server.state.visibilityDelayMs = 300;
    server.state.rename(id, "depois");
    server.state.addFile({ name: "novo", content: "" });
    const names = async () => (await drive.files.list({ orderBy: "name" })).data.files?.map((file) => file.name);
    expect(await names()).toEqual(["antes"]);
    expect((await drive.files.get({ fileId: id })).data.name).toBe("depois");
    await expect.poll(names, { timeout: 20_000 }).toEqual(["depois", "novo"]);
  });
});
