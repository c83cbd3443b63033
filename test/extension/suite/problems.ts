/** Mistakes in governed files, where the person looks for them. */
import assert from "node:assert/strict";
import * as vscode from "vscode";
import { rowsOf, until, workspaceFile } from "./window.ts";

export function registerProblems(): void {
  describe("a mistake in the project file", () => {
    const file = () => workspaceFile("configs", "projects", "lojas.yaml");
    let original: Uint8Array;

    before(async () => {
      original = await vscode.workspace.fs.readFile(file());
    });

    after(() => vscode.workspace.fs.writeFile(file(), original));

    it("is reported at its line, and marks the project", async () => {
      const text = Buffer.from(original).toString();
      await vscode.workspace.fs.writeFile(file(), Buffer.from(text.replace("format: csv", "format: cvs")));
      await until(() => vscode.languages.getDiagnostics(file()).length > 0, "a diagnostic");
      const [problem] = vscode.languages.getDiagnostics(file());
      assert.equal(
        problem?.range.start.line,
        text.split("\n").findIndex((line) => line.includes("format: csv")),
      );
      assert.equal(problem?.source, "eda");
      const [project] = await rowsOf("pipeline");
      assert.match(project?.description ?? "", /^problems in the project file: 1$/u);
    });

    it("is taken back when it is corrected", async () => {
      await vscode.workspace.fs.writeFile(file(), original);
      await until(() => vscode.languages.getDiagnostics(file()).length === 0, "no diagnostic");
    });
  });
}
