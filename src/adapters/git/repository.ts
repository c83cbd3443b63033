/** The governed repository, through the Git that is installed. */
import pLimit from "p-limit";
import type { Repository } from "../../ports/repository.ts";
import { commitPaths } from "./commit.ts";
import { openGit } from "./git.ts";
import { findCommit, governedLog, listAt, readAt } from "./history.ts";
import { openPlaces } from "./places.ts";
import { currentBranch, preflight } from "./preflight.ts";
import { push, unpushed } from "./push.ts";
import { createScanner } from "./scan.ts";
import { workspaceChanges } from "./status.ts";

export interface RepositoryOptions {
  /** Absolute path: the top folder of the repository. */
  readonly workspace: string;
  /** Size over which a file is not let into Git, in bytes. */
  readonly maxFileBytes: number;
  readonly pushRemote: string;
  /** Environment to run Git in; this process's by default. */
  readonly env?: NodeJS.ProcessEnv;
}

/** Opens nothing by itself: what is wrong with the repository shows in {@link Repository.preflight}. */
export function openRepository({ workspace, maxFileBytes, pushRemote, env = process.env }: RepositoryOptions): Repository {
  const git = openGit(workspace, env);
  const places = openPlaces(git, workspace);
  const scanner = createScanner(workspace, maxFileBytes);
  const oneCommit = pLimit(1);
  const onePush = pLimit(1);
  return {
    preflight: () => preflight(git, places),
    head: async () => {
      const branch = await currentBranch(git);
      return { branch, commit: (await git.text(["rev-parse", "--verify", "HEAD"])).trim() };
    },
    changes: () => workspaceChanges(git),
    scan: (paths) => scanner.scanFiles(paths),
    commit: (paths, message) => oneCommit(() => commitPaths({ git, places, workspace, scanner }, paths, message)),
    findCommit: (run, moment) => findCommit(git, places, run, moment),
    readAt: (commit, path) => readAt(git, commit, path),
    listAt: (commit, folder) => listAt(git, commit, folder),
    log: (limit) => governedLog(git, places, limit),
    push: () => onePush(() => push(git, pushRemote)),
    unpushed: () => unpushed(git, pushRemote),
  };
}
