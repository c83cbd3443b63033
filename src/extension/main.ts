/** Entry of the extension: wires, and nothing else. No file is read and no process started before it returns. */
import * as vscode from "vscode";
import { assetCommands } from "./commands/asset-commands.ts";
import { registerHandlers } from "./commands/handlers.ts";
import { runCommands } from "./commands/run-commands.ts";
import { workspaceCommands } from "./commands/workspace-commands.ts";
import { openSession, type Session } from "./session.ts";
import { useLanguage } from "./text/locale.ts";
import { chooseFolder, setContext } from "./workspace.ts";

/** What tests inside the extension host look at. */
export interface EdaApi {
  readonly activationMilliseconds: number;
  readonly session: Session | undefined;
}

export function activate(context: vscode.ExtensionContext): EdaApi {
  const started = performance.now();
  useLanguage(vscode.env.language, vscode.l10n.bundle);
  const channel = vscode.window.createOutputChannel("eda", { log: true });
  const folder = chooseFolder();
  const session = folder === undefined ? undefined : openSession(folder, context.extension, channel);
  if (session === undefined) void setContext("eda.workspace", "none");
  const handlers = { ...runCommands, ...assetCommands, ...workspaceCommands(channel, context.extension.id) };
  context.subscriptions.push(channel, ...registerHandlers(handlers, session), ...(session === undefined ? [] : [session]));
  return { activationMilliseconds: performance.now() - started, session };
}
