import { rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createGitSandbox } from "../support/git.ts";
import { commitFiles, freshWorld, type OpenRepository, planMessage } from "./repository-world.ts";

export function changesCases(open: OpenRepository): void {
  describe("changes", () => {
    const world = freshWorld(open);

    it("finds none in a clean work tree", async () => {
      expect(await world.repository.changes()).toEqual({ governed: [], ungoverned: [] });
    });

    it("tells governed from other, staged or not, ordered by path", async () => {
      const { sandbox, repository } = world;
      await commitFiles(sandbox, { "sql/m.sql": "1\n", "sql/d.sql": "1\n", "sql/s.sql": "1\n", "other.txt": "1\n", "docs/d.md": "1\n" });
      await sandbox.write("sql/m.sql", "2\n");
      await rm(join(sandbox.folder, "sql/d.sql"));
      sandbox.git("rm", "--quiet", "--cached", "sql/s.sql");
      await sandbox.write("configs/ação 1.yaml", "a: 1\n");
      await sandbox.write("README.md", "# x\n");
      await sandbox.write("other.txt", "2\n");
      await rm(join(sandbox.folder, "docs/d.md"));
      await sandbox.write("scratch/deep/x.txt", "1\n");
      expect(await repository.changes()).toEqual({
        governed: [
          { path: "README.md", change: "added" },
          { path: "configs/ação 1.yaml", change: "added" },
          { path: "sql/d.sql", change: "deleted" },
          { path: "sql/m.sql", change: "modified" },
          { path: "sql/s.sql", change: "modified" },
        ],
        ungoverned: ["docs/d.md", "other.txt", "scratch/"],
      });
    });

    it("lists a renamed file as one deleted and one added, staged as well", async () => {
      const { sandbox, repository } = world;
      await commitFiles(sandbox, {
        "sql/old.sql": "a text long enough to be recognised\n",
        "sql/moved.sql": "another text, long enough too\n",
      });
      sandbox.git("mv", "sql/old.sql", "sql/new.sql");
      sandbox.git("mv", "sql/moved.sql", "outside.sql");
      expect(await repository.changes()).toEqual({
        governed: [
          { path: "sql/moved.sql", change: "deleted" },
          { path: "sql/new.sql", change: "added" },
          { path: "sql/old.sql", change: "deleted" },
        ],
        ungoverned: ["outside.sql"],
      });
    });

    it("lists untracked governed files one by one, and skips what is ignored, also by a nested .gitignore", async () => {
      const { sandbox, repository } = world;
      await sandbox.write("notebooks/p/a.ipynb", "{}");
      await sandbox.write("notebooks/p/.ipynb_checkpoints/a.ipynb", "{}");
      await sandbox.write("notebooks/.gitignore", ".ipynb_checkpoints/\n");
      await sandbox.write("eda/raw-data/p/big.csv", "x\n");
      await sandbox.write("eda/manifests/p/ingest/r.json", "{}");
      await sandbox.write(".eda/socket", "");
      expect(await repository.changes()).toEqual({
        governed: ["eda/manifests/p/ingest/r.json", "notebooks/.gitignore", "notebooks/p/a.ipynb"].map((path) => ({
          path,
          change: "added",
        })),
        ungoverned: [],
      });
    });

    it("never governs raw data, even when nothing ignores it", async () => {
      const { sandbox, repository } = world;
      await commitFiles(sandbox, { ".gitignore": "", "eda/keep.txt": "1\n" });
      await sandbox.write("eda/raw-data/p/a.csv", "1\n");
      await sandbox.write("eda/raw-data/p/b.csv", "1\n");
      expect(await repository.changes()).toEqual({ governed: [], ungoverned: ["eda/raw-data/"] });
    });

    it("does not count a file that was staged as new and is gone again", async () => {
      const { sandbox, repository } = world;
      await sandbox.write("sql/brief.sql", "1\n");
      sandbox.git("add", "sql/brief.sql");
      await rm(join(sandbox.folder, "sql/brief.sql"));
      expect((await repository.changes()).governed).toEqual([]);
    });

    it("counts a file the person only intends to add, and a changed executable bit", async () => {
      const { sandbox, repository } = world;
      await commitFiles(sandbox, { "scripts/run.sh": "#!/bin/sh\n" });
      sandbox.git("update-index", "--chmod=+x", "scripts/run.sh");
      await sandbox.write("sql/i.sql", "1\n");
      sandbox.git("add", "--intent-to-add", "sql/i.sql");
      expect((await repository.changes()).governed).toEqual([
        { path: "scripts/run.sh", change: "modified" },
        { path: "sql/i.sql", change: "added" },
      ]);
    });

    it("leaves submodules and nested repositories to the person", async () => {
      const { sandbox, repository } = world;
      const library = await createGitSandbox();
      try {
        sandbox.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", library.folder, "scripts/library");
        sandbox.git("commit", "--quiet", "-m", "feat: submódulo");
        sandbox.git("-C", "scripts/library", "commit", "--quiet", "--allow-empty", "-m", "docs: além");
        sandbox.git("init", "--quiet", "sql/nested");
        await sandbox.write("sql/nested/a.sql", "1\n");
        const changes = await repository.changes();
        expect(changes.governed).toEqual([]);
        expect(changes.ungoverned).toContain("scripts/library");
      } finally {
        await library.remove();
      }
    });

    it("answers within seconds on 20,000 governed files, and commits 2,000 of them", async () => {
      const { sandbox, repository } = world;
      sandbox.git("config", "gc.auto", "0");
      await Promise.all(
        Array.from({ length: 200 }, async (_, folder) => {
          for (let file = 0; file < 100; file += 1) await sandbox.write(`sql/${folder}/${file}.sql`, `SELECT ${folder}, ${file};\n`);
        }),
      );
      sandbox.git("add", "sql");
      sandbox.git("commit", "--quiet", "-m", "feat: muitos");
      await Promise.all(
        Array.from({ length: 2_000 }, (_, index) => sandbox.write(`sql/${index % 200}/${Math.floor(index / 200)}.sql`, "SELECT 1;\n")),
      );
      const started = performance.now();
      const { governed } = await repository.changes();
      const listed = performance.now();
      expect(governed).toHaveLength(2_000);
      await repository.commit(
        governed.map((change) => change.path),
        planMessage(),
      );
      const committed = performance.now();
      expect(sandbox.status()).toEqual([]);
      expect(listed - started).toBeLessThan(5_000);
      expect(committed - listed).toBeLessThan(20_000);
    });
  });
}
