import { symlink } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { failureOf, freshWorld, MAX_FILE_BYTES, type OpenRepository, planMessage } from "./repository-world.ts";

/** Made up, and put together here so that no scanner takes this file for a leak. */
const SECRETS = {
  github: `${"ghp"}_wWPw5k4aXcaT4fNP0UcnZwJUVFk6LO0pINUx`,
  database: `postgres${"://"}eda:h4rdT0Gu3ss@db.example.com:5432/eda`,
  google: `${"AIza"}SyD3mB7c9fGhJkLmNpQrStUvWxYz0123456`,
  googleSecret: `${"GOCSPX"}-a1B2c3D4e5F6g7H8i9J0k1L2m3N4`,
};

export function scanCases(open: OpenRepository): void {
  describe("scan", () => {
    const world = freshWorld(open);

    it("lets pass what holds no credential, and paths that are gone", async () => {
      const { sandbox, repository } = world;
      await sandbox.write("configs/eda.yaml", "git:\n  pushRemote: origin\n");
      await expect(repository.scan(["configs/eda.yaml", "sql/gone.sql"])).resolves.toBeUndefined();
      await expect(repository.scan([])).resolves.toBeUndefined();
    });

    it.each(Object.entries(SECRETS))(
      "finds a %s credential in a YAML file, by line and column, without repeating it",
      async (_, secret) => {
        const { sandbox, repository } = world;
        await sandbox.write("configs/projects/p.yaml", `project: p\n# ação\nkey:  ${secret}\n`);
        const failure = await failureOf(repository.scan(["configs/projects/p.yaml"]));
        expect(failure).toMatchObject({
          kind: "precondition",
          code: "secret-found",
          at: { file: "configs/projects/p.yaml", line: 3, column: 7 },
        });
        expect(JSON.stringify(failure.toDocument())).not.toContain(secret.slice(6, 20));
        expect(failure.todo).toContain("secretlint-disable-line");
      },
    );

    it("finds one in a notebook's output", async () => {
      const { sandbox, repository } = world;
      const notebook = {
        cells: [{ cell_type: "code", source: ["print(t)"], outputs: [{ text: ["token\n", SECRETS.github] }] }],
        nbformat: 4,
      };
      const text = JSON.stringify(notebook, null, 1);
      await sandbox.write("notebooks/n.ipynb", text);
      const line = text.split("\n").findIndex((each) => each.includes(SECRETS.github)) + 1;
      expect(await failureOf(repository.scan(["notebooks/n.ipynb"]))).toMatchObject({
        code: "secret-found",
        at: { file: "notebooks/n.ipynb", line },
      });
    });

    it("finds a private key and a service account", async () => {
      const { sandbox, repository } = world;
      const body = "MIIEpAIBAAKCAQEA".padEnd(64, "k3J9");
      const key = ["-----BEGIN ", "RSA PRIVATE KEY-----\n", `${body}\n`.repeat(12), "-----END ", "RSA PRIVATE KEY-----\n"].join("");
      await sandbox.write("configs/key.pem", key);
      expect(await failureOf(repository.scan(["configs/key.pem"]))).toMatchObject({ code: "secret-found", at: { line: 1 } });
    });

    it("lists every finding, over all files", async () => {
      const { sandbox, repository } = world;
      await sandbox.write("sql/a.sql", `-- ${SECRETS.database}\n-- ${SECRETS.github}\n`);
      await sandbox.write("sql/b.sql", `-- ${SECRETS.google}\n`);
      await sandbox.write("sql/large.csv", "x".repeat(MAX_FILE_BYTES + 1));
      const failure = await failureOf(repository.scan(["sql/a.sql", "sql/b.sql", "sql/large.csv"]));
      expect(failure.code).toBe("secret-found");
      expect(failure.findings?.map(({ at }) => `${at?.file}:${at?.line ?? ""}`)).toEqual([
        "sql/a.sql:1",
        "sql/a.sql:2",
        "sql/b.sql:1",
        "sql/large.csv:",
      ]);
    });

    it("lets pass a line that says why it is none", async () => {
      const { sandbox, repository } = world;
      await sandbox.write("configs/p.yaml", `example: ${SECRETS.database} # secretlint-disable-line\n`);
      await expect(repository.scan(["configs/p.yaml"])).resolves.toBeUndefined();
    });

    it("refuses a file over the limit by its size, and takes one of exactly the limit", async () => {
      const { sandbox, repository } = world;
      await sandbox.write("sql/just.sql", "x".repeat(MAX_FILE_BYTES));
      await expect(repository.scan(["sql/just.sql"])).resolves.toBeUndefined();
      await sandbox.write("sql/large.sql", "x".repeat(MAX_FILE_BYTES + 1));
      const failure = await failureOf(repository.scan(["sql/just.sql", "sql/large.sql"]));
      expect(failure).toMatchObject({ kind: "precondition", code: "file-too-large", at: { file: "sql/large.sql" } });
      expect(failure.todo).toContain("git.maxFileBytes");
    });

    it("does not look into binary files, nor behind symlinks", async () => {
      const { sandbox, repository } = world;
      await sandbox.write("notebooks/model.bin", Buffer.from(`\0${SECRETS.github}`));
      await sandbox.write("secret.txt", SECRETS.github);
      await symlink("../secret.txt", join(sandbox.folder, "notebooks/link"));
      await expect(repository.scan(["notebooks/link", "notebooks/model.bin"])).resolves.toBeUndefined();
    });

    it.each([
      ["a credential typed in", SECRETS.github, "secret-found"],
      ["a file grown", "x".repeat(MAX_FILE_BYTES + 1), "file-too-large"],
    ])("refuses the commit over %s after the scan, and stages nothing", async (_, edit, code) => {
      const { sandbox, repository } = world;
      await sandbox.write("sql/a.sql", "SELECT 1;\n");
      await repository.scan(["sql/a.sql"]);
      await sandbox.write("sql/a.sql", `SELECT 1; -- ${edit}\n`);
      const before = sandbox.git("rev-parse", "HEAD");
      expect(await failureOf(repository.commit(["sql/a.sql"], planMessage()))).toMatchObject({ kind: "precondition", code });
      expect(sandbox.git("rev-parse", "HEAD")).toBe(before);
      expect(sandbox.status()).toEqual(["?? sql/a.sql"]);
    });

    it("refuses the commit when a hook writes a credential into it", async () => {
      const { sandbox, repository } = world;
      await sandbox.write("sql/a.sql", "SELECT 1;\n");
      await sandbox.hook("pre-commit", `echo '-- ${SECRETS.github}' >> sql/a.sql; git add sql/a.sql`);
      await repository.scan(["sql/a.sql"]);
      const before = sandbox.git("rev-parse", "HEAD");
      expect((await failureOf(repository.commit(["sql/a.sql"], planMessage()))).code).toBe("secret-found");
      expect(sandbox.git("rev-parse", "HEAD")).toBe(before);
    });
  });
}
