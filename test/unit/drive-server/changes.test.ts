import { describe, expect, it } from "vitest";
import { ANA, BIA, clientAs, serverWithClient } from "../../support/drive-server/client.ts";

describe("changes of the fake Drive", () => {
  it("tells each file once, as it is now, and those that are gone", async () => {
    const { server, drive } = await serverWithClient();
    const [kept, gone] = [server.state.addFile({ name: "a", content: "1" }), server.state.addFile({ name: "b", content: "1" })];
    const { data } = await drive.changes.getStartPageToken();
    const pageToken = data.startPageToken as string;
    expect((await drive.changes.list({ pageToken })).data).toEqual({ kind: "drive#changeList", changes: [], newStartPageToken: pageToken });
    server.state.write(kept, "2");
    server.state.rename(kept, "c");
    server.state.delete(gone);
    const fields = "newStartPageToken,changes(fileId,removed,file(name,size))";
    const { data: after } = await drive.changes.list({ pageToken, fields });
    expect(after.changes).toEqual([
      { fileId: kept, removed: false, file: { name: "c", size: "1" } },
      { fileId: gone, removed: true },
    ]);
    expect((await drive.changes.list({ pageToken: after.newStartPageToken as string, fields })).data.changes).toEqual([]);
    await expect(drive.changes.list({ pageToken: "1" })).rejects.toMatchObject({ status: 400 });
  });

  it("pages through many", async () => {
    const { server, drive } = await serverWithClient();
    let pageToken = (await drive.changes.getStartPageToken()).data.startPageToken as string;
    const ids = Array.from({ length: 7 }, (_, n) => server.state.addFile({ name: `f${n}`, content: "" }));
    const found: string[] = [];
    for (let last = false; !last; ) {
      const { data } = await drive.changes.list({ pageToken, pageSize: 3 });
      found.push(...(data.changes ?? []).map((change) => change.fileId as string));
      last = data.newStartPageToken !== undefined;
      pageToken = (data.newStartPageToken ?? data.nextPageToken) as string;
    }
    expect(found).toEqual(ids);
  });

  it("tells only those who see the file, and that it is removed to who sees it no more", async () => {
    const { server } = await serverWithClient();
    const id = server.state.addFile({ name: "a", content: "1", owner: BIA, grants: { [ANA]: "reader" } });
    const ana = clientAs(server, ANA);
    const pageToken = (await ana.changes.getStartPageToken()).data.startPageToken as string;
    server.state.addFile({ name: "secret", content: "", owner: BIA });
    server.state.unshare(id, ANA);
    const changes = async (client: typeof ana) =>
      (await client.changes.list({ pageToken, fields: "changes(fileId,removed)" })).data.changes;
    expect(await changes(ana)).toEqual([{ fileId: id, removed: true }]);
    expect(await changes(clientAs(server, BIA))).toContainEqual({ fileId: id, removed: false });
  });

  it("tells of shared drives only who asks for them", async () => {
    const { server, drive } = await serverWithClient();
    const pageToken = (await drive.changes.getStartPageToken()).data.startPageToken as string;
    const shared = server.state.addSharedDrive("Dados", { [ANA]: "reader" });
    const file = server.state.addFile({ name: "a", parent: shared, content: "" });
    const list = async (more: object) =>
      (await drive.changes.list({ pageToken, ...more, fields: "changes(changeType,fileId,driveId,drive/name)" })).data.changes;
    expect(await list({})).toEqual([]);
    expect(await list({ supportsAllDrives: true, includeItemsFromAllDrives: true })).toEqual([
      { changeType: "drive", driveId: shared, drive: { name: "Dados" } },
      { changeType: "file", driveId: shared, fileId: file },
    ]);
    expect((await drive.drives.list()).data.drives).toEqual([{ kind: "drive#drive", id: shared, name: "Dados" }]);
    await expect(clientAs(server, BIA).drives.get({ driveId: shared })).rejects.toMatchObject({ status: 404 });
  });

  it("tells a change only after the delay", async () => {
    const { server, drive } = await serverWithClient();
    const pageToken = (await drive.changes.getStartPageToken()).data.startPageToken as string;
    server.state.visibilityDelayMs = 300;
    const id = server.state.addFile({ name: "a", content: "" });
    const ids = async () => (await drive.changes.list({ pageToken })).data.changes?.map((change) => change.fileId);
    expect(await ids()).toEqual([]);
    await expect.poll(ids, { timeout: 20_000 }).toEqual([id]);
  });
});
