import { Readable } from "node:stream";
import { describe, expect, it, onTestFinished } from "vitest";
import { ANA, BIA, clientAs, serverWithClient, toServer } from "../../support/drive-server/client.ts";

const SHEET = "application/vnd.google-apps.spreadsheet";
const bytes = Uint8Array.from({ length: 300_000 }, (_, n) => (n * 7) % 256);

const reason = (name: string) => ({ response: { data: { error: { errors: [expect.objectContaining({ reason: name })] } } } });

describe("content in the fake Drive", () => {
  it("gives every byte of a file, and ranges of it", async () => {
    const { server, drive } = await serverWithClient();
    const fileId = server.state.addFile({ name: "a", content: bytes, mimeType: "text/csv" });
    const get = async (range?: string) => {
      const headers = range === undefined ? {} : { headers: { Range: range } };
      const {
        data,
        status,
        headers: answered,
      } = await drive.files.get({ fileId, alt: "media" }, { responseType: "arraybuffer", ...headers });
      return { status, content: Buffer.from(data as unknown as ArrayBuffer), range: (answered as unknown as Headers).get("content-range") };
    };
    expect(await get()).toEqual({ status: 200, content: Buffer.from(bytes), range: null });
    expect(await get("bytes=10-19")).toEqual({ status: 206, content: Buffer.from(bytes.slice(10, 20)), range: "bytes 10-19/300000" });
    expect(await get("bytes=299999-")).toMatchObject({ status: 206, content: Buffer.from(bytes.slice(-1)) });
    expect(await get("bytes=-5")).toMatchObject({ range: "bytes 299995-299999/300000" });
    expect(await get("bytes=299990-400000")).toMatchObject({ range: "bytes 299990-299999/300000" });
    await expect(get("bytes=300000-")).rejects.toMatchObject({ status: 416 });
    await expect(get("bytes=0-1,5-6")).rejects.toMatchObject({ status: 400 });
  });

  it("sends large files to slow readers without piling anything up", async () => {
    const { server } = await serverWithClient();
    const warnings: string[] = [];
    const warned = ({ message }: Error) => void warnings.push(message);
    process.on("warning", warned);
    onTestFinished(() => void process.off("warning", warned));
    const id = server.state.addFile({ name: "a", content: Buffer.alloc(16 * 1024 * 1024, "x") });
    const headers = { authorization: `Bearer ${server.accessToken(ANA)}` };
    const answer = await fetch(`${server.url}/drive/v3/files/${id}?alt=media`, { headers });
    let size = 0;
    for await (const piece of answer.body as ReadableStream<Uint8Array>) size += piece.length;
    expect([size, warnings]).toEqual([16 * 1024 * 1024, []]);
  });

  it("keeps malware back until its owner takes it knowingly", async () => {
    const { server, drive } = await serverWithClient();
    const fileId = server.state.addFile({ name: "a", content: "x", grants: { [BIA]: "reader" } });
    server.state.markAbusive(fileId);
    await expect(drive.files.get({ fileId, alt: "media" })).rejects.toMatchObject(reason("cannotDownloadAbusiveFile"));
    const bia = clientAs(server, BIA);
    await expect(bia.files.get({ fileId, alt: "media", acknowledgeAbuse: true })).rejects.toMatchObject({ status: 403 });
    const { data } = await drive.files.get({ fileId, alt: "media", acknowledgeAbuse: true }, { responseType: "text" });
    expect(data).toBe("x");
  });

  it("exports native documents to their types, up to ten megabytes, and downloads them not", async () => {
    const { server, drive } = await serverWithClient();
    const large = server.state.addNative({ name: "b", mimeType: SHEET, exports: { "text/csv": new Uint8Array(10 * 1024 * 1024 + 1) } });
    const fileId = server.state.addNative({ name: "a", mimeType: SHEET, exports: { "text/csv": "a,b\n1,2\n" } });
    const binary = server.state.addFile({ name: "c", content: "" });
    const { data } = await drive.files.export({ fileId, mimeType: "text/csv" }, { responseType: "text" });
    expect(data).toBe("a,b\n1,2\n");
    await expect(drive.files.export({ fileId: large, mimeType: "text/csv" })).rejects.toMatchObject(reason("exportSizeLimitExceeded"));
    await expect(drive.files.export({ fileId, mimeType: "text/markdown" })).rejects.toMatchObject(reason("badRequest"));
    await expect(drive.files.export({ fileId: binary, mimeType: "text/csv" })).rejects.toMatchObject(reason("fileNotExportable"));
    await expect(drive.files.get({ fileId, alt: "media" })).rejects.toMatchObject(reason("fileNotDownloadable"));
    const fields = "size,md5Checksum,headRevisionId,exportLinks";
    expect((await drive.files.get({ fileId, fields })).data).toEqual({
      exportLinks: expect.objectContaining({ "text/csv": expect.any(String) }),
    });
  });

  it("takes content in one request, with metadata and without, and other content for the same file", async () => {
    const { server, drive } = await serverWithClient();
    const folder = server.state.addFolder({ name: "pasta" });
    const media = { mimeType: "application/x-test", body: Readable.from([Buffer.from(bytes)]) };
    const requestBody = { name: "../a b", parents: [folder], appProperties: { eda: "1" } };
    const created = await drive.files.create({ requestBody, media, fields: "id,name,mimeType,size,headRevisionId" }, toServer(server));
    expect(created.data).toMatchObject({ name: "../a b", mimeType: "application/x-test", size: "300000" });
    const fileId = created.data.id as string;
    expect(server.state.content(fileId)).toEqual(Buffer.from(bytes));
    expect(server.state.item(fileId)).toMatchObject({ parent: folder, owner: ANA, appProperties: { eda: "1" } });
    const updated = await drive.files.update({ fileId, media: { body: "new" }, fields: "size,headRevisionId" }, toServer(server));
    expect(updated.data.size).toBe("3");
    expect(updated.data.headRevisionId).not.toBe(created.data.headRevisionId);
  });

  it("creates, changes, moves and deletes without content", async () => {
    const { server, drive } = await serverWithClient();
    const folder = await drive.files.create({ requestBody: { name: "p", mimeType: "application/vnd.google-apps.folder" } });
    const target = server.state.addFile({ name: "t", content: "" });
    const shortcut = await drive.files.create({
      requestBody: { name: "s", mimeType: "application/vnd.google-apps.shortcut", shortcutDetails: { targetId: target } },
      fields: "id,parents,shortcutDetails,version",
    });
    const root = server.state.rootOf(ANA);
    expect(shortcut.data).toMatchObject({ parents: [root], shortcutDetails: { targetId: target } });
    const fileId = shortcut.data.id as string;
    const moved = await drive.files.update({
      fileId,
      addParents: folder.data.id as string,
      removeParents: root,
      requestBody: { name: "s2" },
      fields: "name,parents,version",
    });
    expect(moved.data).toMatchObject({ name: "s2", parents: [folder.data.id] });
    expect(Number(moved.data.version)).toBeGreaterThan(Number(shortcut.data.version));
    await expect(drive.files.update({ fileId, addParents: root })).rejects.toMatchObject(reason("cannotAddParent"));
    await expect(drive.files.update({ fileId, requestBody: { parents: [root] } })).rejects.toMatchObject(reason("fieldNotWritable"));
    await expect(drive.files.update({ fileId, requestBody: { size: "3" } })).rejects.toMatchObject(reason("fieldNotWritable"));
    await drive.files.delete({ fileId: folder.data.id as string });
    await expect(drive.files.get({ fileId })).rejects.toMatchObject(reason("notFound"));
  });

  it("creates once for an id that it gave", async () => {
    const { drive } = await serverWithClient();
    const { data } = await drive.files.generateIds({ count: 2 });
    const [id, other] = data.ids as [string, string];
    const { data: created } = await drive.files.create({ requestBody: { id, name: "a" } });
    expect(created.id).toBe(id);
    await expect(drive.files.create({ requestBody: { id, name: "a" } })).rejects.toMatchObject({ status: 409, ...reason("fileIdInUse") });
    await expect(drive.files.create({ requestBody: { id: `${other}x`, name: "a" } })).rejects.toMatchObject({ status: 400 });
  });

  it("counts what people own against their quota, and lets service accounts own nothing", async () => {
    const { server, drive } = await serverWithClient();
    const service = "robot@project.iam.gserviceaccount.com";
    await server.addServiceAccount(service);
    const folder = server.state.addFolder({ name: "p", grants: { [service]: "writer" } });
    const mine = server.state.addFile({ name: "f", parent: folder, content: "12345" });
    const shared = server.state.addSharedDrive("d", { [service]: "fileOrganizer" });
    server.state.setQuota(ANA, 8);
    const robot = clientAs(server, service);
    const create = (client: typeof drive, parent: string, body: string) =>
      client.files.create({ requestBody: { name: "a", parents: [parent] }, media: { body }, supportsAllDrives: true }, toServer(server));
    await expect(create(drive, folder, "1234")).rejects.toMatchObject(reason("storageQuotaExceeded"));
    await expect(create(robot, folder, "1")).rejects.toMatchObject({
      ...reason("storageQuotaExceeded"),
      message: expect.stringContaining("Service Accounts do not have storage quota"),
    });
    await create(robot, shared, "1234");
    await robot.files.update({ fileId: mine, media: { body: "12345678" } }, toServer(server));
    const { data } = await drive.about.get({ fields: "user/emailAddress,storageQuota(limit,usage)" });
    expect(data).toEqual({ user: { emailAddress: ANA }, storageQuota: { limit: "8", usage: "8" } });
    await expect(drive.about.get({})).rejects.toMatchObject({ status: 400 });
  });

  it("refuses what the account may not do", async () => {
    const { server, drive } = await serverWithClient();
    const folder = server.state.addFolder({ name: "p", owner: BIA, grants: { [ANA]: "reader" } });
    const fileId = server.state.addFile({ name: "f", parent: folder, content: "" });
    await expect(drive.files.update({ fileId, requestBody: { name: "g" } })).rejects.toMatchObject(reason("insufficientFilePermissions"));
    await expect(drive.files.create({ requestBody: { parents: [folder] } })).rejects.toMatchObject(reason("insufficientParentPermissions"));
    await expect(drive.files.create({ requestBody: { parents: [fileId] } })).rejects.toMatchObject(reason("parentNotAFolder"));
    await expect(drive.files.delete({ fileId })).rejects.toMatchObject(reason("insufficientFilePermissions"));
    server.state.share(folder, ANA, "writer");
    await drive.files.update({ fileId, requestBody: { name: "g" } });
    expect(server.state.item(fileId).name).toBe("g");
    const readonly = clientAs(server, ANA, ["https://www.googleapis.com/auth/drive.readonly"]);
    await expect(readonly.files.update({ fileId, requestBody: { name: "h" } })).rejects.toMatchObject(reason("insufficientPermissions"));
  });

  it("shares files and lists with whom", async () => {
    const { server, drive } = await serverWithClient();
    const fileId = server.state.addFile({ name: "a", content: "" });
    const bia = clientAs(server, BIA);
    await expect(bia.files.get({ fileId })).rejects.toMatchObject({ status: 404 });
    await drive.permissions.create({ fileId, requestBody: { type: "user", role: "reader", emailAddress: BIA } });
    expect((await bia.files.get({ fileId })).data.name).toBe("a");
    const { data } = await drive.permissions.list({ fileId, fields: "permissions(role,emailAddress)" });
    expect(data.permissions).toEqual([
      { role: "owner", emailAddress: ANA },
      { role: "reader", emailAddress: BIA },
    ]);
  });
});
