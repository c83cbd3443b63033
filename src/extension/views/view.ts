/** What the four views have in common: they show the host's state when there is nothing else to show, and are redrawn in good time. */
import * as l10n from "@vscode/l10n";
import * as vscode from "vscode";
import type { ViewId } from "../contributions.ts";
import type { HostLink, LinkState } from "../host/link.ts";
import { ErrorNode, MessageNode } from "../tree/message-nodes.ts";
import type { TreeNode } from "../tree/node.ts";
import { NodeTree } from "../tree/node-tree.ts";

/** Ages such as "5 min ago" are redrawn this often. */
const REDRAW_MS = 60_000;

export interface View extends vscode.Disposable {
  readonly tree: NodeTree;
  /** A number on the view's icon, for what waits for a person. */
  setBadge(badge: vscode.ViewBadge | undefined): void;
  /** Forgets what is loaded and shows it anew. @param forReal a person asked: not even the host's memory will do */
  reload(forReal?: boolean): void;
}

export interface ViewOptions {
  readonly id: ViewId;
  readonly link: HostLink;
  /** False before the workspace is initialised: the view is then empty and shows its welcome. */
  readonly isReady: () => boolean;
  readonly roots: () => Promise<readonly TreeNode[]>;
  /** Marks what is loaded as out of date. Asks nothing of the host: it is also called when there is none. */
  readonly invalidate: (forReal: boolean) => void;
  /** What a retry does besides asking again for what failed. */
  readonly retry?: () => void;
  /** Rows say how long ago something was. */
  readonly showsAges?: true;
}

export function openView({ id, link, isReady, roots, invalidate, retry, showsAges }: ViewOptions): View {
  const gatedRoots = async (): Promise<readonly TreeNode[]> => {
    if (!isReady()) return [];
    return instead(link) ?? roots();
  };
  const tree = new NodeTree(gatedRoots, retry ?? (() => undefined));
  const view = vscode.window.createTreeView(id, { treeDataProvider: tree, showCollapseAll: id !== "eda.runs" });
  const reload = (forReal = false) => {
    invalidate(forReal);
    tree.refresh();
  };
  const show = (state: LinkState) => {
    view.message = messageOf(state) ?? "";
    if (state.kind === "connected" || state.kind === "failed" || state.kind === "stopped") reload();
  };
  show(link.state);
  const redraw = setInterval(() => {
    if (showsAges && view.visible) tree.refresh();
  }, REDRAW_MS);
  const subscription = link.onState(show);
  return {
    tree,
    reload,
    setBadge: (badge) => {
      view.badge = badge;
    },
    dispose: () => {
      clearInterval(redraw);
      subscription.dispose();
      view.dispose();
      tree.dispose();
    },
  };
}

/** Asking a host that failed to start would start it again with every redraw: that takes a click. */
function instead(link: HostLink): TreeNode[] | undefined {
  const { state } = link;
  if (state.kind === "failed") return [new ErrorNode("host/error", state.error, () => void link.connect().catch(() => undefined))];
  if (state.kind !== "stopped") return undefined;
  const row = {
    label: l10n.t("The eda host of this workspace is not running."),
    description: l10n.t("Start it"),
    icon: { id: "debug-disconnect" },
    context: "stopped",
    command: { id: "eda.startHost", title: l10n.t("Start it") },
  } as const;
  return [new MessageNode("host/stopped", row)];
}

function messageOf(state: LinkState): string | undefined {
  if (state.kind === "connecting" && state.starting)
    return l10n.t("Starting the eda host of this workspace. The first start takes some seconds…");
  if (state.kind === "connected" && !state.ownBuild) {
    return l10n.t("A host of another version is busy with runs. Views are live; new runs wait until it is done.");
  }
  return undefined;
}
