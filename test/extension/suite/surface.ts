/** What the extension brings into a window before anything has run. */
import assert from "node:assert/strict";
import * as vscode from "vscode";
import { NODE_COMMANDS, PALETTE_COMMANDS } from "../../../src/extension/contributions.ts";
import { edaApi, edaSession, nodesOf, rowsOf, until } from "./window.ts";

const ACTIVATION_LIMIT_MS = 20;

export function registerSurface(): void {
  describe("the extension", () => {
    it("activates within 20 ms", async () => {
      const { clock, cpu } = (await edaApi()).activation;
      assert.ok(Math.min(clock, cpu) < ACTIVATION_LIMIT_MS, `${clock} ms by the clock, ${cpu} ms of CPU`);
    });

    it("registers every command it declares", async () => {
      const known = new Set(await vscode.commands.getCommands(true));
      assert.deepEqual(
        [...PALETTE_COMMANDS, ...NODE_COMMANDS].filter((command) => !known.has(command)),
        [],
      );
    });

    it("starts the host of the workspace by itself", async () => {
      const { link } = await edaSession();
      await until(() => link.state.kind === "connected", "a connection to the host");
    });

    it("shows the project with its seven stages, none of them run", async () => {
      const [project] = await nodesOf("pipeline");
      assert.equal(project?.row().label, "lojas");
      const stages = await rowsOf("pipeline", project);
      assert.deepEqual(
        stages.map(({ label }) => label),
        ["1 · Capture", "2 · Ingest", "3 · Staging", "4 · Curation", "5 · Datasets", "6 · Modeling", "7 · Deploy"],
      );
      assert.deepEqual(new Set(stages.map(({ description }) => description)), new Set(["not run yet"]));
    });

    it("shows six buckets, five inventories, and that nothing has run", async () => {
      assert.deepEqual(
        (await rowsOf("buckets")).map(({ label }) => label),
        ["raw-data", "staging-data", "curated-data", "datasets", "models", "outputs"],
      );
      const inventories = await nodesOf("inventories");
      assert.equal(inventories.length, 5);
      assert.deepEqual(
        (await rowsOf("inventories", inventories[0])).map(({ label, command }) => [label, command?.id]),
        [["Nothing registered yet.", "eda.run.ingest"]],
      );
      assert.deepEqual(
        (await rowsOf("runs")).map(({ label }) => label),
        ["Nothing has run yet."],
      );
    });

    it("keeps its tree nodes between refreshes: the editor compares them by reference", async () => {
      const [before] = await nodesOf("pipeline");
      await vscode.commands.executeCommand("eda.refresh");
      await (await edaSession()).model.reload();
      const [after] = await nodesOf("pipeline");
      assert.equal(after, before);
    });

    it("opens the project file", async () => {
      await vscode.commands.executeCommand("eda.openProjectFile");
      assert.match(vscode.window.activeTextEditor?.document.uri.path ?? "", /configs\/projects\/lojas\.yaml$/u);
    });
  });
}
