/** The editor's settings of the stores, and what they are in `configs/eda.yaml`: `eda.objects.endpoint` is `stores.objects.endpoint`. */
import type { SettingChange, SettingPath, SettingValue } from "../../domain/settings-edit.ts";

/** By name, without `eda.`, with the value that stands for "not in the file". No secret is among them. */
export const STORE_SETTINGS = {
  "objects.endpoint": "",
  "objects.region": "",
  "objects.accessKey": "",
  "objects.objectLock": false,
  "objects.tls.ca": "",
  "database.host": "",
  "database.port": null,
  "database.database": "",
  "database.user": "",
  "database.tls.mode": "",
  "database.tls.ca": "",
  "runLog.uri": "",
  "runLog.database": "",
  "runLog.user": "",
  "runLog.tls.ca": "",
  "drive.kind": "",
  "drive.account": "",
} as const;

export type StoreSetting = keyof typeof STORE_SETTINGS;
export const STORE_SETTING_NAMES = Object.keys(STORE_SETTINGS) as readonly StoreSetting[];

/** What the editor holds: `null` for a number that is not given. */
export type EditorValue = SettingValue | null;

export function pathOf(name: StoreSetting): SettingPath {
  return ["stores", ...name.split(".")];
}

/** What the editor is to show for what the file says. */
export function editorValue(name: StoreSetting, inFile: SettingValue | undefined): EditorValue {
  return inFile ?? STORE_SETTINGS[name];
}

/** What the file is to say for what the editor holds. */
export function fileValue(name: StoreSetting, inEditor: EditorValue): SettingValue | undefined {
  return inEditor === null || inEditor === STORE_SETTINGS[name] ? undefined : inEditor;
}

export interface EditorState {
  readonly name: StoreSetting;
  readonly inFile: SettingValue | undefined;
  /** Of this workspace; undefined when the workspace's settings do not mention it. */
  readonly inWorkspace: EditorValue | undefined;
  /** The same when file and editor last agreed: what differs from it is a person's. */
  readonly agreed: EditorValue | undefined;
}

export interface Differences {
  /** Written by a person in the editor: the file takes them. */
  readonly changes: readonly SettingChange[];
  /** In the file and no longer in the editor: somebody has to say whether they are to go. */
  readonly missing: readonly StoreSetting[];
}

/** After a change in the editor. A file of settings that vanished, as with another branch, must not take the stores with it. */
export function differencesOf(states: readonly EditorState[]): Differences {
  const changes: SettingChange[] = [];
  const missing: StoreSetting[] = [];
  for (const { name, inFile, inWorkspace, agreed } of states) {
    if (inWorkspace === agreed) continue;
    if (inWorkspace === undefined) {
      if (inFile !== undefined) missing.push(name);
    } else if (editorValue(name, inFile) !== inWorkspace) {
      changes.push({ path: pathOf(name), value: fileValue(name, inWorkspace) });
    }
  }
  return { changes, missing };
}
