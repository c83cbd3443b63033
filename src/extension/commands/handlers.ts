/** Registering commands: every declared one has a handler, and a failure is shown with what to do. */
import * as l10n from "@vscode/l10n";
import * as vscode from "vscode";
import type { CommandId } from "../contributions.ts";
import { noFolder, showFailure } from "../failures.ts";
import type { Session } from "../session.ts";

/** @param argument what the command was started from: a node of a view, or nothing */
export type Handler = (session: Session, argument: unknown) => unknown;

export type Handlers<Id extends CommandId = CommandId> = { readonly [Command in Id]: Handler };

export function registerHandlers(handlers: Handlers, session: Session | undefined): vscode.Disposable[] {
  return Object.entries<Handler>(handlers).map(([id, handler]) =>
    vscode.commands.registerCommand(id, async (argument: unknown) => {
      try {
        if (session === undefined) throw noFolder();
        await handler(session, argument);
      } catch (error) {
        const openFolder = { title: l10n.t("Open Folder"), run: () => vscode.commands.executeCommand("vscode.openFolder") };
        showFailure(error, session?.folder, session === undefined ? [openFolder] : []);
      }
    }),
  );
}
