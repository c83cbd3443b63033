/** What git's failures mean to a person. Git speaks English here: it runs with `LC_ALL=C`. */
import { EdaError } from "../../domain/errors.ts";

/** @param output what the failed command said */
export function gitError(workspace: string, args: readonly string[], output: string): EdaError {
  if (/detected dubious ownership/u.test(output)) {
    return new EdaError("precondition", "dubious-ownership", `${workspace} belongs to another user, so Git refuses to work in it.`, {
      todo: `If you trust it, run: git config --global --add safe.directory ${JSON.stringify(workspace)}`,
    });
  }
  if (/not a git repository/iu.test(output)) {
    return new EdaError("precondition", "not-a-repository", `${workspace} is not a Git repository.`, {
      todo: "Create one with: eda init",
    });
  }
  const lock = /Unable to create '(.+\.lock)': File exists/u.exec(output)?.[1];
  if (lock !== undefined) return indexLocked(lock);
  if (/No space left on device|Disk quota exceeded/u.test(output)) {
    return new EdaError("terminal", "disk-full", "The disk is full: Git could not write.", { todo: "Free some space and run again." });
  }
  return new EdaError("terminal", "git-failed", `git ${args[0]} failed: ${output === "" ? "it said nothing" : output}`);
}

export function indexLocked(path: string): EdaError {
  return new EdaError("precondition", "index-locked", `Another Git command holds ${path}.`, {
    todo: "Wait until it ends (an open commit message editor counts); if none is running, delete that file.",
  });
}
