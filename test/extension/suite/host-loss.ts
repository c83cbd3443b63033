/** A host that is stopped, missing, and back. Last: it changes what the window is connected to. */
import assert from "node:assert/strict";
import * as vscode from "vscode";
import { edaSession, rowsOf, until } from "./window.ts";

export function registerHostLoss(): void {
  describe("without a host", () => {
    const home = (folder: string | undefined) =>
      vscode.workspace.getConfiguration("eda").update("home", folder, vscode.ConfigurationTarget.Global);
    const stateIs = (kind: string) => async () => (await edaSession()).link.state.kind === kind;

    after(() => home(undefined));

    it("the views say so and offer to start it; it is not started behind one's back", async () => {
      await vscode.commands.executeCommand("eda.stopHost");
      await until(stateIs("stopped"), "a stopped host");
      for (const view of ["pipeline", "buckets", "inventories", "runs"] as const) {
        assert.deepEqual(
          (await rowsOf(view)).map(({ command }) => command?.id),
          ["eda.startHost"],
        );
      }
      assert.ok(await stateIs("stopped")());
    });

    it("and without an installation, they say what to do", async () => {
      await home("/nowhere");
      await until(stateIs("failed"), "a failure");
      const [row] = await rowsOf("pipeline");
      assert.match(row?.label ?? "", /no eda installation in \/nowhere/u);
      assert.match(row?.description ?? "", /Set eda\.home/u);
      assert.equal(row?.command?.id, "eda.retry");
    });

    it("everything is back once there is one", async () => {
      await home(undefined);
      await until(stateIs("connected"), "a connection");
      await until(async () => (await rowsOf("pipeline"))[0]?.label === "lojas", "the project");
    });
  });
}
