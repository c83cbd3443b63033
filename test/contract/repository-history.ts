import { describe, expect, it } from "vitest";
import { collect, commitFiles, failureOf, freshWorld, type OpenRepository, planMessage, RUN } from "./repository-world.ts";

export function historyCases(open: OpenRepository): void {
  describe("reading history", () => {
    const world = freshWorld(open);

    it("gives HEAD's commit and branch, also of a branch with a slash", async () => {
      world.sandbox.git("switch", "--quiet", "-c", "feat/ação");
      expect(await world.repository.head()).toEqual({ branch: "feat/ação", commit: world.sandbox.git("rev-parse", "HEAD") });
    });

    it("finds a run's commits by both trailers, exactly", async () => {
      const { repository } = world;
      const before = await repository.commit([], planMessage(RUN, "antes"));
      const after = await repository.commit([], planMessage(RUN, "depois"));
      await repository.commit([], planMessage(`${RUN}0`, "antes"));
      expect(await repository.findCommit(RUN, "antes")).toBe(before);
      expect(await repository.findCommit(RUN, "depois")).toBe(after);
      expect(await repository.findCommit(`${RUN}0`, "depois")).toBeUndefined();
      expect(await repository.findCommit(RUN.slice(0, -1), "antes")).toBeUndefined();
      expect(await repository.findCommit(".*", "antes")).toBeUndefined();
    });

    it("is not taken in by a message that only speaks of a run", async () => {
      const { sandbox, repository } = world;
      sandbox.git("commit", "--quiet", "--allow-empty", "-m", `docs: sobre\n\nExecucao: ${RUN}\nMomento: antes\n\nNa verdade não.`);
      expect(await repository.findCommit(RUN, "antes")).toBeUndefined();
    });

    it("finds only what HEAD reaches", async () => {
      const { sandbox, repository } = world;
      sandbox.git("switch", "--quiet", "-c", "side");
      const side = await repository.commit([], planMessage());
      sandbox.git("switch", "--quiet", "main");
      expect(await repository.findCommit(RUN, "antes")).toBeUndefined();
      sandbox.git("merge", "--quiet", "--no-ff", "--no-edit", "side");
      expect(await repository.findCommit(RUN, "antes")).toBe(side);
    });

    it("reads a file at a commit byte for byte, whatever came later", async () => {
      const { sandbox, repository } = world;
      const bytes = Uint8Array.from({ length: 1_000 }, (_, index) => (index * 7) % 256);
      await sandbox.write("notebooks/ação 1.bin", bytes);
      const commit = await repository.commit(["notebooks/ação 1.bin"], planMessage());
      await commitFiles(sandbox, { "notebooks/ação 1.bin": "later\n" });
      expect(Buffer.from((await repository.readAt(commit, "notebooks/ação 1.bin")) ?? [])).toEqual(Buffer.from(bytes));
    });

    it("reads an empty file as empty, and what is not a file there as undefined", async () => {
      const { sandbox, repository } = world;
      await sandbox.write("sql/empty.sql", "");
      const commit = await repository.commit(["sql/empty.sql"], planMessage());
      expect((await repository.readAt(commit, "sql/empty.sql"))?.byteLength).toBe(0);
      expect(await repository.readAt(commit, "sql/none.sql")).toBeUndefined();
      expect(await repository.readAt(commit, "sql")).toBeUndefined();
      expect(await repository.readAt(commit, "sql/*.sql")).toBeUndefined();
    });

    it("refuses a commit that does not exist", async () => {
      expect((await failureOf(world.repository.readAt("0".repeat(40), "a"))).code).toBe("git-failed");
    });

    it("lists files below a folder, ordered, and not those of its namesakes", async () => {
      const { sandbox, repository } = world;
      await commitFiles(sandbox, { "sql/p/b.sql": "", "sql/p/curated/ç.sql": "", "sql/p/a.sql": "", "sql/p2/x.sql": "", "sql/p.sql": "" });
      const listed = ["sql/p/a.sql", "sql/p/b.sql", "sql/p/curated/ç.sql"];
      expect(await repository.listAt("HEAD", "sql/p")).toEqual(listed);
      expect(await repository.listAt("HEAD", "sql/p/")).toEqual(listed);
      expect(await repository.listAt("HEAD", "sql/none")).toEqual([]);
      expect(await repository.listAt("HEAD", "")).toHaveLength(6);
    });

    it("streams governed commits newest first, up to the limit, over several pages", async () => {
      const { sandbox, repository } = world;
      const runs = Array.from({ length: 600 }, (_, index) => `20261124-153012-${String(index).padStart(6, "0")}`);
      const stream = runs.map((run, index) => fastImportCommit(planMessage(run), 1_800_000_000 + index)).join("");
      await sandbox.write(
        ".git/import",
        `${stream}reset refs/heads/main\nfrom :${runs.length}\n`.replace("%PARENT%", sandbox.git("rev-parse", "HEAD")),
      );
      sandbox.git("-c", "alias.imported=!git fast-import --quiet --force < .git/import", "imported");
      sandbox.git("commit", "--quiet", "--allow-empty", "-m", "docs: da pessoa");
      const all = await collect(repository.log(10_000));
      expect(all.map(({ message }) => /Execucao: (.+)/u.exec(message)?.[1])).toEqual([...runs].reverse());
      expect(await collect(repository.log(3))).toEqual(all.slice(0, 3));
      expect(await collect(repository.log(300))).toEqual(all.slice(0, 300));
      expect(await collect(repository.log(0))).toEqual([]);
    });
  });

  let mark = 0;
  /** A commit for git fast-import(1): hundreds at once. The first one follows HEAD. */
  function fastImportCommit(message: string, seconds: number): string {
    mark += 1;
    const parent = mark === 1 ? "%PARENT%" : `:${mark - 1}`;
    const size = Buffer.byteLength(message);
    return `commit refs/heads/main\nmark :${mark}\ncommitter Ana <ana@example.com> ${seconds} +0000\ndata ${size}\n${message}\nfrom ${parent}\n\n`;
  }
}
