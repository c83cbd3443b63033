/** Read-only documents made from what the host knows: run logs, lineage, reports. An open one follows what it is about. */
import * as vscode from "vscode";

const SCHEME = "eda";

export interface Documents extends vscode.Disposable {
  /** Shows what `produce` answers under a name; an open document of that name is made anew. */
  show(path: string, produce: () => Promise<string>): Promise<void>;
  /** Makes an open document anew. */
  update(path: string): void;
}

export function createDocuments(): Documents {
  const producers = new Map<string, () => Promise<string>>();
  const changes = new vscode.EventEmitter<vscode.Uri>();
  const uriOf = (path: string) => vscode.Uri.from({ scheme: SCHEME, path: `/${path}` });
  const isOpen = (uri: vscode.Uri) => vscode.workspace.textDocuments.some((document) => document.uri.toString() === uri.toString());
  const subscriptions = [
    changes,
    vscode.workspace.registerTextDocumentContentProvider(SCHEME, {
      onDidChange: changes.event,
      provideTextDocumentContent: async (uri) => (await producers.get(uri.path)?.()) ?? "",
    }),
    vscode.workspace.onDidCloseTextDocument(({ uri }) => {
      if (uri.scheme === SCHEME) producers.delete(uri.path);
    }),
  ];
  return {
    async show(path, produce) {
      const uri = uriOf(path);
      producers.set(uri.path, produce);
      if (isOpen(uri)) changes.fire(uri);
      const document = await vscode.workspace.openTextDocument(uri);
      await vscode.window.showTextDocument(document, { preview: true });
    },
    update(path) {
      const uri = uriOf(path);
      if (producers.has(uri.path) && isOpen(uri)) changes.fire(uri);
    },
    dispose: () => {
      for (const subscription of subscriptions) subscription.dispose();
    },
  };
}
