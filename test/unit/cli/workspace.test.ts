import { mkdirSync, mkdtempSync, realpathSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Cli } from "../../../src/cli/context.ts";
import {
  demoFolder,
  findWorkspace,
  hostFolder,
  initFolder,
  projectsOf,
  requireProject,
  requireWorkspace,
} from "../../../src/cli/workspace.ts";
import { recordTerminal } from "../../support/cli.ts";

const emptyFolder = () => realpathSync(mkdtempSync(join(tmpdir(), "eda-workspace-")));

function workspaceWith(...projects: string[]): string {
  const folder = emptyFolder();
  mkdirSync(join(folder, "configs", "projects"), { recursive: true });
  writeFileSync(join(folder, "configs", "eda.yaml"), "");
  for (const project of projects) writeFileSync(join(folder, "configs", "projects", `${project}.yaml`), "");
  return folder;
}

const cliIn = (cwd: string): Cli => ({ cwd, env: {}, home: cwd, version: "0", terminal: recordTerminal(), outcome: { exitCode: 0 } });

describe("finding the workspace", () => {
  it("looks here and in the folders above", () => {
    const workspace = workspaceWith();
    const inside = join(workspace, "sql", "p");
    mkdirSync(inside, { recursive: true });
    expect(findWorkspace(inside)).toBe(workspace);
    expect(requireWorkspace(cliIn(inside), {})).toBe(workspace);
    expect(requireWorkspace(cliIn("/"), { workspace: inside })).toBe(workspace);
  });

  it("is a precondition that says what is missing", () => {
    const folder = emptyFolder();
    expect(() => requireWorkspace(cliIn(folder), {})).toThrowError(
      expect.objectContaining({ kind: "precondition", code: "not-a-workspace" }),
    );
    expect(() => requireWorkspace(cliIn(folder), { workspace: "nowhere" })).toThrowError(/nowhere does not exist/u);
  });

  it("also finds a host that was started before there was a workspace", () => {
    const folder = emptyFolder();
    expect(hostFolder(cliIn(folder), {})).toBeUndefined();
    mkdirSync(join(folder, ".eda"));
    expect(hostFolder(cliIn(folder), {})).toBe(folder);
  });
});

describe("choosing the project", () => {
  it("takes the only one when none is named", () => {
    expect(requireProject(workspaceWith("vendas"), undefined)).toBe("vendas");
  });

  it("asks which, when there are several or none", () => {
    expect(() => requireProject(workspaceWith("a", "b"), undefined)).toThrowError(
      expect.objectContaining({ kind: "usage", code: "project-missing", todo: "Known: a, b." }),
    );
    expect(() => requireProject(workspaceWith(), undefined)).toThrowError(
      expect.objectContaining({ todo: expect.stringContaining("eda init --project") }),
    );
  });

  it("refuses an impossible name as usage, an unknown one as a precondition with the nearest", () => {
    const workspace = workspaceWith("vendas");
    expect(() => requireProject(workspace, "../etc")).toThrowError(
      expect.objectContaining({ kind: "usage", code: "invalid-project-name" }),
    );
    expect(() => requireProject(workspace, "venda")).toThrowError(
      expect.objectContaining({ kind: "precondition", code: "unknown-project", todo: "Did you mean vendas?" }),
    );
  });

  it("lists project files only, in order", () => {
    const workspace = workspaceWith("b", "a");
    writeFileSync(join(workspace, "configs", "projects", "notes.txt"), "");
    expect(projectsOf(workspace)).toEqual(["a", "b"]);
  });
});

describe("where init and demo work", () => {
  it("refuses a workspace inside a workspace unless its folder is named", () => {
    const workspace = workspaceWith();
    const inside = join(workspace, "sub");
    mkdirSync(inside);
    expect(() => initFolder(cliIn(inside), {})).toThrowError(expect.objectContaining({ code: "inside-workspace" }));
    expect(initFolder(cliIn(inside), { workspace: "." })).toBe(inside);
    expect(initFolder(cliIn(workspace), {})).toBe(workspace);
  });

  it("puts the demonstration here when the folder is empty or already holds it, else beside what is here", () => {
    const empty = emptyFolder();
    expect(demoFolder(cliIn(empty), {})).toBe(empty);
    const demo = workspaceWith("projeto_voos");
    expect(demoFolder(cliIn(demo), {})).toBe(demo);
    const used = workspaceWith("vendas");
    expect(demoFolder(cliIn(used), {})).toBe(join(used, "eda-demo"));
    expect(demoFolder(cliIn(used), { workspace: "x" })).toBe(join(used, "x"));
  });
});
