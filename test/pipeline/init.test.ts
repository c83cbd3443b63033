/** `eda init` and the layout of `eda demo`, on real repositories. */
import { lstat, readdir, readFile, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import { afterEach, describe, expect, it } from "vitest";
import { openRepository } from "../../src/adapters/git/repository.ts";
import { parseConfig, parseProjectFile } from "../../src/domain/config-file.ts";
import { GOVERNED_FOLDERS } from "../../src/domain/governed.ts";
import { parseNotebook } from "../../src/domain/notebook.ts";
import { settingsSchema } from "../../src/domain/settings.ts";
import { createDemo } from "../../src/host/workspace/demo.ts";
import { type InitOptions, type InitServices, initWorkspace } from "../../src/host/workspace/init.ts";
import { projectTemplate, workspaceTemplate } from "../../src/host/workspace/templates.ts";
import { createGitSandbox, type GitSandbox, type SandboxOptions } from "../support/git.ts";
import { ROOT } from "../support/host.ts";

let sandbox: GitSandbox;
afterEach(() => sandbox.remove());

async function open(options: SandboxOptions = { repository: false }): Promise<void> {
  sandbox = await createGitSandbox(options);
}

function services(): InitServices {
  const { folder: workspace, env } = sandbox;
  return { workspace, repository: openRepository({ workspace, maxFileBytes: 1024 * 1024, pushRemote: "origin", env }) };
}

const init = (options: InitOptions = {}) => initWorkspace(services(), { ...options, env: sandbox.env });
const demo = () => createDemo(services(), ROOT, sandbox.env);
const subjects = () => sandbox.git("log", "--reverse", "--format=%s").split("\n");
const filesOf = (commit: string) =>
  sandbox.git("-c", "core.quotePath=false", "show", "--format=", "--name-only", commit).split("\n").sort();

describe("eda init", () => {
  it("makes a repository with its folders, each saying in Portuguese what belongs there, in one init: commit", async () => {
    await open();
    const result = await init();
    const paths = workspaceTemplate().map((file) => file.path);
    expect(result).toEqual({ created: paths, kept: [], commit: sandbox.git("rev-parse", "HEAD") });
    expect(subjects()).toEqual(["init: estrutura do repositório governado"]);
    expect(sandbox.git("branch", "--show-current")).toBe("main");
    expect(filesOf("HEAD")).toEqual([...paths].sort());
    for (const folder of GOVERNED_FOLDERS) expect(paths).toContain(`${folder}/README.md`);
    expect(sandbox.status()).toEqual([]);
  });

  it("does nothing the second time", async () => {
    await open();
    await init({ project: "vendas" });
    const again = await init({ project: "vendas" });
    expect(again).toMatchObject({ created: [], commit: null });
    expect(subjects()).toHaveLength(1);
  });

  it("adds a project to a repository that is laid out already", async () => {
    await open();
    await init();
    const result = await init({ project: "vendas" });
    expect(result.created).toEqual(["configs/projects/vendas.yaml"]);
    expect(subjects().at(-1)).toBe("init: projeto vendas");
    expect(filesOf("HEAD")).toEqual(["configs/projects/vendas.yaml"]);
  });

  it("keeps files, staged changes and commits of a repository that is in use", async () => {
    await open({ firstCommit: true });
    await sandbox.write("README.md", "meu\n");
    await sandbox.write("notas.txt", "nota\n");
    sandbox.git("add", "notas.txt");
    const result = await init();
    expect(result.kept).toEqual([".gitignore", "README.md"]);
    expect(await readFile(join(sandbox.folder, "README.md"), "utf8")).toBe("meu\n");
    expect(filesOf("HEAD")).not.toContain("README.md");
    expect(sandbox.status()).toEqual(["?? README.md", "A  notas.txt"].sort());
  });

  it("makes the first commit of a repository without one, leaving staged files staged", async () => {
    await open({ firstCommit: false, repository: true });
    await sandbox.write("notas.txt", "nota\n");
    sandbox.git("add", "notas.txt");
    const { commit } = await init();
    expect(commit).toBe(sandbox.git("rev-parse", "HEAD"));
    expect(filesOf("HEAD")).not.toContain("notas.txt");
    expect(sandbox.status()).toEqual(["A  notas.txt"]);
  });

  it("makes a repository of its own inside another one", async () => {
    await open({ firstCommit: true });
    const outer = sandbox.git("rev-parse", "HEAD");
    const inner = join(sandbox.folder, "dentro");
    await sandbox.write("dentro/.eda/x", "");
    const repository = openRepository({ workspace: inner, maxFileBytes: 1024, pushRemote: "origin", env: sandbox.env });
    const { commit } = await initWorkspace({ workspace: inner, repository }, { env: sandbox.env });
    expect(sandbox.git("-C", "dentro", "rev-parse", "HEAD")).toBe(commit);
    expect(sandbox.git("rev-parse", "HEAD")).toBe(outer);
  });

  it("leaves nothing behind when Git does not know who commits", async () => {
    await open({ repository: false, identity: false });
    await expect(init({ project: "vendas" })).rejects.toMatchObject({ kind: "precondition", code: "missing-identity" });
    expect(await readdir(sandbox.folder)).toEqual([]);
  });

  it("leaves nothing behind when a hook refuses the commit", async () => {
    await open({ firstCommit: true });
    await sandbox.hook("pre-commit", "echo não; exit 1");
    await expect(init()).rejects.toMatchObject({ kind: "precondition", code: "hook-failed" });
    expect(await readdir(sandbox.folder)).toEqual([".git", ".gitignore"]);
    expect(subjects()).toHaveLength(1);
  });

  it("leaves nothing behind when a hook refuses the very first commit", async () => {
    await open({ firstCommit: false, repository: true });
    await sandbox.hook("pre-commit", "echo não; exit 1");
    await expect(init()).rejects.toMatchObject({ kind: "precondition", code: "hook-failed" });
    expect(await readdir(sandbox.folder)).toEqual([".git"]);
    expect(sandbox.status()).toEqual([]);
  });

  it("refuses a file where a folder has to be, and takes back what it had made", async () => {
    await open({ firstCommit: true });
    await sandbox.write("sql", "um arquivo");
    await expect(init()).rejects.toMatchObject({ kind: "precondition", code: "path-taken", at: { file: "sql/README.md" } });
    expect((await readdir(sandbox.folder)).sort()).toEqual([".git", ".gitignore", "sql"]);
  });

  it("does not write through a link that stands in the place of a file", async () => {
    await open({ firstCommit: true });
    await symlink(join(sandbox.home, "alvo"), join(sandbox.folder, "README.md"));
    const { kept } = await init();
    expect(kept).toContain("README.md");
    await expect(lstat(join(sandbox.home, "alvo"))).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("commits what an interrupted attempt laid out, but not what a person has edited since", async () => {
    await open({ firstCommit: true });
    for (const { path, text } of workspaceTemplate().slice(2)) await sandbox.write(path, text);
    await sandbox.write("configs/eda.yaml", "engine: { threads: 1 }\n");
    await init();
    expect(filesOf("HEAD")).toContain("sql/README.md");
    expect(sandbox.status()).toEqual(["?? configs/eda.yaml"]);
  });

  it("keeps state and data out of Git also where a .gitignore knows nothing of them", async () => {
    await open({ firstCommit: false, repository: true });
    await sandbox.write(".gitignore", "*.log\n");
    await init();
    await init();
    await sandbox.write(".eda/x", "");
    await sandbox.write("eda/raw-data/p/dados.csv", "");
    expect(sandbox.status()).toEqual(["?? .gitignore"]);
    expect((await readFile(join(sandbox.folder, ".git/info/exclude"), "utf8")).match(/^\/\.eda\/$/gmu)).toHaveLength(1);
  });

  it("refuses a name that cannot be a project", async () => {
    await open();
    await expect(init({ project: "../fora" })).rejects.toMatchObject({ kind: "usage", code: "invalid-project-name" });
    expect(await readdir(sandbox.folder)).toEqual([]);
  });
});

describe("the templates of eda init", () => {
  it("are valid as they are", async () => {
    await open();
    const settings = workspaceTemplate().find((file) => file.path === "configs/eda.yaml");
    expect(parseConfig(settingsSchema, "configs/eda.yaml", settings?.text ?? "")).toEqual(settingsSchema.parse({}));
    expect(parseProjectFile("vendas", projectTemplate("vendas").text)).toMatchObject({
      project: "vendas",
      drive: { folder: ".eda/drive/vendas" },
    });
  });

  it("hold examples that are valid once uncommented", async () => {
    await open();
    const uncommented = projectTemplate("vendas")
      .text.split("\n")
      .map((line) => (line.startsWith("##") ? "" : line.replace(/^(\s*)# ?(?=\s*(?:[-\w]+:|- ))/u, "$1")))
      .join("\n");
    const project = parseProjectFile("vendas", uncommented);
    expect(project.staging?.tables[0]?.schema.fields).toHaveLength(4);
    expect(project.modeling?.notebook).toBe("notebooks/vendas/modelo.ipynb");
    expect(project.deploy?.model.files).toEqual(["modelo.onnx"]);
    const settings = workspaceTemplate().find((file) => file.path === "configs/eda.yaml")?.text ?? "";
    const defaults = parse(settings.replace(/^# ( *\w+:)/gmu, "$1").replace(/^# {3}# .*$/gmu, "")) as { jupyter: { url?: string } };
    delete defaults.jupyter.url;
    expect(settingsSchema.parse(defaults)).toEqual(settingsSchema.parse({}));
    expect(defaults).toEqual(settingsSchema.parse({}));
  });
});

describe("eda demo", () => {
  it("lays out the project in two init: commits, and a folder that stands in for Drive outside Git", async () => {
    await open();
    const result = await demo();
    expect(result.project).toBe("projeto_voos");
    expect(result.commit).toBe(sandbox.git("rev-parse", "HEAD"));
    expect(subjects()).toEqual(["init: estrutura do repositório governado", "init: projeto de demonstração projeto_voos"]);
    expect(filesOf("HEAD")).toContain("configs/projects/projeto_voos.yaml");
    expect(sandbox.status()).toEqual([]);
    const drive = join(sandbox.folder, ".eda/drive/projeto_voos");
    const source = join(ROOT, "node_modules/vega-datasets/data");
    expect(await readFile(join(drive, "cadastros/Cópia de airports.csv"))).toEqual(await readFile(join(source, "airports.csv")));
    expect((await lstat(join(drive, "voos/flights-3m.parquet"))).size).toBe((await lstat(join(source, "flights-3m.parquet"))).size);
    expect((await lstat(join(drive, "anotacoes/pendencias.txt"))).size).toBe(0);
  });

  it("is idempotent, fills in what is missing and never overwrites an edit", async () => {
    await open();
    await demo();
    expect(await demo()).toEqual({ project: "projeto_voos", created: [], commit: null });
    await sandbox.write("sql/projeto_voos/curated/rotas_dia.sql", "SELECT 1 AS editado\n");
    await sandbox.write(".eda/drive/projeto_voos/LEIA-ME.txt", "editado\n");
    await rm(join(sandbox.folder, ".eda/drive/projeto_voos/seguranca"), { recursive: true });
    const { created } = await demo();
    expect(created).toEqual([".eda/drive/projeto_voos/seguranca/birdstrikes.csv"]);
    expect(await readFile(join(sandbox.folder, "sql/projeto_voos/curated/rotas_dia.sql"), "utf8")).toBe("SELECT 1 AS editado\n");
    expect(await readFile(join(sandbox.folder, ".eda/drive/projeto_voos/LEIA-ME.txt"), "utf8")).toBe("editado\n");
  });

  it("works on a machine whose Git knows nobody", async () => {
    await open({ repository: false, identity: false });
    await demo();
    expect(sandbox.git("log", "-1", "--format=%an <%ae>")).toBe("Demonstração eda <demo@eda.invalid>");
  });

  it("does not invent an identity for a repository that was there before", async () => {
    await open({ repository: true, firstCommit: true, identity: false });
    await expect(demo()).rejects.toMatchObject({ code: "missing-identity" });
    expect(subjects()).toHaveLength(1);
  });

  it("comes with a valid project file and a notebook without outputs", async () => {
    await open();
    const read = (path: string) => readFile(join(ROOT, "demo", path), "utf8");
    const project = parseProjectFile("projeto_voos", await read("configs/projects/projeto_voos.yaml"));
    const path = project.modeling?.notebook ?? "";
    const notebook = parseNotebook(path, await read(path));
    expect(notebook.cells.every((cell) => cell.cell_type !== "code" || (Array.isArray(cell.outputs) && cell.outputs.length === 0))).toBe(
      true,
    );
    expect(project.datasets?.[0]?.columns).not.toContain("atraso");
  });

  it("says so when the installation carries no data", async () => {
    await open();
    await expect(createDemo(services(), sandbox.home, sandbox.env)).rejects.toMatchObject({
      kind: "precondition",
      code: "demo-data-missing",
    });
    expect(await readdir(sandbox.folder)).toEqual([]);
  });
});
