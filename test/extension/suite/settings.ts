/** The editor's settings of the stores and the governed settings file follow each other. */
import assert from "node:assert/strict";
import * as vscode from "vscode";
import { until, workspaceFile } from "./window.ts";

export function registerSettings(): void {
  describe("settings of the stores", () => {
    const file = () => workspaceFile("configs", "eda.yaml");
    const text = async () => Buffer.from(await vscode.workspace.fs.readFile(file())).toString();
    const setting = (name: string) => vscode.workspace.getConfiguration("eda", file()).get(name);
    const change = (name: string, value: unknown) =>
      vscode.workspace.getConfiguration("eda", file()).update(name, value, vscode.ConfigurationTarget.WorkspaceFolder);
    let original: Uint8Array;

    before(async () => {
      original = await vscode.workspace.fs.readFile(file());
    });

    after(async () => {
      await vscode.workspace.fs.writeFile(file(), original);
      await until(() => setting("drive.account") === "", "settings as they were");
    });

    it("changed in the editor are written into the file, whose comments stay", async () => {
      await vscode.workspace.fs.writeFile(file(), Buffer.from("engine:\n  threads: 1 # a small machine\n"));
      await change("drive.account", "ana@example.org");
      await until(async () => /account: ana@example\.org/u.test(await text()), "the account in the file");
      assert.match(await text(), /threads: 1 # a small machine/u);
    });

    it("changed in the file are shown in the editor", async () => {
      await vscode.workspace.fs.writeFile(file(), Buffer.from((await text()).replace("ana@example.org", "bia@example.org")));
      await until(() => setting("drive.account") === "bia@example.org", "the account of the file");
    });

    it("that are not valid are refused, and shown as the file has them", async () => {
      const before = await text();
      await change("drive.account", "ninguém");
      await until(() => setting("drive.account") === "bia@example.org", "the account of the file");
      assert.equal(await text(), before);
    });
  });
}
