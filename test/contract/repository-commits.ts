import { chmod, mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PERSON } from "../support/git.ts";
import {
  collect,
  commitFiles,
  contentAt,
  contentOf,
  failureOf,
  filesOf,
  freshWorld,
  type OpenRepository,
  planMessage,
  RUN,
} from "./repository-world.ts";

export function commitCases(open: OpenRepository): void {
  describe("committing paths", () => {
    const world = freshWorld(open);

    it("commits a new file with exactly the message, as the person", async () => {
      const { sandbox, repository } = world;
      await sandbox.write("sql/a.sql", "SELECT 1;\n");
      const commit = await repository.commit(["sql/a.sql"], planMessage());
      expect(commit).toBe(sandbox.git("rev-parse", "HEAD"));
      expect(filesOf(sandbox, commit)).toEqual(["A sql/a.sql"]);
      expect(sandbox.git("log", "-1", "--format=%an <%ae>|%cn <%ce>")).toBe(
        `${PERSON.name} <${PERSON.email}>|${PERSON.name} <${PERSON.email}>`,
      );
      expect(`${sandbox.git("log", "-1", "--format=%B").trimEnd()}\n`).toBe(planMessage());
      expect(sandbox.status()).toEqual([]);
    });

    it("writes trailers that git itself reads", async () => {
      const { sandbox, repository } = world;
      await sandbox.write("sql/a.sql", "SELECT 1;\n");
      await repository.commit(["sql/a.sql"], planMessage());
      expect(sandbox.git("log", "-1", "--format=%(trailers:only)").trim().split("\n")).toEqual([
        "Projeto: projeto_voos",
        "Etapa: ingest",
        `Execucao: ${RUN}`,
        "Momento: antes",
      ]);
    });

    it("commits modified, deleted, renamed and added files in one go, and leaves them clean", async () => {
      const { sandbox, repository } = world;
      await commitFiles(sandbox, { "sql/changed.sql": "1\n", "sql/gone.sql": "2\n", "sql/old.sql": "a long enough text\n" });
      await sandbox.write("sql/changed.sql", "changed\n");
      await rm(join(sandbox.folder, "sql/gone.sql"));
      await rename(join(sandbox.folder, "sql/old.sql"), join(sandbox.folder, "sql/new.sql"));
      const paths = (await repository.changes()).governed.map((change) => change.path);
      const commit = await repository.commit(paths, planMessage());
      expect(filesOf(sandbox, commit)).toEqual(["M sql/changed.sql", "D sql/gone.sql", "A sql/new.sql", "D sql/old.sql"]);
      expect(sandbox.status()).toEqual([]);
    });

    it("commits names with spaces, accents (NFC and NFD), quotes, tabs, globs and leading dashes literally", async () => {
      const { sandbox, repository } = world;
      const names = ["sql/ação 1.sql", "sql/ação.sql", 'sql/"q".sql', "sql/a\tb.sql", "sql/[a]*.sql", "sql/-n.sql", "sql/:(top).sql"];
      for (const name of names) await sandbox.write(name, name);
      await sandbox.write("sql/a.sql", "not asked for: [a]* would match it\n");
      const commit = await repository.commit(names, planMessage());
      expect([...(await repository.listAt(commit, "sql"))].sort()).toEqual([...names].sort());
      expect(sandbox.status()).toEqual(["?? sql/a.sql"]);
    });

    it("commits all of a file of which the person has staged half, and leaves it clean", async () => {
      const { sandbox, repository } = world;
      await commitFiles(sandbox, { "sql/a.sql": "one\ntwo\n" });
      await sandbox.write("sql/a.sql", "ONE\ntwo\n");
      sandbox.git("add", "sql/a.sql");
      await sandbox.write("sql/a.sql", "ONE\nTWO\n");
      const commit = await repository.commit(["sql/a.sql"], planMessage());
      expect(contentAt(sandbox, commit, "sql/a.sql")).toBe("ONE\nTWO");
      expect(sandbox.status()).toEqual([]);
    });

    it("leaves other staged, half staged, intent-to-add, removed and untracked files exactly as they were", async () => {
      const { sandbox, repository } = world;
      await commitFiles(sandbox, { "a.txt": "1\n", "half.txt": "1\n2\n", "removed.txt": "1\n", "sql/q.sql": "1\n", "unstaged.txt": "1\n" });
      await sandbox.write("a.txt", "staged\n");
      await sandbox.write("half.txt", "staged\n2\n");
      await sandbox.write("intended.txt", "later\n");
      sandbox.git("add", "a.txt", "half.txt");
      sandbox.git("add", "--intent-to-add", "intended.txt");
      sandbox.git("rm", "--quiet", "removed.txt");
      await sandbox.write("half.txt", "staged\nnot staged\n");
      await sandbox.write("unstaged.txt", "x\n");
      await sandbox.write("untracked.txt", "x\n");
      await sandbox.write("sql/q.sql", "2\n");
      const before = { status: sandbox.status(), index: sandbox.git("ls-files", "--stage"), staged: sandbox.git("diff", "--cached") };
      const commit = await repository.commit(["sql/q.sql"], planMessage());
      expect(filesOf(sandbox, commit)).toEqual(["M sql/q.sql"]);
      expect(sandbox.status()).toEqual(before.status.filter((line) => !line.includes("sql/q.sql")));
      expect(sandbox.git("diff", "--cached")).toBe(before.staged);
      expect(
        sandbox
          .git("ls-files", "--stage")
          .split("\n")
          .filter((line) => !line.endsWith("q.sql")),
      ).toEqual(before.index.split("\n").filter((line) => !line.endsWith("q.sql")));
    });

    it("keeps what the person staged of a file whose work tree is as committed", async () => {
      const { sandbox, repository } = world;
      await commitFiles(sandbox, { "sql/a.sql": "1\n" });
      await sandbox.write("sql/a.sql", "staged\n");
      sandbox.git("add", "sql/a.sql");
      await sandbox.write("sql/a.sql", "1\n");
      const commit = await repository.commit(["sql/a.sql"], planMessage());
      expect(filesOf(sandbox, commit)).toEqual([]);
      expect(sandbox.git("show", ":sql/a.sql")).toBe("staged");
    });

    it("commits a file that the person had only intended to add, or removed from the index", async () => {
      const { sandbox, repository } = world;
      await commitFiles(sandbox, { "sql/cached.sql": "1\n" });
      sandbox.git("rm", "--quiet", "--cached", "sql/cached.sql");
      await sandbox.write("sql/cached.sql", "2\n");
      await sandbox.write("sql/intended.sql", "1\n");
      sandbox.git("add", "--intent-to-add", "sql/intended.sql");
      const commit = await repository.commit(["sql/cached.sql", "sql/intended.sql"], planMessage());
      expect(filesOf(sandbox, commit)).toEqual(["M sql/cached.sql", "A sql/intended.sql"]);
      expect(sandbox.status()).toEqual([]);
    });

    it("commits the executable bit and a symlink as a link", async () => {
      const { sandbox, repository } = world;
      await commitFiles(sandbox, { "scripts/run.sh": "#!/bin/sh\n" });
      await chmod(join(sandbox.folder, "scripts/run.sh"), 0o755);
      await symlink("/etc/hostname", join(sandbox.folder, "scripts/link"));
      await repository.scan(["scripts/link", "scripts/run.sh"]);
      const commit = await repository.commit(["scripts/link", "scripts/run.sh"], planMessage());
      const modes = sandbox.git("ls-tree", "-r", commit, "scripts/").split("\n");
      expect(modes.map((line) => `${line.slice(0, 6)} ${line.split("\t")[1]}`)).toEqual(["120000 scripts/link", "100755 scripts/run.sh"]);
      expect(contentAt(sandbox, commit, "scripts/link")).toBe("/etc/hostname");
      expect(sandbox.status()).toEqual([]);
    });

    it("commits a file that became a folder, and back", async () => {
      const { sandbox, repository } = world;
      await commitFiles(sandbox, { "sql/a": "file\n" });
      await rm(join(sandbox.folder, "sql/a"));
      await sandbox.write("sql/a/b.sql", "in a folder\n");
      const folder = await repository.commit(["sql/a", "sql/a/b.sql"], planMessage());
      expect(filesOf(sandbox, folder)).toEqual(["D sql/a", "A sql/a/b.sql"]);
      await rm(join(sandbox.folder, "sql/a"), { recursive: true });
      await sandbox.write("sql/a", "file again\n");
      const file = await repository.commit(["sql/a", "sql/a/b.sql"], planMessage());
      expect(filesOf(sandbox, file)).toEqual(["A sql/a", "D sql/a/b.sql"]);
      expect(sandbox.status()).toEqual([]);
    });

    it("follows core.autocrlf: line feeds in the commit, the work tree untouched and clean", async () => {
      const { sandbox, repository } = world;
      sandbox.git("config", "core.autocrlf", "true");
      await sandbox.write("sql/crlf.sql", "SELECT 1;\r\nSELECT 2;\r\n");
      await repository.scan(["sql/crlf.sql"]);
      const commit = await repository.commit(["sql/crlf.sql"], planMessage());
      expect(Buffer.from((await repository.readAt(commit, "sql/crlf.sql")) ?? []).toString()).toBe("SELECT 1;\nSELECT 2;\n");
      expect(await contentOf(sandbox, "sql/crlf.sql")).toBe("SELECT 1;\r\nSELECT 2;\r\n");
      expect(sandbox.status()).toEqual([]);
    });

    it("commits a path that .gitignore hides, because it was asked for", async () => {
      const { sandbox, repository } = world;
      await sandbox.write("eda/.gitignore", "*\n");
      await sandbox.write("eda/manifests/p.json", "{}\n");
      expect(filesOf(sandbox, await repository.commit(["eda/manifests/p.json"], planMessage()))).toEqual(["A eda/manifests/p.json"]);
    });

    it("makes an empty commit of paths that did not change, vanished, or were never there", async () => {
      const { sandbox, repository } = world;
      const commit = await repository.commit([".gitignore", "sql/never.sql"], planMessage());
      expect(filesOf(sandbox, commit)).toEqual([]);
      expect(await repository.findCommit(RUN, "antes")).toBe(commit);
    });

    it("makes commits asked for at the same time one after the other, none lost", async () => {
      const { sandbox, repository } = world;
      const other = world.reopen();
      const paths = Array.from({ length: 6 }, (_, index) => `sql/${index}.sql`);
      for (const path of paths) await sandbox.write(path, `${path}\n`);
      await Promise.all(paths.map((path, index) => (index % 2 === 0 ? repository : other).commit([path], planMessage())));
      expect(sandbox.git("rev-list", "--count", "HEAD")).toBe("7");
      expect(await repository.listAt("HEAD", "sql")).toEqual(paths);
      expect(sandbox.status()).toEqual([]);
    });

    it("finds HEAD where the person has brought it since the preflight: packed, on another branch, of another commit", async () => {
      const { sandbox, repository } = world;
      await repository.preflight();
      const steps = [
        () => sandbox.git("pack-refs", "--all", "--prune"),
        () => sandbox.git("switch", "--quiet", "-c", "área/outra"),
        () => sandbox.git("commit", "--quiet", "--allow-empty", "-m", "docs: outra"),
      ];
      for (const [index, step] of steps.entries()) {
        step();
        const parent = sandbox.git("rev-parse", "HEAD");
        await sandbox.write("sql/a.sql", `${index}\n`);
        const commit = await repository.commit(["sql/a.sql"], planMessage());
        expect(sandbox.git("rev-parse", "HEAD", "HEAD^")).toBe(`${commit}\n${parent}`);
        expect(await repository.findCommit(RUN, "antes")).toBe(commit);
      }
    });

    it("works in a linked work tree, which has an index of its own", async () => {
      const { sandbox } = world;
      const linked = join(sandbox.home, "linked");
      sandbox.git("worktree", "add", "--quiet", "-b", "linked", linked);
      const repository = world.reopen({ workspace: linked });
      await repository.preflight();
      await mkdir(join(linked, "sql"));
      await writeFile(join(linked, "sql/a.sql"), "1\n");
      const commit = await repository.commit(["sql/a.sql"], planMessage());
      expect(sandbox.git("rev-parse", "linked")).toBe(commit);
      expect(sandbox.git("-C", linked, "status", "--porcelain")).toBe("");
    });

    it("is not led astray by the environment of a hook or an editor", async () => {
      const { sandbox } = world;
      const repository = world.reopen({
        env: {
          ...sandbox.env,
          GIT_DIR: "/nowhere",
          GIT_INDEX_FILE: "/nowhere/index",
          GIT_WORK_TREE: "/",
          EDITOR: "false",
          GIT_EDITOR: "false",
        },
      });
      await sandbox.write("sql/a.sql", "1\n");
      await repository.preflight();
      expect(filesOf(sandbox, await repository.commit(["sql/a.sql"], planMessage()))).toEqual(["A sql/a.sql"]);
    });

    it("reads back the same whatever the person configured", async () => {
      const { sandbox, repository } = world;
      const template = join(sandbox.home, "template");
      await writeFile(template, "# fill me in\n");
      for (const [key, value] of [
        ["core.quotePath", "true"],
        ["status.showUntrackedFiles", "no"],
        ["status.relativePaths", "true"],
        ["status.branch", "true"],
        ["status.renames", "copies"],
        ["diff.noprefix", "true"],
        ["diff.renames", "copies"],
        ["log.showSignature", "true"],
        ["log.decorate", "full"],
        ["grep.patternType", "perl"],
        ["color.ui", "always"],
        ["core.abbrev", "7"],
        ["core.commentChar", "E"],
        ["commit.cleanup", "strip"],
        ["commit.verbose", "true"],
        ["commit.template", template],
        ["i18n.commitEncoding", "ISO-8859-1"],
        ["i18n.logOutputEncoding", "ISO-8859-1"],
        ["format.pretty", "oneline"],
        ["core.fsmonitor", "true"],
        ["core.untrackedCache", "true"],
        ["core.splitIndex", "true"],
        ["core.safecrlf", "warn"],
      ] as const) {
        sandbox.git("config", "--global", key, value);
      }
      await sandbox.write("sql/ação.sql", "1\n");
      await repository.preflight();
      expect((await repository.changes()).governed).toEqual([{ path: "sql/ação.sql", change: "added" }]);
      const message = planMessage().replace("projeto_voos\n", "projeto_voos, descrição\n");
      const commit = await repository.commit(["sql/ação.sql"], message);
      expect(await repository.findCommit(RUN, "antes")).toBe(commit);
      const [logged] = await collect(repository.log(1));
      expect(logged).toEqual({ commit, message });
      expect(await repository.listAt(commit, "sql/")).toEqual(["sql/ação.sql"]);
    });

    it("reports a commit that signing refuses, with git's own words, and stages nothing", async () => {
      const { sandbox, repository } = world;
      sandbox.git("config", "commit.gpgSign", "true");
      sandbox.git("config", "gpg.program", "false");
      await sandbox.write("sql/a.sql", "1\n");
      const failure = await failureOf(repository.commit(["sql/a.sql"], planMessage()));
      expect(failure).toMatchObject({ kind: "terminal", code: "git-failed" });
      expect(failure.message).toMatch(/gpg failed to sign the data/u);
      expect(sandbox.status()).toEqual(["?? sql/a.sql"]);
    });
  });
}
