/** What the extension is inside VS Code, by the real `vscode` API. */
import assert from "node:assert/strict";
import * as vscode from "vscode";
import { NODE_COMMANDS, PALETTE_COMMANDS } from "../../../src/extension/contributions.ts";
import type { EdaApi } from "../../../src/extension/main.ts";
import type { TreeNode } from "../../../src/extension/tree/node.ts";

const ID = "wrmelo.eda";
const ACTIVATION_LIMIT_MS = 20;

export function registerSurface(): void {
  describe("the extension", () => {
    let api: EdaApi;

    before(async () => {
      const extension = vscode.extensions.getExtension<EdaApi>(ID);
      assert.ok(extension, `${ID} is not installed`);
      api = await extension.activate();
    });

    it("activates in milliseconds, before the host answers", () => {
      assert.ok(api.activationMilliseconds < ACTIVATION_LIMIT_MS, `${api.activationMilliseconds} ms`);
    });

    it("registers every command it contributes", async () => {
      const known = new Set(await vscode.commands.getCommands(true));
      assert.deepEqual(
        [...PALETTE_COMMANDS, ...NODE_COMMANDS].filter((command) => !known.has(command)),
        [],
      );
    });

    it("reaches the host of the workspace", async () => {
      await until(() => api.session?.link.state.kind === "connected", "a connection to the host");
    });

    it("shows the project with its seven stages", async () => {
      const [project] = await rootsOf("pipeline");
      assert.equal(project?.row().label, "lojas");
      const stages = await project?.children?.();
      assert.equal(stages?.length, 7);
      assert.match(stages?.[0]?.row().label ?? "", /1 · Capture/u);
    });

    it("shows six buckets and five inventories", async () => {
      assert.deepEqual(
        (await rootsOf("buckets")).map((node) => node.row().label),
        ["raw-data", "staging-data", "curated-data", "datasets", "models", "outputs"],
      );
      assert.equal((await rootsOf("inventories")).length, 5);
    });

    it("keeps its tree nodes between refreshes", async () => {
      const [before] = await rootsOf("pipeline");
      api.session?.refresh();
      const [after] = await rootsOf("pipeline");
      assert.equal(after, before);
    });

    it("runs a stage by its command and sees it end", async () => {
      await vscode.commands.executeCommand("eda.run.capture");
      const [run] = await rootsOf("runs");
      assert.match(run?.row().label ?? "", /Capture/u);
      await until(async () => /succeeded/u.test((await rootsOf("runs"))[0]?.row().spoken ?? ""), "the end of the run");
    });

    it("reports a mistake of the project file where it is, and takes it back", async () => {
      const [folder] = vscode.workspace.workspaceFolders ?? [];
      assert.ok(folder);
      const file = vscode.Uri.joinPath(folder.uri, "configs", "projects", "lojas.yaml");
      const original = await vscode.workspace.fs.readFile(file);
      const text = Buffer.from(original).toString();
      await vscode.workspace.fs.writeFile(file, Buffer.from(text.replace("format: csv", "format: cvs")));
      await until(() => vscode.languages.getDiagnostics(file).length > 0, "a diagnostic");
      const line = text.split("\n").findIndex((each) => each.includes("format: csv"));
      assert.equal(vscode.languages.getDiagnostics(file)[0]?.range.start.line, line);
      await vscode.workspace.fs.writeFile(file, original);
      await until(() => vscode.languages.getDiagnostics(file).length === 0, "no diagnostic");
    });

    async function rootsOf(view: "pipeline" | "buckets" | "inventories" | "runs"): Promise<readonly TreeNode[]> {
      const { session } = api;
      assert.ok(session, "no workspace folder");
      return session.views[view].tree.getChildren();
    }
  });
}

async function until(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!(await holds())) {
    assert.ok(Date.now() < deadline, `waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
