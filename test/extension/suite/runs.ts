/** Runs from commands, and what the views and documents show of what they made. */
import assert from "node:assert/strict";
import * as vscode from "vscode";
import { nodeAt, nodesOf, rowsOf, shownText, until } from "./window.ts";

export function registerRuns(): void {
  describe("a run", () => {
    it("of one stage is started by its command and followed to its end", async () => {
      await vscode.commands.executeCommand("eda.run.capture");
      const [run] = await rowsOf("runs");
      assert.equal(run?.label, "Capture");
      assert.match(run?.spoken ?? "", /succeeded/u);
      const stage = (await nodeAt("pipeline", "lojas", "1 · Capture")).row();
      assert.match(stage.description ?? "", /^up to date/u);
    });

    it("of all stages leaves each of them up to date", async () => {
      await vscode.commands.executeCommand("eda.runAll");
      await until(async () => {
        const stages = await rowsOf("pipeline", await nodeAt("pipeline", "lojas"));
        return stages.length === 7 && stages.every(({ description }) => description?.startsWith("up to date") === true);
      }, "seven stages that are up to date");
    });

    it("shows its facts and its log in a read-only document", async () => {
      const staging = (await nodesOf("runs")).find((node) => node.row().label === "Staging");
      await vscode.commands.executeCommand("eda.showRunLog", staging);
      const text = await shownText("eda");
      assert.match(text, /^3\/7 Staging · lojas$/mu);
      assert.match(text, /^commit after: +[0-9a-f]{40}$/mu);
      assert.match(text, /^tables\.pedidos\.rows: +40$/mu);
    });

    it("opens the manifest that is committed with it", async () => {
      const [deploy] = await nodesOf("runs");
      await vscode.commands.executeCommand("eda.openManifest", deploy);
      await until(
        () => /eda\/manifests\/lojas\/deploy\/[^/]+\.json$/u.test(vscode.window.activeTextEditor?.document.uri.path ?? ""),
        "the manifest",
      );
    });
  });

  describe("what the runs made", () => {
    it("is listed in buckets a page at a time, with a row to load more", async () => {
      await vscode.workspace.getConfiguration("eda").update("pageSize", 10, vscode.ConfigurationTarget.Global);
      const notes = ["raw-data", "lojas", "notas"] as const;
      await until(async () => (await rowsOf("buckets", await nodeAt("buckets", ...notes))).length === 11, "a page of ten");
      const folder = await nodeAt("buckets", ...notes);
      const more = (await nodesOf("buckets", folder)).at(-1);
      assert.equal(more?.row().label, "Load more…");
      await vscode.commands.executeCommand("eda.loadMore", more);
      const names = (await rowsOf("buckets", folder)).map(({ label }) => label);
      assert.equal(names.length, 12);
      assert.deepEqual([names[0], names[11]], ["01.txt", "12.txt"]);
    });

    it("is registered in the inventories, each row with all that is known of it", async () => {
      const orders = await nodeAt("inventories", "Staging tables", "pedidos");
      assert.match(orders.row().description ?? "", /^40 rows · /u);
      const details = new Map((await rowsOf("inventories", orders)).map(({ label, description }) => [label, description]));
      assert.match(details.get("object") ?? "", /^staging-data\/lojas\//u);
      assert.match(details.get("sha256") ?? "", /^[0-9a-f]{64}$/u);
      assert.match(details.get("commit before") ?? "", /^[0-9a-f]{40}$/u);
    });

    it("is found by a part of its name", async () => {
      const raw = await nodeAt("inventories", "Raw data");
      Object.assign(raw, { search: "notas/1" });
      assert.deepEqual(
        (await rowsOf("inventories", raw)).map(({ label }) => label),
        ["notas/10.txt", "notas/11.txt", "notas/12.txt"],
      );
      await vscode.commands.executeCommand("eda.clearSearch", raw);
      assert.ok((await rowsOf("inventories", raw)).length > 3);
    });

    it("can be copied: key and sha256", async () => {
      const object = await nodeAt("buckets", "raw-data", "lojas", "pedidos.csv");
      await vscode.commands.executeCommand("eda.copyKey", object);
      assert.equal(await vscode.env.clipboard.readText(), "raw-data/lojas/pedidos.csv");
      await vscode.commands.executeCommand("eda.copySha256", object);
      assert.match(await vscode.env.clipboard.readText(), /^[0-9a-f]{64}$/u);
    });

    it("has a lineage back to the files in Drive", async () => {
      const model = (await nodesOf("inventories", await nodeAt("inventories", "Models")))[0];
      await vscode.commands.executeCommand("eda.showLineage", model);
      const text = await shownText("eda");
      assert.match(text, /by 7\/7 Deploy/u);
      assert.match(text, /by 1\/7 Capture/u);
      assert.match(text, /drive {2}pedidos\.csv/u);
    });
  });
}
