/** *Inventories*: the five tables, their rows a page at a time, and everything registered of each row. */
import * as l10n from "@vscode/l10n";
import type { StoredInventoryRow } from "../../domain/inventory.ts";
import { printable } from "../../domain/printable.ts";
import { INVENTORIES, type InventoryId, type StageId, STAGES } from "../../domain/stage.ts";
import { ListRows } from "../../protocol/messages.ts";
import type { HostLink } from "../host/link.ts";
import type { PipelineModel } from "../pipeline-model.ts";
import { type Detail, detailRow, inventoryRow, registeredRow, rowDetails } from "../text/storage.ts";
import { emptyNode, type MessageNode, MoreNode } from "../tree/message-nodes.ts";
import { NodeSet, type Row, type TreeNode } from "../tree/node.ts";
import { PagedLoader } from "../tree/paged-loader.ts";
import { openView, type View } from "./view.ts";

export class DetailNode implements TreeNode {
  readonly id: string;
  readonly expansion = "none";
  readonly detail: Detail;

  constructor(id: string, detail: Detail) {
    this.id = id;
    this.detail = detail;
  }

  row(): Row {
    return detailRow(this.detail);
  }
}

/** One registered thing. */
export class RowNode implements TreeNode {
  readonly id: string;
  readonly expansion = "collapsed";
  registered: StoredInventoryRow;

  constructor(id: string, registered: StoredInventoryRow) {
    this.id = id;
    this.registered = registered;
  }

  row(): Row {
    return registeredRow(this.registered);
  }

  async children(): Promise<readonly TreeNode[]> {
    return rowDetails(this.registered).map((detail, index) => new DetailNode(`${this.id}#${index}`, detail));
  }
}

interface InventoryContext {
  readonly link: HostLink;
  readonly pageSize: () => number;
  readonly refresh: (node: TreeNode) => void;
}

/** The rows of one inventory and project. */
class RowList {
  readonly #id: string;
  readonly #inventory: InventoryId;
  readonly #loader: PagedLoader<StoredInventoryRow>;
  readonly #rows: NodeSet<StoredInventoryRow, RowNode>;
  readonly #more: MoreNode;
  readonly #search: () => string | undefined;

  constructor(inventory: InventoryId, project: string, owner: TreeNode, search: () => string | undefined, context: InventoryContext) {
    this.#id = `rows/${inventory}/${project}`;
    this.#inventory = inventory;
    this.#search = search;
    this.#loader = new PagedLoader((page) => {
      const text = search();
      return context.link.ask(ListRows, { inventory, project, ...page, ...(text === undefined ? {} : { search: text }) });
    }, context.pageSize);
    this.#rows = new NodeSet<StoredInventoryRow, RowNode>(
      ({ id }) => id,
      (row) => new RowNode(`${this.#id}/${row.id}`, row),
      (node, row) => {
        node.registered = row;
      },
    );
    this.#more = new MoreNode(`${this.#id}#more`, async () => {
      await this.#loader.loadMore();
      context.refresh(owner);
    });
  }

  async nodes(): Promise<readonly TreeNode[]> {
    const rows = this.#rows.reconcile(await this.#loader.items());
    if (rows.length === 0) return [this.#empty()];
    return this.#loader.hasMore ? [...rows, this.#more] : rows;
  }

  invalidate(): void {
    this.#loader.invalidate();
  }

  #empty(): MessageNode {
    if (this.#search() !== undefined) return emptyNode(`${this.#id}#empty`, l10n.t("No name contains this text."));
    const stage = stageThatFills(this.#inventory);
    return emptyNode(`${this.#id}#empty`, l10n.t("Nothing registered yet."), {
      id: `eda.run.${stage}`,
      title: l10n.t("Run the stage that fills it"),
    });
  }
}

class ProjectRowsNode implements TreeNode {
  readonly id: string;
  readonly expansion = "collapsed";
  readonly list: RowList;
  readonly #project: string;

  constructor(inventory: InventoryId, project: string, search: () => string | undefined, context: InventoryContext) {
    this.id = `inventory/${inventory}/${project}`;
    this.#project = project;
    this.list = new RowList(inventory, project, this, search, context);
  }

  row(): Row {
    return { label: printable(this.#project), icon: { id: "project" }, context: "rows" };
  }

  children(): Promise<readonly TreeNode[]> {
    return this.list.nodes();
  }
}

/** One inventory. With a single project its rows are directly below. */
export class InventoryNode implements TreeNode {
  readonly id: string;
  readonly expansion = "collapsed";
  readonly inventory: InventoryId;
  #search: string | undefined;
  readonly #projectNames: () => Promise<readonly string[]>;
  readonly #context: InventoryContext;
  readonly #projects: NodeSet<string, ProjectRowsNode>;

  constructor(inventory: InventoryId, projectNames: () => Promise<readonly string[]>, context: InventoryContext) {
    this.id = `inventory/${inventory}`;
    this.inventory = inventory;
    this.#projectNames = projectNames;
    this.#context = context;
    this.#projects = new NodeSet<string, ProjectRowsNode>(
      (project) => project,
      (project) => new ProjectRowsNode(inventory, project, () => this.#search, context),
      () => undefined,
    );
  }

  get search(): string | undefined {
    return this.#search;
  }

  /** Shows only rows whose name contains the text; undefined shows all. */
  set search(text: string | undefined) {
    this.#search = text;
    this.invalidate();
    this.#context.refresh(this);
  }

  row(): Row {
    return inventoryRow(this.inventory, this.#search);
  }

  async children(): Promise<readonly TreeNode[]> {
    const nodes = this.#projects.reconcile(await this.#projectNames());
    const [only] = nodes;
    if (only === undefined) return [emptyNode(`${this.id}#none`, l10n.t("There is no project yet."))];
    return nodes.length === 1 ? only.list.nodes() : nodes;
  }

  invalidate(): void {
    for (const project of this.#projects.values()) project.list.invalidate();
  }
}

export function openInventoriesView(link: HostLink, model: PipelineModel, pageSize: () => number, isReady: () => boolean): View {
  const context: InventoryContext = { link, pageSize, refresh: (node) => view.tree.refresh(node) };
  const projectNames = async () => (await model.projects()).map(({ project }) => project);
  const inventories = INVENTORIES.map((id) => new InventoryNode(id, projectNames, context));
  const view = openView({
    id: "eda.inventories",
    link,
    isReady,
    roots: async () => inventories,
    invalidate: () => {
      for (const inventory of inventories) inventory.invalidate();
    },
    retry: () => model.refresh(),
  });
  let known = "";
  const subscription = model.onChange(() => {
    const now = JSON.stringify(model.knownProjects.map(({ project }) => project));
    if (now !== known) view.tree.refresh();
    known = now;
  });
  return {
    ...view,
    dispose: () => {
      subscription.dispose();
      view.dispose();
    },
  };
}

function stageThatFills(inventory: InventoryId): StageId {
  return STAGES.find((stage) => stage.inventory === inventory)?.id ?? "ingest";
}
