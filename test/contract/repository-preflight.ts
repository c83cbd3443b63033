import { chown, mkdir, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { collect, commitFiles, failureOf, freshWorld, type OpenRepository, planMessage } from "./repository-world.ts";

export function preflightCases(open: OpenRepository): void {
  describe("preflight", () => {
    const world = freshWorld(open);

    async function refused(repository = world.repository) {
      const failure = await failureOf(repository.preflight());
      expect(failure.kind).toBe("precondition");
      return failure;
    }

    /** Two branches that changed the same line. */
    async function conflict(): Promise<void> {
      const { sandbox } = world;
      await commitFiles(sandbox, { "sql/a.sql": "base\n" });
      sandbox.git("switch", "--quiet", "-c", "other");
      await commitFiles(sandbox, { "sql/a.sql": "other\n" });
      sandbox.git("switch", "--quiet", "main");
      await commitFiles(sandbox, { "sql/a.sql": "main\n" });
    }

    it("passes a repository with a commit, a branch and an identity", async () => {
      await expect(world.repository.preflight()).resolves.toBeUndefined();
    });

    it("says where the repository is when the workspace is a folder inside it", async () => {
      const { sandbox } = world;
      const inner = join(sandbox.folder, "inner");
      await mkdir(inner);
      const failure = await refused(world.reopen({ workspace: inner }));
      expect(failure).toMatchObject({
        code: "not-a-repository",
        message: expect.stringContaining(`inside the repository ${sandbox.folder}`),
      });
    });

    it("refuses a bare repository, and a workspace that is not there", async () => {
      const { sandbox } = world;
      const bare = join(sandbox.home, "bare.git");
      sandbox.git("clone", "--quiet", "--bare", ".", bare);
      expect(await refused(world.reopen({ workspace: bare }))).toMatchObject({
        code: "not-a-repository",
        message: expect.stringContaining("bare"),
      });
      const gone = await refused(world.reopen({ workspace: join(sandbox.home, "gone") }));
      expect(gone).toMatchObject({ code: "not-a-repository", message: expect.stringContaining("does not exist") });
    });

    it("says that Git is missing", async () => {
      const failure = await refused(world.reopen({ env: { ...world.sandbox.env, PATH: world.sandbox.home } }));
      expect(failure.code).toBe("git-missing");
    });

    it("refuses a detached HEAD", async () => {
      world.sandbox.git("checkout", "--quiet", "--detach");
      expect(await refused()).toMatchObject({ code: "detached-head", todo: expect.stringContaining("git switch") });
      expect(await failureOf(world.repository.head())).toMatchObject({ code: "detached-head" });
    });

    it.each(["merge", "rebase", "cherry-pick", "revert", "bisect"])("names a %s in progress, whose way out works", async (operation) => {
      const { sandbox } = world;
      await conflict();
      if (operation === "bisect") {
        sandbox.git("bisect", "start", "HEAD", "HEAD~2");
      } else {
        const argument = operation === "revert" ? "HEAD~1" : "other";
        expect(sandbox.attempt(operation, ...(operation === "revert" ? ["--no-edit"] : []), argument).status).not.toBe(0);
      }
      const failure = await refused();
      expect(failure.code).toBe(`${operation}-in-progress`);
      const wayOut = /git \S+ (?:--abort|reset)/u.exec(failure.todo ?? "")?.[0] ?? "none";
      sandbox.git(...wayOut.split(" ").slice(1));
      await expect(world.repository.preflight()).resolves.toBeUndefined();
    });

    it("names files with conflicts that no operation accounts for", async () => {
      const { sandbox } = world;
      await commitFiles(sandbox, { "sql/a.sql": "base\n" });
      await sandbox.write("sql/a.sql", "stashed\n");
      sandbox.git("stash", "--quiet");
      await commitFiles(sandbox, { "sql/a.sql": "main\n" });
      expect(sandbox.attempt("stash", "pop").status).not.toBe(0);
      expect(await refused()).toMatchObject({ code: "unmerged-paths", at: { file: "sql/a.sql" } });
    });

    it("waits for a lock that another command holds for a moment", async () => {
      const lock = join(world.sandbox.folder, ".git/index.lock");
      await writeFile(lock, "");
      const passed = world.repository.preflight();
      await delay(300);
      await rm(lock);
      await expect(passed).resolves.toBeUndefined();
    });

    it("names a lock that stays, at once when it is old", async () => {
      const lock = join(world.sandbox.folder, ".git/index.lock");
      await writeFile(lock, "");
      expect(await refused()).toMatchObject({
        code: "index-locked",
        message: expect.stringContaining(lock),
        todo: expect.stringContaining("delete"),
      });
      await utimes(lock, 1, 1);
      expect((await refused()).code).toBe("index-locked");
    });

    it.runIf(process.getuid?.() === 0)("explains a repository of another user", async () => {
      const { sandbox } = world;
      await chown(sandbox.folder, 12_345, 12_345);
      await chown(join(sandbox.folder, ".git"), 12_345, 12_345);
      const failure = await refused();
      expect(failure.code).toBe("dubious-ownership");
      expect(failure.todo).toContain(`safe.directory ${JSON.stringify(sandbox.folder)}`);
      sandbox.git("config", "--global", "--add", "safe.directory", sandbox.folder);
      await expect(world.repository.preflight()).resolves.toBeUndefined();
    });
  });

  describe("preflight outside a repository", () => {
    const world = freshWorld(open, { repository: false });

    it("says that there is none, and what makes one", async () => {
      const failure = await failureOf(world.repository.preflight());
      expect(failure).toMatchObject({ kind: "precondition", code: "not-a-repository", todo: expect.stringContaining("eda init") });
      expect(await failureOf(world.repository.changes())).toMatchObject({ code: "not-a-repository" });
    });
  });

  describe("preflight in a repository without a commit", () => {
    const world = freshWorld(open, { firstCommit: false });

    it("asks for the first one, and refuses to commit", async () => {
      await world.sandbox.write("sql/a.sql", "1\n");
      expect(await failureOf(world.repository.preflight())).toMatchObject({ kind: "precondition", code: "no-commits" });
      expect(await failureOf(world.repository.commit(["sql/a.sql"], planMessage()))).toMatchObject({ code: "no-commits" });
    });

    it("still shows changes, and finds nothing in its history", async () => {
      await world.sandbox.write("sql/a.sql", "1\n");
      expect((await world.repository.changes()).governed).toEqual([{ path: "sql/a.sql", change: "added" }]);
      expect(await world.repository.findCommit("20261124-153012-k3f9qz", "antes")).toBeUndefined();
      expect(await collect(world.repository.log(10))).toEqual([]);
    });
  });

  describe("preflight without an identity", () => {
    const world = freshWorld(open, { identity: false });

    it("asks for one instead of making one up", async () => {
      const failure = await failureOf(world.repository.preflight());
      expect(failure).toMatchObject({ kind: "precondition", code: "missing-identity", todo: expect.stringContaining("user.email") });
      world.sandbox.git("config", "user.name", "Only A Name");
      expect((await failureOf(world.repository.preflight())).code).toBe("missing-identity");
    });

    it("takes the one of the environment", async () => {
      const identity = { GIT_AUTHOR_NAME: "B", GIT_AUTHOR_EMAIL: "b@x", GIT_COMMITTER_NAME: "C", GIT_COMMITTER_EMAIL: "c@x" };
      const repository = world.reopen({ env: { ...world.sandbox.env, ...identity } });
      await repository.preflight();
      await repository.commit([], planMessage());
      expect(world.sandbox.git("log", "-1", "--format=%an %ae %cn %ce")).toBe("B b@x C c@x");
    });
  });
}
