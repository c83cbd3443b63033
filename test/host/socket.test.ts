import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, statSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { listenOn } from "../../src/host/server.ts";
import { becomeOnlyHost } from "../../src/host/single-instance.ts";
import { endpointOf } from "../../src/protocol/endpoint.ts";

function endpoint(name: string) {
  const workspace = join(realpathSync(mkdtempSync(join(tmpdir(), "eda-socket-"))), name);
  mkdirSync(join(workspace, ".eda"), { recursive: true });
  return endpointOf(workspace);
}

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);

describe("the host's socket", () => {
  it("is the user's alone", async () => {
    const at = endpoint("w");
    const server = await listenOn(at, () => undefined);
    expect(modeOf(at.socket)).toBe("600");
    await server.close();
  });

  it("lies in a folder of the user's alone when it had to move to the shared temporary folder", async () => {
    const at = endpoint("ç".repeat(60));
    const server = await listenOn(at, () => undefined);
    expect(modeOf(dirname(at.socket))).toBe("700");
    await server.close();
  });

  it.skipIf(process.getuid?.() !== 0)("is refused in a shared folder that is another user's", async () => {
    const at = endpoint("é".repeat(60));
    mkdirSync(dirname(at.socket));
    execFileSync("chown", ["nobody", dirname(at.socket)]);
    await expect(listenOn(at, () => undefined)).rejects.toMatchObject({ code: "unsafe-socket-folder" });
  });

  it("takes the place of one that a killed host left", async () => {
    const at = endpoint("w");
    writeFileSync(at.socket, "");
    let connected = 0;
    const server = await listenOn(at, () => {
      connected += 1;
    });
    await new Promise<void>((resolve) => connect(at.socket, resolve));
    await expect.poll(() => connected).toBe(1);
    await server.close();
  });

  it("ends open connections when it closes", async () => {
    const at = endpoint("w");
    const server = await listenOn(at, () => undefined);
    const client = connect(at.socket);
    await new Promise((resolve) => client.once("connect", resolve));
    const ended = new Promise((resolve) => client.once("close", resolve));
    client.resume();
    await server.close();
    await ended;
    expect(client.destroyed).toBe(true);
  });
});

describe("the only host", () => {
  it("keeps others out until it leaves", async () => {
    const { workspace } = endpoint("w");
    const leave = await becomeOnlyHost(workspace);
    expect(leave).toBeTypeOf("function");
    expect(await becomeOnlyHost(workspace)).toBeUndefined();
    leave?.();
    await expect.poll(() => becomeOnlyHost(workspace)).toBeTypeOf("function");
  });

  it("is one a workspace, not one a machine", async () => {
    expect(await becomeOnlyHost(endpoint("a").workspace)).toBeTypeOf("function");
    expect(await becomeOnlyHost(endpoint("b").workspace)).toBeTypeOf("function");
  });
});
