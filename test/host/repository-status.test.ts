/** What the status bar is told of a repository that cannot be used. */
import { afterEach, describe, expect, it } from "vitest";
import { openRepository } from "../../src/adapters/git/repository.ts";
import { repositoryStatus } from "../../src/host/repository-status.ts";
import { temporaryFolder } from "../support/small-project.ts";
import { createWorkspace, type TestWorkspace } from "../support/workspace.ts";

describe("the repository's status", () => {
  let workspace: TestWorkspace | undefined;

  afterEach(() => workspace?.remove());

  const statusOf = (folder: string, env: NodeJS.ProcessEnv = process.env) =>
    repositoryStatus(openRepository({ workspace: folder, maxFileBytes: 1_000_000, pushRemote: "origin", env }));

  it("tells branch and changes of a good one", async () => {
    workspace = createWorkspace("status");
    const status = await statusOf(workspace.folder);
    expect(status).toMatchObject({ branch: "main", problem: null });
    expect(status.governed).toContain("configs/projects/lojas.yaml");
  });

  it("says what is wrong where Git is missing, and where there is no repository", async () => {
    workspace = createWorkspace("status");
    const withoutGit = await statusOf(workspace.folder, { ...process.env, PATH: "/nowhere" });
    expect(withoutGit).toMatchObject({ branch: null, governed: [], problem: { code: "git-missing" } });
    const folder = temporaryFolder("no-repository");
    expect(await statusOf(folder)).toMatchObject({ governed: [], problem: { code: "not-a-repository" } });
  });
});
