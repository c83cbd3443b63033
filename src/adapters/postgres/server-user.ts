/** Who the server runs as: PostgreSQL refuses root. */
import { readFileSync, statSync } from "node:fs";
import { EdaError } from "../../domain/errors.ts";

/** In the order of preference. */
const ACCOUNTS = ["postgres", "nobody"];

export interface ServerUser {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Undefined: whoever we are. As root, the owner of the data folder (accounts get other numbers in another container), else an account
 * that is there anyway.
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
  return owner === undefined || owner.uid === 0 ? unprivilegedAccount() : { uid: owner.uid, gid: owner.gid };
}

function unprivilegedAccount(): ServerUser {
  const entries = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .map((line) => line.split(":"));
  for (const account of ACCOUNTS) {
    const [, , uid, gid] = entries.find(([name]) => name === account) ?? [];
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new EdaError("precondition", "no-server-user", "PostgreSQL does not run as root, and there is no user for it.", {
    todo: "Run eda as an ordinary user, or create one: useradd --system --user-group postgres",
  });
}
