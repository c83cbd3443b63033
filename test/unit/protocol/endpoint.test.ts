import { mkdirSync, mkdtempSync, realpathSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { endpointOf } from "../../../src/protocol/endpoint.ts";

const root = realpathSync(mkdtempSync(join(tmpdir(), "eda-endpoint-")));

it("puts the socket beside the state of the workspace", () => {
  const workspace = join(root, "w");
  mkdirSync(workspace);
  expect(endpointOf(workspace)).toEqual({
    workspace,
    stateFolder: join(workspace, ".eda"),
    socket: join(workspace, ".eda", "host.sock"),
    logFile: join(workspace, ".eda", "logs", "host.log"),
  });
});

it("gives a workspace and a link to it the same socket", () => {
  const workspace = join(root, "real");
  mkdirSync(workspace);
  symlinkSync(workspace, join(root, "link"));
  expect(endpointOf(join(root, "link"))).toEqual(endpointOf(workspace));
});

it("moves the socket to the temporary folder when its path is longer than a socket's may be", () => {
  const workspace = join(root, "ç".repeat(60));
  mkdirSync(workspace);
  const { socket } = endpointOf(workspace);
  expect(socket).toMatch(/eda-\d+-[0-9a-f]{16}\/host\.sock$/u);
  expect(Buffer.byteLength(socket)).toBeLessThanOrEqual(103);
  const other = join(root, "é".repeat(60));
  mkdirSync(other);
  expect(endpointOf(other).socket).not.toBe(socket);
});
