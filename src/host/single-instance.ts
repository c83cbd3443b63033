/**
 * One host a workspace. The mutex is something the kernel releases when the process dies, however it dies: an abstract socket on
 * Linux, a named pipe on Windows, a loopback port elsewhere. No lock file is left to go stale.
 */
import { createHash } from "node:crypto";
import { createServer, type ListenOptions, type Server } from "node:net";
import { userInfo } from "node:os";

/** Private ports (RFC 6335) from which the fallback picks by workspace. */
const FIRST_PORT = 49_152;
const PORT_COUNT = 16_000;

/** @returns a function that gives the place up, or undefined when another host holds it */
export async function becomeOnlyHost(workspace: string): Promise<(() => void) | undefined> {
  const server = createServer((socket) => socket.destroy());
  const held = await listen(server, mutexAddress(workspace));
  if (!held) return undefined;
  server.unref();
  return () => server.close();
}

function mutexAddress(workspace: string): ListenOptions {
  const digest = createHash("sha256").update(`${userInfo().uid}:${workspace}`).digest();
  const name = `eda-host-${digest.toString("hex").slice(0, 32)}`;
  if (process.platform === "linux") return { path: `\0${name}` };
  if (process.platform === "win32") return { path: `\\\\.\\pipe\\${name}` };
  return { host: "127.0.0.1", port: FIRST_PORT + (digest.readUInt16BE(0) % PORT_COUNT), exclusive: true };
}

function listen(server: Server, address: ListenOptions): Promise<boolean> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => (error.code === "EADDRINUSE" ? resolve(false) : reject(error)));
    server.listen(address, () => resolve(true));
  });
}
