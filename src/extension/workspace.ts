/** Which folder is the eda workspace, and whether it is one yet. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import * as vscode from "vscode";
import { SETTINGS_FILE } from "../domain/governed.ts";
import type { ContextKey } from "./contributions.ts";

/** The first folder that is an eda workspace, else the first folder. Undefined when none is open. */
export function chooseFolder(): vscode.Uri | undefined {
  const folders = (vscode.workspace.workspaceFolders ?? []).filter(({ uri }) => uri.scheme === "file");
  // Only with several folders is there something to find out.
  const initialised = folders.length > 1 ? folders.find(({ uri }) => existsSync(join(uri.fsPath, SETTINGS_FILE))) : undefined;
  return (initialised ?? folders[0])?.uri;
}

export interface Readiness extends vscode.Disposable {
  readonly isReady: boolean;
  readonly onChange: vscode.Event<boolean>;
  /** Looks again now, for instance after the workspace was initialised. */
  check(): Promise<void>;
}

/** Follows whether `configs/eda.yaml` exists, and tells the `when` clauses. */
export function watchReadiness(folder: vscode.Uri): Readiness {
  const changes = new vscode.EventEmitter<boolean>();
  const settings = vscode.Uri.joinPath(folder, SETTINGS_FILE);
  const watcher = vscode.workspace.createFileSystemWatcher(new vscode.RelativePattern(folder, SETTINGS_FILE), false, true, false);
  let isReady = false;
  let told = false;
  const check = async () => {
    const found = await vscode.workspace.fs.stat(settings).then(
      () => true,
      () => false,
    );
    const changed = found !== isReady;
    isReady = found;
    if (changed || !told) await setContext("eda.workspace", found ? "ready" : "uninitialised");
    told = true;
    if (changed) changes.fire(found);
  };
  watcher.onDidCreate(check);
  watcher.onDidDelete(check);
  return {
    get isReady() {
      return isReady;
    },
    onChange: changes.event,
    check,
    dispose: () => {
      watcher.dispose();
      changes.dispose();
    },
  };
}

export function setContext(key: ContextKey, value: string | boolean): Thenable<unknown> {
  return vscode.commands.executeCommand("setContext", key, value);
}
