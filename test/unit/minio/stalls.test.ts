import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { isTransient } from "../../../src/adapters/minio/failures.ts";
import { openWire, type S3Request, type Wire } from "../../../src/adapters/minio/wire.ts";

const STALL_MS = 200;
/** More than this machine's network buffers take in. */
const LARGE = Buffer.alloc(64 * 1024 * 1024);

/** A server that is told what to do with each connection. */
async function wireTo(serve: (socket: Socket) => void): Promise<Wire> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on("error", () => undefined));
    serve(socket);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return openWire({ endpoint, region: "r", accessKey: "a", secretKey: "s", stallMs: STALL_MS });
}

const put = (content: Buffer): S3Request => ({ method: "PUT", bucket: "b", key: "k", body: { content, size: content.length } });
const failureOf = (request: Promise<unknown>) => request.then(() => undefined).catch((error: unknown) => error);

it.each([
  ["whose bytes stand still", LARGE],
  ["whose answer does not come", Buffer.from("small")],
])("an upload %s is given up, in a way that is worth another attempt", async (_, content) => {
  const wire = await wireTo((socket) => socket.pause());
  const failure = await failureOf(wire.command(put(content)));
  expect(failure).toMatchObject({ code: "STALLED" });
  expect(isTransient(failure)).toBe(true);
});

it("an upload that moves may take its time", async () => {
  const wire = await wireTo((socket) => {
    let received = 0;
    socket.on("data", (bytes) => {
      received += bytes.length;
      socket.pause();
      setTimeout(() => socket.resume(), 1);
      if (received > LARGE.length) socket.write("HTTP/1.1 200 OK\r\netag: x\r\ncontent-length: 0\r\n\r\n");
    });
  });
  const start = performance.now();
  expect(await wire.command(put(LARGE))).toMatchObject({ etag: "x" });
  expect(performance.now() - start).toBeGreaterThan(STALL_MS);
});

it("a question may wait for its answer", async () => {
  const wire = await wireTo((socket) => {
    socket.once("data", () => setTimeout(() => socket.write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"), STALL_MS * 4));
  });
  expect(await failureOf(wire.command({ method: "GET", bucket: "b", key: "k" }))).toBeUndefined();
});
