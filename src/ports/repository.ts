/** A governed change: what `git status` says of a path. */
export interface GovernedChange {
  readonly path: string;
  readonly change: "added" | "modified" | "deleted";
}

export interface WorkspaceChanges {
  /** Changes to governed files since HEAD, staged or not, untracked included, ordered by path. */
  readonly governed: readonly GovernedChange[];
  /** Other changed or untracked paths: never committed by a run. */
  readonly ungoverned: readonly string[];
}

/**
 * The governed Git repository. Failures of kind `precondition`: `not-a-repository`, `detached-head`, `merge-in-progress`,
 * `rebase-in-progress`, `missing-identity`, `hook-failed`, `secret-found`, `file-too-large`, `index-locked`, `no-commits`.
 */
export interface Repository {
  /** Everything that would make a commit fail, found before work starts. */
  preflight(): Promise<void>;
  head(): Promise<{ readonly commit: string; readonly branch: string }>;
  changes(): Promise<WorkspaceChanges>;
  /** @throws precondition `secret-found` or `file-too-large`, with one located finding each. */
  scan(paths: readonly string[]): Promise<void>;
  /**
   * Commits exactly these paths as they are in the work tree (deletions included), with the repository's hooks; the person's
   * index and other files stay as they were.
   * @returns the new commit's full hash
   */
  commit(paths: readonly string[], message: string): Promise<string>;
  /** The newest commit reachable from HEAD with these `Execucao:` and `Momento:` trailers. */
  findCommit(run: string, moment: "antes" | "depois"): Promise<string | undefined>;
  /** Content of a path at a commit; undefined when it is not there. */
  readAt(commit: string, path: string): Promise<Uint8Array | undefined>;
  /** Paths of files below a folder at a commit, ordered. */
  listAt(commit: string, folder: string): Promise<readonly string[]>;
  /** Commits of governed runs reachable from HEAD, newest first, with message. */
  log(limit: number): AsyncIterable<{ readonly commit: string; readonly message: string }>;
  /** Pushes the current branch when the remote exists. `diverged` means that the remote has moved on and a merge is needed. */
  push(): Promise<"pushed" | "no-remote" | "up-to-date" | "diverged">;
  /** Commits not on the upstream branch; undefined without one. */
  unpushed(): Promise<number | undefined>;
}
