/** The editor's settings of the stores and `configs/eda.yaml` say the same: the file is the truth, and takes what is changed in the editor. */
import * as l10n from "@vscode/l10n";
import * as vscode from "vscode";
import { SETTINGS_FILE } from "../../domain/governed.ts";
import { offer, showFailure } from "../failures.ts";
import { debounced } from "../timing.ts";
import type { Readiness } from "../workspace.ts";
import { type FileValues, readValues, writeChanges } from "./settings-document.ts";
import { differencesOf, editorValue, type EditorValue, pathOf, STORE_SETTING_NAMES, type StoreSetting } from "./store-settings.ts";

/** A change of branch changes several files. */
const QUIET_MS = 300;

export function syncStoreSettings(folder: vscode.Uri, readiness: Readiness, log: (message: string) => void): vscode.Disposable {
  const configuration = () => vscode.workspace.getConfiguration("eda", folder);
  const inWorkspace = (name: StoreSetting) => {
    const found = configuration().inspect<EditorValue>(name);
    return found?.workspaceFolderValue ?? found?.workspaceValue;
  };

  let agreed: ReadonlyMap<StoreSetting, EditorValue | undefined> | undefined;
  const agree = () => {
    agreed = new Map(STORE_SETTING_NAMES.map((name) => [name, inWorkspace(name)]));
  };

  const show = async (values: FileValues) => {
    for (const name of STORE_SETTING_NAMES) {
      const wanted = editorValue(name, values.get(name));
      if (configuration().get(name) === wanted) continue;
      // What the file does not say is not mentioned, unless the person's own settings would shine through.
      const isMentioned = values.has(name) || configuration().inspect(name)?.globalValue !== undefined;
      await configuration().update(name, isMentioned ? wanted : undefined, vscode.ConfigurationTarget.WorkspaceFolder);
    }
  };
  const fromFile = debounced(
    QUIET_MS,
    async () => {
      if (!readiness.isReady) return;
      await show(await readValues(folder, STORE_SETTING_NAMES));
      agree();
    },
    // The Problems panel says what is wrong in it.
    (error) => log(`settings are not shown: ${String(error)}`),
  );
  const fromEditor = debounced(
    QUIET_MS,
    async () => {
      const before = agreed;
      if (!readiness.isReady || before === undefined) return;
      const values = await readValues(folder, STORE_SETTING_NAMES);
      const states = STORE_SETTING_NAMES.map((name) => ({
        name,
        inFile: values.get(name),
        inWorkspace: inWorkspace(name),
        agreed: before.get(name),
      }));
      const { changes, missing } = differencesOf(states);
      await writeChanges(folder, changes);
      agree();
      if (missing.length > 0) askToRemove(missing);
    },
    (error) => {
      showFailure(error, folder);
      fromFile();
    },
  );
  /** Not waited for: whoever does not answer keeps the file as it is. */
  const askToRemove = (names: readonly StoreSetting[]) => {
    const message = l10n.t("{0} still says {1}.", SETTINGS_FILE, names.map((name) => `stores.${name}`).join(", "));
    const remove = {
      title: l10n.t("Remove There Too"),
      run: () =>
        writeChanges(
          folder,
          names.map((name) => ({ path: pathOf(name), value: undefined })),
        ),
    };
    void offer(vscode.window.showWarningMessage, message, [remove]).then(
      () => fromFile(),
      (error: unknown) => showFailure(error, folder),
    );
  };

  const watcher = vscode.workspace.createFileSystemWatcher(new vscode.RelativePattern(folder, SETTINGS_FILE));
  return vscode.Disposable.from(
    watcher,
    watcher.onDidChange(fromFile),
    watcher.onDidCreate(fromFile),
    readiness.onChange(fromFile),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (STORE_SETTING_NAMES.some((name) => event.affectsConfiguration(`eda.${name}`, folder))) fromEditor();
    }),
    fromFile,
    fromEditor,
  );
}
