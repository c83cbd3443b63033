/** Saving what the page made where the person wants it. */
import * as l10n from "@vscode/l10n";
import * as vscode from "vscode";
import type { PageMessage } from "../../protocol/monitor-messages.ts";
import { offer } from "../failures.ts";

export async function saveFile(folder: vscode.Uri, { name, data }: Extract<PageMessage, { type: "save" }>): Promise<void> {
  const uri = await vscode.window.showSaveDialog({ defaultUri: vscode.Uri.joinPath(folder, name) });
  if (uri === undefined) return;
  await vscode.workspace.fs.writeFile(uri, name.endsWith(".png") ? Buffer.from(data, "base64") : Buffer.from(data, "utf8"));
  const show = { title: l10n.t("Open File"), run: () => vscode.commands.executeCommand("vscode.open", uri) };
  void offer(vscode.window.showInformationMessage, l10n.t("Saved {0}", vscode.workspace.asRelativePath(uri)), [show]);
}
