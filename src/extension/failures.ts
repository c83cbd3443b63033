/** Telling the person what went wrong, where, and what to do about it. */
import * as l10n from "@vscode/l10n";
import * as vscode from "vscode";
import { EdaError, type SourceLocation, toEdaError } from "../domain/errors.ts";
import { failureText } from "./text/runs.ts";

/** Something a notification offers. */
export interface Action {
  readonly title: string;
  run(): unknown;
}

/** What a failure can offer by itself: the place it is about. */
export function openFileAction(folder: vscode.Uri | undefined, at: SourceLocation | undefined): Action[] {
  if (folder === undefined || at === undefined) return [];
  return [{ title: l10n.t("Open File"), run: () => openAt(folder, at) }];
}

export async function openAt(folder: vscode.Uri, at: SourceLocation): Promise<void> {
  const position = new vscode.Position(Math.max(0, (at.line ?? 1) - 1), Math.max(0, (at.column ?? 1) - 1));
  await vscode.window.showTextDocument(vscode.Uri.joinPath(folder, at.file), { selection: new vscode.Range(position, position) });
}

/** Shows the error with its actions; does not wait for an answer. A cancelled work is no failure: it is not shown. */
export function showFailure(error: unknown, folder: vscode.Uri | undefined, actions: readonly Action[] = []): void {
  const failure = toEdaError(error);
  if (failure.kind === "cancelled") return;
  void offer(vscode.window.showErrorMessage, failureText(failure.toDocument()), [...openFileAction(folder, failure.at), ...actions]);
}

type ShowMessage = (message: string, ...titles: string[]) => Thenable<string | undefined>;

/** Shows a message with actions and runs the chosen one. */
export async function offer(show: ShowMessage, message: string, actions: readonly Action[]): Promise<void> {
  const chosen = await show(message, ...actions.map(({ title }) => title));
  await actions.find(({ title }) => title === chosen)?.run();
}

/** For commands that need a folder: there is none open. */
export function noFolder(): EdaError {
  return new EdaError("precondition", "no-folder", l10n.t("No folder is open."), {
    todo: l10n.t("Open the folder that is, or will be, the eda workspace."),
  });
}
