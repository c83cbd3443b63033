import { EdaError } from "../../domain/errors.ts";

/** Why there is no server, as a person can act on it. @param said the end of what the server or the system said */
export function startFailure(said: string, folder: string, cause?: unknown): EdaError {
  if (cause instanceof EdaError) return cause;
  if (/No space left on device|Disk quota exceeded|ENOSPC|EDQUOT/u.test(said)) {
    return new EdaError("terminal", "disk-full", `The disk that holds ${folder} is full: the database of this workspace cannot start.`, {
      todo: "Free about 100 MB and run again.",
      cause,
    });
  }
  return new EdaError("unavailable", "postgres-not-starting", `The embedded PostgreSQL did not start: ${said}`, {
    todo: todoFor(said, folder),
    cause,
  });
}

function todoFor(said: string, folder: string): string {
  if (/Permission denied|EACCES|EPERM|wrong ownership|invalid permissions|Read-only file system|EROFS/u.test(said)) {
    return `Make ${folder} writable for the user that runs eda, on a file system that knows owners and permissions.`;
  }
  if (/incompatible with server/u.test(said))
    return `The database in ${folder} is of another PostgreSQL version: use the eda that made it.`;
  return `See ${folder}/server.log.`;
}
