/** States of the repository in which no commit can or should be made. */
import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { type BadInput, type Bench, SQL_FILE } from "./bench.ts";

function git(name: string, arrange: (bench: Bench) => void, code: string, ...says: (string | RegExp)[]): BadInput {
  return { name, arrange, line: "run staging --force", exit: 3, code, says };
}

/** Put together here, so that no scanner takes this file for the leak. */
const FAKE_TOKEN = `ghp_${"wWPw5k4aXcaT4fNP0UcnZwJUVFk6LO0pINUx"}`;
const FAKE_KEY = `${"-----BEGIN"} RSA PRIVATE KEY-----\n${"MIIEowIBAAKCAQEA0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKL\n".repeat(4)}${"-----END"} RSA PRIVATE KEY-----\n`;

export const GIT_CASES: readonly BadInput[] = [
  git("there is no repository", (bench) => bench.remove(".git"), "not-a-repository", "eda init"),
  git(
    "HEAD is detached",
    (bench) => {
      bench.git("checkout", "--quiet", "--detach");
      bench.onUndo(() => void bench.git("checkout", "--quiet", "main"));
    },
    "detached-head",
    "git switch BRANCH",
  ),
  git(
    "a merge is in progress",
    (bench) => {
      const [base] = bench.git("rev-list", "--max-parents=0", "HEAD").trim().split("\n");
      const commit = bench.git("commit-tree", "-p", base as string, "-m", "docs: outro ramo", `${base}^{tree}`).trim();
      bench.git("merge", "--quiet", "--no-commit", "--no-ff", commit);
      bench.onUndo(() => void bench.git("merge", "--abort"));
    },
    "merge-in-progress",
    "git merge --abort",
  ),
  git(
    "a rebase is in progress",
    (bench) => {
      mkdirSync(bench.path(".git/rebase-merge"));
      bench.onUndo(() => rmSync(bench.path(".git/rebase-merge"), { recursive: true }));
    },
    "rebase-in-progress",
    "git rebase --abort",
  ),
  git(
    "a bisection is in progress",
    (bench) => {
      bench.git("bisect", "start");
      bench.onUndo(() => void bench.git("bisect", "reset"));
    },
    "bisect-in-progress",
    "git bisect reset",
  ),
  git(
    "Git does not know who commits",
    (bench) => {
      const file = bench.workspace.env.GIT_CONFIG_GLOBAL as string;
      const identity = "[user]\n\tname = Ana Teste\n\temail = ana@example.org\n";
      writeFileSync(file, "");
      bench.onUndo(() => writeFileSync(file, identity));
    },
    "missing-identity",
    "git config --global user.email",
  ),
  git("another Git command is at work", (bench) => bench.write(".git/index.lock", ""), "index-locked", "index.lock"),
  git(
    "a hook refuses the commit",
    (bench) => {
      bench.write(".git/hooks/pre-commit", "#!/bin/sh\necho 'lint: trailing spaces'\nexit 1\n");
      chmodSync(bench.path(".git/hooks/pre-commit"), 0o755);
      bench.edit(SQL_FILE, "Orders", "Paid orders");
    },
    "hook-failed",
    "lint: trailing spaces",
  ),
  git(
    "a governed file holds a token",
    (bench) => bench.write("scripts/baixar.sh", `#!/bin/sh\ncurl -H "Authorization: token ${FAKE_TOKEN}"\n`),
    "secret-found",
    "at scripts/baixar.sh:2",
  ),
  git("a governed file holds a private key", (bench) => bench.write("infra/chave.pem", FAKE_KEY), "secret-found", "at infra/chave.pem:1"),
  git(
    "a governed file is larger than allowed",
    (bench) => bench.write("scripts/dump.bin", Buffer.alloc(6 * 1024 * 1024)),
    "file-too-large",
    "scripts/dump.bin",
    "Keep data out of Git",
  ),
];
