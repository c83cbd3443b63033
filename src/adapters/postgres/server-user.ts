/** Who the server runs as: PostgreSQL refuses root. */
import { execFileSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { EdaError } from "../../domain/errors.ts";

const ACCOUNT = "postgres";

export interface ServerUser {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Undefined: whoever we are. As root, the owner of the data folder (accounts get other numbers in another container), else the account
 * `postgres`, made when it is missing.
 * @throws EdaError `precondition` `no-server-user`, `wrong-owner`
 */
export function serverUser(dataFolder: string): ServerUser | undefined {
  const me = process.getuid?.();
  if (me === undefined) return undefined;
  const owner = statSync(dataFolder, { throwIfNoEntry: false });
  if (me !== 0) {
    if (owner === undefined || owner.uid === me) return undefined;
    throw new EdaError("precondition", "wrong-owner", `The database in ${dataFolder} belongs to another user (uid ${owner.uid}).`, {
      todo: `Run eda as that user, or give the folder to yours: sudo chown -R "$USER" ${dataFolder}`,
    });
  }
  if (owner !== undefined && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  return account() ?? createAccount();
}

function account(): ServerUser | undefined {
  const entries = readFileSync("/etc/passwd", "utf8").split("\n");
  const [, , uid, gid] = entries.map((line) => line.split(":")).find(([name]) => name === ACCOUNT) ?? [];
  return uid === undefined || gid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) };
}

function createAccount(): ServerUser {
  let cause: unknown;
  try {
    execFileSync("useradd", ["--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", ACCOUNT], { stdio: "pipe" });
  } catch (error) {
    cause = error;
  }
  const made = account();
  if (made !== undefined) return made;
  throw new EdaError("precondition", "no-server-user", "PostgreSQL does not run as root, and there is no user for it.", {
    todo: `Run eda as an ordinary user, or create one: useradd --system --user-group ${ACCOUNT}`,
    cause,
  });
}
