/** From an empty folder to a workspace. */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { documentOf, eda } from "../support/cli.ts";
import { type CliWorkspace, openCliWorkspace } from "../support/cli-workspace.ts";

const open: CliWorkspace[] = [];
async function emptyFolder(): Promise<CliWorkspace> {
  const workspace = await openCliWorkspace({ project: false });
  open.push(workspace);
  return workspace;
}
afterEach(async () => {
  for (const workspace of open.splice(0)) await workspace.close();
});

interface InitResult {
  readonly workspace: string;
  readonly created: readonly string[];
  readonly kept: readonly string[];
  readonly commit: string | null;
}

describe("eda init", () => {
  it("lays out the governed repository with an init: commit, and keeps what is there when called again", async () => {
    const { folder, eda: run, git } = await emptyFolder();
    const made = documentOf<InitResult>(await run("init --json"));
    expect(made.workspace).toBe(folder);
    expect(made.created).toContain("configs/eda.yaml");
    for (const name of ["infra", "notebooks", "scripts", "sql", "eda", "dockerfiles", "configs"])
      expect(existsSync(join(folder, name))).toBe(true);
    expect(git("log", "--format=%H %s")).toMatch(new RegExp(`^${made.commit} init: `, "u"));
    expect(git("status", "--porcelain")).toBe("");
    const again = documentOf<InitResult>(await run("init --json"));
    expect(again).toMatchObject({ created: [], commit: null });
    expect(again.kept).toContain("configs/eda.yaml");
  });

  it("adds a project file by name, which status then shows", async () => {
    const { folder, eda: run } = await emptyFolder();
    const { code, stdout, stderr } = await run("init --project vendas");
    expect(code, stderr).toBe(0);
    expect(stdout).toContain("+ configs/projects/vendas.yaml");
    expect(stderr).toContain("eda run all --project vendas");
    expect(readFileSync(join(folder, "configs", "projects", "vendas.yaml"), "utf8")).toMatch(/^project: vendas$/mu);
    expect((await run("status")).stdout).toMatch(/^vendas/u);
  });

  it("needs to know who commits: exit 3 with what to do", async () => {
    const { folder } = await emptyFolder();
    const nobody = {
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_CONFIG_NOSYSTEM: "1",
      HOME: folder,
      EMAIL: "",
      GIT_AUTHOR_NAME: "",
      GIT_COMMITTER_NAME: "",
    };
    const result = await eda(["init", "--workspace", folder], { env: nobody });
    expect(result.code).toBe(3);
    expect(result.stderr).toMatch(/git config.*user\.(name|email)/u);
  });

  it("refuses a folder inside a workspace, unless it is named", async () => {
    const { folder, eda: run, env } = await emptyFolder();
    await run("init");
    const inside = join(folder, "eda", "sub");
    mkdirSync(inside, { recursive: true });
    expect(await eda(["init"], { cwd: inside, env })).toMatchObject({ code: 3, stderr: expect.stringContaining("[inside-workspace]") });
  });
});

describe("a workspace without a run", () => {
  it("says so instead of showing empty tables", async () => {
    const { eda: run } = await emptyFolder();
    await run("init --project vendas");
    for (const line of ["runs", "jobs", "inventory raw", "objects ls raw-data"]) {
      const result = await run(line);
      expect(result).toMatchObject({ code: 0, stdout: "" });
      expect(result.stderr).not.toBe("");
    }
    expect(documentOf(await run("runs --json"))).toEqual({ items: [], cursor: null });
  });
});
