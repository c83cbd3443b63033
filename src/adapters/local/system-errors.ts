/** What the file system says, in the project's own errors. */
import { EdaError } from "../../domain/errors.ts";

export function systemCode(error: unknown): string | undefined {
  return typeof error === "object" && error !== null && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

/** Nothing is there: neither the file nor, perhaps, the folder it would be in. */
export function isMissing(error: unknown): boolean {
  const code = systemCode(error);
  return code === "ENOENT" || code === "ENOTDIR";
}

/**
 * A failed write as people meet it: `disk-full` (also a quota), or a folder that cannot be written to. Anything else as it is.
 * @param folder what was written to, for the message
 */
export function writeFailure(error: unknown, folder: string): unknown {
  switch (systemCode(error)) {
    case "ENOSPC":
    case "EDQUOT":
      return new EdaError("terminal", "disk-full", `There is no space left to write to ${folder}.`, {
        todo: "Free some space (or raise the quota) and run again: nothing half-written was kept.",
        cause: error,
      });
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return new EdaError("terminal", "not-writable", `${folder} cannot be written to.`, {
        todo: "Give the user that runs eda write access to it.",
        cause: error,
      });
    default:
      return error;
  }
}
