/** A proxy in front of PostgreSQL that cuts a connection at the statement that a test names. */
import { createServer, connect as connectTo, type Socket } from "node:net";
import { onTestFinished } from "vitest";

export interface CuttingProxy {
  /** The given URL, through the proxy. */
  readonly url: string;
  /** How many connections were cut. */
  readonly cuts: () => number;
}

/**
 * @param statement of a connection that is to be cut, once
 * @param when `before`: the server never hears it. `after`: the server does it, and the client never hears the answer
 */
export async function cuttingProxy(url: string, statement: string, when: "before" | "after"): Promise<CuttingProxy> {
  const target = new URL(url);
  let cuts = 0;
  const sockets = new Set<Socket>();
  const proxy = createServer((client) => {
    const server = connectTo(Number(target.port), target.hostname);
    let isDeaf = false;
    const cut = () => {
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.on("error", cut).on("close", cut);
    }
    client.on("data", (bytes) => {
      const isNow = cuts === 0 && bytes.includes(statement);
      if (isNow) cuts += 1;
      if (isNow && when === "before") return cut();
      isDeaf ||= isNow;
      server.write(bytes);
    });
    server.on("data", (bytes) => (isDeaf ? cut() : client.write(bytes)));
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    proxy.close();
  });
  const own = new URL(url);
  own.port = String((proxy.address() as { readonly port: number }).port);
  return { url: own.href, cuts: () => cuts };
}
