/** Nodes in a view of the editor. A failure becomes a row that says what to do, never a toast or an empty view. */
import * as vscode from "vscode";
import { toEdaError } from "../../domain/errors.ts";
import { ErrorNode } from "./message-nodes.ts";
import type { Icon, TreeNode } from "./node.ts";

const EXPANSIONS = {
  none: vscode.TreeItemCollapsibleState.None,
  collapsed: vscode.TreeItemCollapsibleState.Collapsed,
  expanded: vscode.TreeItemCollapsibleState.Expanded,
} as const;

export class NodeTree implements vscode.TreeDataProvider<TreeNode>, vscode.Disposable {
  readonly #roots: () => Promise<readonly TreeNode[]>;
  readonly #retry: () => void;
  readonly #changes = new vscode.EventEmitter<TreeNode | undefined>();
  readonly onDidChangeTreeData = this.#changes.event;

  /** @param retry called before what failed is asked for again */
  constructor(roots: () => Promise<readonly TreeNode[]>, retry: () => void) {
    this.#roots = roots;
    this.#retry = retry;
  }

  /** Shows a node and what is below it anew; without one, the whole view. */
  refresh(node?: TreeNode): void {
    this.#changes.fire(node);
  }

  getTreeItem(node: TreeNode): vscode.TreeItem {
    return treeItem(node);
  }

  async getChildren(node?: TreeNode): Promise<TreeNode[]> {
    try {
      return [...(node === undefined ? await this.#roots() : ((await node.children?.()) ?? []))];
    } catch (error) {
      const again = () => {
        this.#retry();
        this.refresh(node);
      };
      return [new ErrorNode(`${node?.id ?? "root"}/error`, toEdaError(error), again)];
    }
  }

  dispose(): void {
    this.#changes.dispose();
  }
}

function treeItem(node: TreeNode): vscode.TreeItem {
  const row = node.row();
  const item = new vscode.TreeItem(row.label, EXPANSIONS[node.expansion]);
  item.id = node.id;
  item.tooltip = row.tooltip ?? row.label;
  if (row.description !== undefined) item.description = row.description;
  if (row.icon !== undefined) item.iconPath = themeIcon(row.icon);
  if (row.context !== undefined) item.contextValue = row.context;
  if (row.spoken !== undefined) item.accessibilityInformation = { label: row.spoken };
  if (row.command !== undefined) item.command = { command: row.command.id, title: row.command.title, arguments: [node] };
  return item;
}

function themeIcon({ id, color }: Icon): vscode.ThemeIcon {
  return color === undefined ? new vscode.ThemeIcon(id) : new vscode.ThemeIcon(id, new vscode.ThemeColor(color));
}
