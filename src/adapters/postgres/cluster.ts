/** The database cluster of a workspace on disk: made once, whole or not at all. */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { EdaError } from "../../domain/errors.ts";
import type { Binaries } from "./binaries.ts";
import { startFailure } from "./start-failure.ts";
import type { ServerUser } from "./server-user.ts";

/** Superuser of the cluster and name of its database. */
export const OWNER = "eda";
/** Inside the data folder, so that a cluster and its password appear together. */
const PASSWORD_FILE = "eda-password";
const HALF_MADE = "init-";
const REMOVE = { recursive: true, force: true, maxRetries: 10, retryDelay: 100 } as const;

export interface Cluster {
  readonly dataFolder: string;
  readonly logFile: string;
}

/** What it takes to run the server's programs. */
export interface Programs {
  readonly binaries: Binaries;
  /** Undefined: whoever we are. */
  readonly user: ServerUser | undefined;
}

export function clusterIn(stateFolder: string): Cluster {
  const folder = join(stateFolder, "postgres");
  return { dataFolder: join(folder, "data"), logFile: join(folder, "server.log") };
}

export function passwordOf({ dataFolder }: Cluster): string {
  try {
    return readFileSync(join(dataFolder, PASSWORD_FILE), "utf8").trim();
  } catch (error) {
    throw new EdaError("precondition", "database-password-missing", `The password of the database cannot be read: ${String(error)}`, {
      todo: `Put ${join(dataFolder, PASSWORD_FILE)} back.`,
      cause: error,
    });
  }
}

/**
 * How the server is told where its data lies: by its working folder. A folder can be entered before the rights of root are given up, so
 * that the workspace may lie where the server's user could not walk to; and the path may be as long as it likes.
 */
export function dataArgument(dataFolder: string): string {
  return process.platform === "linux" ? "/proc/self/cwd" : dataFolder;
}

/** The server's programs get nothing of our environment: `PGDATA` and the like would change what they do. */
export function serverEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, LC_ALL: "C" };
}

/** @throws EdaError `unavailable` `postgres-not-starting` with what initdb said, `terminal` `disk-full` */
export async function ensureCluster({ dataFolder }: Cluster, programs: Programs): Promise<void> {
  const folder = dirname(dataFolder);
  try {
    if (existsSync(dataFolder)) return adopt(dataFolder, programs.user);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    await makeCluster(folder, dataFolder, programs);
  } catch (error) {
    throw startFailure(error instanceof Error ? error.message : String(error), folder, error);
  }
}

/** The server refuses a data folder that others may read, or that is not its user's: as one is that somebody (root) copied. */
function adopt(dataFolder: string, user: ServerUser | undefined): void {
  const { uid, mode } = statSync(dataFolder);
  if ((mode & 0o077) !== 0) chmodSync(dataFolder, 0o700);
  if (user === undefined || uid === user.uid) return;
  for (const name of ["", ...readdirSync(dataFolder, { recursive: true, encoding: "utf8" })])
    lchownSync(join(dataFolder, name), user.uid, user.gid);
}

async function makeCluster(folder: string, dataFolder: string, programs: Programs): Promise<void> {
  removeHalfMade(folder);
  const half = mkdtempSync(join(folder, HALF_MADE));
  try {
    const made = join(half, "data");
    mkdirSync(made, { mode: 0o700 });
    const password = join(half, PASSWORD_FILE);
    writeFileSync(password, `${randomBytes(24).toString("hex")}\n`, { mode: 0o600, flush: true });
    if (programs.user !== undefined) for (const path of [made, password]) chownSync(path, programs.user.uid, programs.user.gid);
    await initialise(made, password, programs);
    renameSync(password, join(made, PASSWORD_FILE));
    renameSync(made, dataFolder);
  } finally {
    removeHalfMade(folder);
  }
}

/**
 * Ours when we are done, and that of a host killed meanwhile: the host is the only one in its workspace. An initdb that outlived it may
 * go on writing for a second or two, so what comes back before ours is made goes after.
 */
function removeHalfMade(folder: string): void {
  for (const name of readdirSync(folder)) if (name.startsWith(HALF_MADE)) rmSync(join(folder, name), REMOVE);
}

/** Ordering by bytes, as object keys and manifests are ordered; upper and lower case of all of Unicode. */
const INITDB_FLAGS = [
  "--no-instructions",
  "--encoding=UTF8",
  "--locale-provider=builtin",
  "--builtin-locale=C.UTF-8",
  "--locale=C",
  "--auth=scram-sha-256",
];

async function initialise(folder: string, passwordFile: string, { binaries, user }: Programs): Promise<void> {
  // Handed over open, because the server's user may not be able to walk to it.
  const password = openSync(passwordFile, "r");
  try {
    const args = ["-D", dataArgument(folder), `--username=${OWNER}`, "--pwfile=/dev/fd/3", ...INITDB_FLAGS];
    const child = spawn(binaries.initdb, args, {
      cwd: folder,
      env: serverEnvironment(),
      stdio: ["ignore", "pipe", "pipe", password],
      ...user,
    });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (chunk: Buffer) => {
        said = (said + chunk.toString()).slice(-4_000);
      });
    }
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    if (code !== 0) throw new Error(`initdb ended with ${code}: ${said.trim().split("\n").slice(-4).join(" | ")}`);
  } finally {
    closeSync(password);
  }
}
