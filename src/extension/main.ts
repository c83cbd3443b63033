/** Entry of the extension: wires, and nothing else. No file is read and no process started before it returns. */
import * as vscode from "vscode";
import { assetCommands } from "./commands/asset-commands.ts";
import { googleCommands } from "./commands/google-commands.ts";
import { registerHandlers } from "./commands/handlers.ts";
import { jobCommands } from "./commands/job-commands.ts";
import { serviceCommands } from "./commands/service-commands.ts";
import { runCommands } from "./commands/run-commands.ts";
import { workspaceCommands } from "./commands/workspace-commands.ts";
import { openSession, type Session } from "./session.ts";
import { useLanguage } from "./text/locale.ts";
import { chooseFolder, setContext } from "./workspace.ts";

/** What tests inside the extension host look at. */
export interface EdaApi {
  /** Milliseconds of {@link activate}: by the clock, and of this process's CPU, which a busy machine does not stretch. */
  readonly activation: { readonly clock: number; readonly cpu: number };
  readonly session: Session | undefined;
}

export function activate(context: vscode.ExtensionContext): EdaApi {
  const started = { clock: performance.now(), cpu: process.cpuUsage() };
  useLanguage(vscode.env.language, vscode.l10n.bundle);
  const channel = vscode.window.createOutputChannel("eda", { log: true });
  const folder = chooseFolder();
  const session = folder === undefined ? undefined : openSession(folder, context.extension, channel);
  if (session === undefined) void setContext("eda.workspace", "none");
  const google = googleCommands();
  const handlers = {
    ...runCommands,
    ...jobCommands,
    ...assetCommands,
    ...google.handlers,
    ...serviceCommands(context.extension.id),
    ...workspaceCommands(channel, context.extension.id),
  };
  context.subscriptions.push(vscode.window.registerUriHandler(google.uriHandler));
  context.subscriptions.push(channel, ...registerHandlers(handlers, session), ...(session === undefined ? [] : [session]));
  const { user, system } = process.cpuUsage(started.cpu);
  return { activation: { clock: performance.now() - started.clock, cpu: (user + system) / 1000 }, session };
}
