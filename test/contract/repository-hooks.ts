import { describe, expect, it } from "vitest";
import { commitFiles, contentAt, contentOf, failureOf, filesOf, freshWorld, type OpenRepository, planMessage } from "./repository-world.ts";

export function hookCases(open: OpenRepository): void {
  describe("the repository's hooks", () => {
    const world = freshWorld(open);

    /** A person in the middle of something, and a plan about to be committed. */
    async function busyPerson(): Promise<{ status: string[]; index: string; head: string }> {
      const { sandbox } = world;
      await commitFiles(sandbox, { "notes.txt": "1\n", "sql/q.sql": "1\n" });
      await sandbox.write("notes.txt", "staged\n");
      sandbox.git("add", "notes.txt");
      await sandbox.write("sql/q.sql", "select 2\n");
      await sandbox.write("eda/manifests/plan.json", "{}\n");
      return state();
    }

    function state(): { status: string[]; index: string; head: string } {
      const { sandbox } = world;
      return { status: sandbox.status(), index: sandbox.git("ls-files", "--stage"), head: sandbox.git("rev-parse", "HEAD") };
    }

    it.each(["pre-commit", "prepare-commit-msg", "commit-msg"])(
      "reports a %s hook that refuses, with its words, and changes nothing",
      async (hook) => {
        const { sandbox, repository } = world;
        const before = await busyPerson();
        await sandbox.hook(hook, "echo 'linha 3: ponto e vírgula' >&2; exit 7");
        const failure = await failureOf(repository.commit(["eda/manifests/plan.json", "sql/q.sql"], planMessage()));
        expect(failure).toMatchObject({ kind: "precondition", code: "hook-failed" });
        expect(failure.message).toContain("linha 3: ponto e vírgula");
        expect(failure.todo).toMatch(/hook/u);
        expect(state()).toEqual(before);
      },
    );

    it("runs pre-commit on what is committed, not on what the person has staged", async () => {
      const { sandbox, repository } = world;
      await busyPerson();
      await sandbox.hook("pre-commit", 'git diff --cached --name-only > "$HOME/seen"');
      await repository.commit(["sql/q.sql"], planMessage());
      expect(await contentOf(sandbox, "../home/seen")).toBe("sql/q.sql\n");
    });

    it("commits what a hook rewrote and staged, and leaves it clean", async () => {
      const { sandbox, repository } = world;
      await busyPerson();
      await sandbox.hook(
        "pre-commit",
        'for f in $(git diff --cached --name-only); do tr a-z A-Z < "$f" > "$HOME/t"; cat "$HOME/t" > "$f"; git add "$f"; done',
      );
      const commit = await repository.commit(["sql/q.sql"], planMessage());
      expect(contentAt(sandbox, commit, "sql/q.sql")).toBe("SELECT 2");
      expect(await contentOf(sandbox, "sql/q.sql")).toBe("SELECT 2\n");
      expect(sandbox.status()).toEqual(["?? eda/manifests/plan.json", "M  notes.txt"]);
    });

    it("refuses a commit to which a hook adds other files, and takes nothing of it along", async () => {
      const { sandbox, repository } = world;
      const before = await busyPerson();
      await sandbox.hook("pre-commit", "git add --all");
      const failure = await failureOf(repository.commit(["sql/q.sql"], planMessage()));
      expect(failure).toMatchObject({ kind: "precondition", code: "hook-failed" });
      expect(failure.findings?.map((finding) => finding.at?.file)).toEqual(["eda/manifests/plan.json", "notes.txt"]);
      expect(state()).toEqual(before);
    });

    it("leaves alone files that a hook changes without staging them", async () => {
      const { sandbox, repository } = world;
      await busyPerson();
      await sandbox.hook("pre-commit", "echo generated > notes.txt; echo x > sql/other.sql");
      expect(filesOf(sandbox, await repository.commit(["sql/q.sql"], planMessage()))).toEqual(["M sql/q.sql"]);
      expect(sandbox.status()).toEqual(["?? eda/manifests/plan.json", "?? sql/other.sql", "MM notes.txt"]);
    });

    it("accepts a commit-msg hook that adds a trailer, and refuses one that drops ours", async () => {
      const { sandbox, repository } = world;
      await busyPerson();
      await sandbox.hook("commit-msg", 'git interpret-trailers --in-place --trailer "Change-Id: I1" "$1"');
      const commit = await repository.commit(["sql/q.sql"], planMessage());
      expect(sandbox.git("log", "-1", "--format=%(trailers:key=Change-Id,valueonly)%(trailers:key=Momento,valueonly)", commit)).toBe(
        "I1\nantes\n",
      );
      await sandbox.hook("commit-msg", 'echo "docs: outra mensagem" > "$1"');
      const before = state();
      const failure = await failureOf(repository.commit(["eda/manifests/plan.json"], planMessage()));
      expect(failure).toMatchObject({ code: "hook-failed", message: expect.stringContaining("Execucao") });
      expect(state()).toEqual(before);
    });

    it("keeps what the person stages while a hook runs", async () => {
      const { sandbox, repository } = world;
      await busyPerson();
      // A terminal beside us, with an index of its own: hooks get the one of the commit.
      await sandbox.hook(
        "pre-commit",
        "unset GIT_INDEX_FILE; echo meanwhile > sql/q.sql; git add sql/q.sql; echo more > more.txt; git add more.txt",
      );
      const commit = await repository.commit(["sql/q.sql"], planMessage());
      expect(contentAt(sandbox, commit, "sql/q.sql")).toBe("select 2");
      expect(sandbox.git("show", ":sql/q.sql")).toBe("meanwhile");
      expect(sandbox.status()).toEqual(["?? eda/manifests/plan.json", "A  more.txt", "M  notes.txt", "M  sql/q.sql"]);
    });

    it("takes along a commit that the person makes while a hook runs", async () => {
      const { sandbox, repository } = world;
      await busyPerson();
      await sandbox.hook(
        "pre-commit",
        'test -e "$HOME/once" && exit 0; touch "$HOME/once"; unset GIT_INDEX_FILE; git commit --quiet --no-verify -m "docs: da pessoa" notes.txt',
      );
      const commit = await repository.commit(["sql/q.sql"], planMessage());
      expect(filesOf(sandbox, commit)).toEqual(["M sql/q.sql"]);
      expect(sandbox.git("log", "-1", "--format=%s", `${commit}^`)).toBe("docs: da pessoa");
      expect(contentAt(sandbox, commit, "notes.txt")).toBe("staged");
      expect(sandbox.status()).toEqual(["?? eda/manifests/plan.json"]);
    });

    it("does not wait for what a hook leaves running", async () => {
      const { sandbox, repository } = world;
      await busyPerson();
      await sandbox.hook("post-commit", "sleep 20 &");
      const started = Date.now();
      await repository.commit(["sql/q.sql"], planMessage());
      expect(Date.now() - started).toBeLessThan(15_000);
    });
  });
}
