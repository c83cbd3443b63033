import { describe, expect, it } from "vitest";
import { ANA, type ClientOfServer, serverWithClient } from "../../support/drive-server/client.ts";

const BLOCK = 256 * 1024;
const content = Buffer.from(Uint8Array.from({ length: 2 * BLOCK + 100 }, (_, n) => (n * 31) % 256));

async function start({ server }: ClientOfServer, path = "", method = "POST"): Promise<string> {
  const answer = await fetch(`${server.url}/upload/drive/v3/files${path}?uploadType=resumable&fields=id,size`, {
    method,
    headers: {
      authorization: `Bearer ${server.accessToken(ANA)}`,
      "content-type": "application/json; charset=UTF-8",
      "x-upload-content-type": "text/csv",
      "x-upload-content-length": String(content.length),
    },
    body: JSON.stringify(path === "" ? { name: "voos.csv" } : {}),
  });
  expect(answer.status).toBe(200);
  return answer.headers.get("location") as string;
}

const put = (session: string, range: string | undefined, body: Uint8Array<ArrayBuffer> | Buffer = Buffer.alloc(0)) =>
  fetch(session, { method: "PUT", headers: range === undefined ? {} : { "content-range": range }, body: new Uint8Array(body) });

const piece = (session: string, first: number, end: number) =>
  put(session, `bytes ${first}-${end - 1}/${content.length}`, content.subarray(first, end));

describe("resumable uploads to the fake Drive", () => {
  it("takes pieces in order and answers the file with the last one, again when asked", async () => {
    const world = await serverWithClient();
    const session = await start(world);
    const first = await piece(session, 0, BLOCK);
    expect([first.status, first.headers.get("range")]).toEqual([308, `bytes=0-${BLOCK - 1}`]);
    const last = await piece(session, BLOCK, content.length);
    const file = (await last.json()) as { id: string };
    expect([last.status, file]).toEqual([200, { id: expect.any(String), size: String(content.length) }]);
    expect(world.server.state.content(file.id)).toEqual(content);
    expect(world.server.state.item(file.id)).toMatchObject({ name: "voos.csv", mimeType: "text/csv" });
    const again = await put(session, `bytes */${content.length}`);
    expect([again.status, await again.json()]).toEqual([200, file]);
    expect(world.server.state.children(world.server.state.rootOf(ANA))).toHaveLength(1);
  });

  it("takes everything in one request, and other content for a file that exists", async () => {
    const world = await serverWithClient();
    const id = world.server.state.addFile({ name: "a", content: "old" });
    const answer = await put(await start(world, `/${id}`, "PATCH"), undefined, content);
    expect(await answer.json()).toEqual({ id, size: String(content.length) });
    expect(world.server.state.content(id)).toEqual(content);
  });

  it("keeps the whole blocks of a piece that broke off", async () => {
    const world = await serverWithClient();
    const session = await start(world);
    expect((await put(session, `bytes */${content.length}`)).headers.get("range")).toBeNull();
    world.server.faults.fail("sessions.put", { kind: "cut-upload", afterBytes: BLOCK + 50_000 });
    await expect(piece(session, 0, content.length)).rejects.toThrow("fetch failed");
    const asked = await put(session, `bytes */${content.length}`);
    expect([asked.status, asked.headers.get("range")]).toEqual([308, `bytes=0-${BLOCK - 1}`]);
    expect(world.server.sessions.unfinished).toBe(1);
    const { id } = (await (await piece(session, BLOCK, content.length)).json()) as { id: string };
    expect(world.server.state.content(id)).toEqual(content);
    expect(world.server.sessions.unfinished).toBe(0);
  });

  it.each([
    ["a piece that is no multiple of 256 KiB", `bytes 0-99/${content.length}`, 100],
    ["a piece out of order", `bytes ${BLOCK}-${2 * BLOCK - 1}/${content.length}`, BLOCK],
    ["a range that does not fit its length", `bytes 0-${BLOCK - 1}/${content.length}`, BLOCK + 1],
    ["another total than announced", `bytes 0-${BLOCK - 1}/${BLOCK * 8}`, BLOCK],
    ["a range that cannot be read", "bytes=0-99", 100],
  ])("refuses %s", async (_, range, length) => {
    const session = await start(await serverWithClient());
    expect((await put(session, range, content.subarray(0, length))).status).toBe(400);
  });

  it("forgets sessions that expire or are cancelled", async () => {
    const world = await serverWithClient();
    const [expired, cancelled, gone] = [await start(world), await start(world), await start(world)];
    expect((await fetch(cancelled, { method: "DELETE" })).status).toBe(499);
    expect((await piece(cancelled, 0, BLOCK)).status).toBe(404);
    world.server.faults.fail("sessions.put", { kind: "expired-session", status: 410 });
    expect((await piece(gone, 0, BLOCK)).status).toBe(410);
    expect((await put(gone, `bytes */${content.length}`)).status).toBe(410);
    world.server.sessions.expire();
    expect((await piece(expired, 0, BLOCK)).status).toBe(404);
  });

  it("refuses at the start what could not be kept at the end", async () => {
    const world = await serverWithClient();
    world.server.state.setQuota(ANA, content.length - 1);
    await expect(start(world)).rejects.toThrow("403");
  });
});
