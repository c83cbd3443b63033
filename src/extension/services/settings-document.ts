/** `configs/eda.yaml` as it is on disk, which an open document follows a moment later. */
import * as vscode from "vscode";
import { EdaError } from "../../domain/errors.ts";
import { SETTINGS_FILE } from "../../domain/governed.ts";
import type { SettingChange, SettingValue } from "../../domain/settings-edit.ts";
import { pathOf, type StoreSetting } from "./store-settings.ts";

/** Only loaded where it is used: the YAML library is as large as the rest of the extension. */
export const settingsEditing = () => import("../../domain/settings-edit.ts");

export type FileValues = ReadonlyMap<StoreSetting, SettingValue>;

/** @throws EdaError `precondition` `invalid-config` */
export async function readValues(folder: vscode.Uri, names: readonly StoreSetting[]): Promise<FileValues> {
  const { valuesAt } = await settingsEditing();
  const values = valuesAt(await read(uriOf(folder)), names.map(pathOf));
  return new Map(names.flatMap((name, index) => (values[index] === undefined ? [] : [[name, values[index]] as const])));
}

/** @throws EdaError `precondition` `invalid-config` or `settings-unsaved`: nothing is written then */
export async function writeChanges(folder: vscode.Uri, changes: readonly SettingChange[]): Promise<void> {
  const { withChanges } = await settingsEditing();
  const uri = uriOf(folder);
  const text = await read(uri);
  const changed = withChanges(text, changes);
  if (changed === text) return;
  if (vscode.workspace.textDocuments.some((document) => document.isDirty && document.uri.toString() === uri.toString())) {
    throw new EdaError("precondition", "settings-unsaved", `${SETTINGS_FILE} is open with changes that are not saved.`, {
      todo: "Save it, then change the setting again.",
    });
  }
  await vscode.workspace.fs.writeFile(uri, Buffer.from(changed));
}

async function read(uri: vscode.Uri): Promise<string> {
  return Buffer.from(await vscode.workspace.fs.readFile(uri)).toString("utf8");
}

function uriOf(folder: vscode.Uri): vscode.Uri {
  return vscode.Uri.joinPath(folder, SETTINGS_FILE);
}
