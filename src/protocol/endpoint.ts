/**
 * Where the host of a workspace listens. The socket lies in `.eda/`; a path longer than the kernel allows (108 bytes for a Unix
 * socket) moves to the temporary folder under a name derived from the workspace, owned by the same user.
 */
import { createHash } from "node:crypto";
import { realpathSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { STATE_FOLDER } from "../domain/governed.ts";

/** sun_path less its terminating zero, on the smallest of the supported systems (macOS: 104). */
const MAX_SOCKET_PATH_BYTES = 103;

export interface Endpoint {
  /** Real path of the workspace. */
  readonly workspace: string;
  readonly stateFolder: string;
  readonly socket: string;
  /** Host log, rotated. */
  readonly logFile: string;
}

/** @param workspace must exist. */
export function endpointOf(workspace: string): Endpoint {
  const real = realpathSync(workspace);
  const stateFolder = join(real, STATE_FOLDER);
  const inside = join(stateFolder, "host.sock");
  const digest = createHash("sha256").update(real).digest("hex").slice(0, 16);
  const socket =
    Buffer.byteLength(inside) <= MAX_SOCKET_PATH_BYTES ? inside : join(tmpdir(), `eda-${userInfo().uid}-${digest}`, "host.sock");
  return { workspace: real, stateFolder, socket, logFile: join(stateFolder, "logs", "host.log") };
}
