/** What the tests inside the window have in common. */
import assert from "node:assert/strict";
import * as vscode from "vscode";
import type { EdaApi } from "../../../src/extension/main.ts";
import type { Session } from "../../../src/extension/session.ts";
import type { Row, TreeNode } from "../../../src/extension/tree/node.ts";

const WAIT_MS = 60_000;

export async function edaApi(): Promise<EdaApi> {
  const extension = vscode.extensions.getExtension<EdaApi>("wrmelo.eda");
  assert.ok(extension, "the extension is not installed");
  return extension.activate();
}

export async function edaSession(): Promise<Session> {
  const { session } = await edaApi();
  assert.ok(session, "no workspace folder");
  return session;
}

export type ViewName = keyof Session["views"];

/** Nodes of a view, or of one of its nodes, as the editor asks for them. */
export async function nodesOf(view: ViewName, parent?: TreeNode): Promise<TreeNode[]> {
  return (await edaSession()).views[view].tree.getChildren(parent);
}

export async function rowsOf(view: ViewName, parent?: TreeNode): Promise<Row[]> {
  return (await nodesOf(view, parent)).map((node) => node.row());
}

/** The node at the end of a path of labels. */
export async function nodeAt(view: ViewName, ...labels: readonly string[]): Promise<TreeNode> {
  let node: TreeNode | undefined;
  for (const label of labels) {
    const children = await nodesOf(view, node);
    node = children.find((child) => child.row().label === label);
    assert.ok(node, `no "${label}" among ${children.map((child) => child.row().label).join(", ")}`);
  }
  assert.ok(node);
  return node;
}

export async function until(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + WAIT_MS;
  while (!(await holds())) {
    assert.ok(Date.now() < deadline, `waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

export function workspaceFile(...path: string[]): vscode.Uri {
  const [folder] = vscode.workspace.workspaceFolders ?? [];
  assert.ok(folder);
  return vscode.Uri.joinPath(folder.uri, ...path);
}

/** Text of the read-only document that a command opened. */
export async function shownText(scheme: string): Promise<string> {
  await until(() => vscode.window.activeTextEditor?.document.uri.scheme === scheme, `a document of ${scheme}`);
  return vscode.window.activeTextEditor?.document.getText() ?? "";
}
