/** The database cluster of a workspace on disk: made once, whole or not at all. */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, chownSync, closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { EdaError } from "../../domain/errors.ts";
import type { Binaries } from "./binaries.ts";

/** Superuser of the cluster and name of its database. */
export const OWNER = "eda";

export interface Cluster {
  readonly dataFolder: string;
  readonly logFile: string;
  readonly password: string;
}

/**
 * How the server is told where its data lies: by its working folder. A folder can be entered before the rights of root are given up, so
 * that the workspace may lie where the server's user could not walk to; and the path may be as long as it likes.
 */
export function dataArgument(dataFolder: string): string {
  return process.platform === "linux" ? "/proc/self/cwd" : dataFolder;
}

/** @throws EdaError `unavailable` `postgres-not-starting` with what initdb said, `terminal` `disk-full` */
export async function ensureCluster(stateFolder: string, binaries: Binaries): Promise<Cluster> {
  const folder = join(stateFolder, "postgres");
  const cluster = { dataFolder: join(folder, "data"), logFile: join(folder, "server.log") };
  const passwordFile = join(folder, "password");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (existsSync(cluster.dataFolder)) return { ...cluster, password: readFileSync(passwordFile, "utf8").trim() };
  const password = randomBytes(24).toString("hex");
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
  const half = join(folder, "data.new");
  rmSync(half, { recursive: true, force: true });
  mkdirSync(half, { mode: 0o700 });
  if (binaries.user !== undefined) chownSync(half, binaries.user.uid, binaries.user.gid);
  await initialise(half, passwordFile, binaries);
  renameSync(half, cluster.dataFolder);
  return { ...cluster, password };
}

/** Ordering by bytes, as object keys and manifests are ordered; upper and lower case of all of Unicode. */
const INITDB_FLAGS = ["--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--auth=scram-sha-256"];

function initialise(folder: string, passwordFile: string, binaries: Binaries): Promise<void> {
  // A copy that the server's user may open; it is gone before it could be looked for.
  const copy = `${passwordFile}.initdb`;
  writeFileSync(copy, readFileSync(passwordFile), { mode: 0o600 });
  chmodSync(copy, 0o600);
  if (binaries.user !== undefined) chownSync(copy, binaries.user.uid, binaries.user.gid);
  const secret = openSync(copy, "r");
  return new Promise<void>((resolve, reject) => {
    const args = ["-D", dataArgument(folder), `--username=${OWNER}`, "--pwfile=/dev/fd/3", "--no-instructions", ...INITDB_FLAGS];
    const child = spawn(binaries.initdb, args, {
      cwd: folder,
      env: { PATH: process.env.PATH, LC_ALL: "C" },
      stdio: ["ignore", "pipe", "pipe", secret],
      ...(binaries.user ?? {}),
    });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (chunk: Buffer) => {
        said = (said + chunk.toString()).slice(-4_000);
      });
    }
    child.once("error", reject);
    child.once("close", (code) => (code === 0 ? resolve() : reject(initFailure(said, code))));
  }).finally(() => {
    closeSync(secret);
    rmSync(copy, { force: true });
  });
}

function initFailure(said: string, code: number | null): EdaError {
  if (/No space left on device|Disk quota exceeded/u.test(said)) {
    return new EdaError("terminal", "disk-full", "There is no space left for the database of this workspace.", {
      todo: "Free about 100 MB and run again.",
    });
  }
  const tail = said.trim().split("\n").slice(-3).join(" | ");
  return new EdaError("unavailable", "postgres-not-starting", `The database could not be made (initdb exit ${code}): ${tail}`, {
    todo: "Correct what it says and run again; nothing half-made is kept.",
  });
}
