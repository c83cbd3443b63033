/** What a tree view shows, without the editor's classes: rows are data that tests compare, nodes keep their identity between refreshes. */
import type { CommandId } from "../contributions.ts";

export interface Icon {
  /** A codicon. */
  readonly id: string;
  /** A theme colour, such as `testing.iconPassed`. */
  readonly color?: string;
}

/** One line of a tree. Every text is plain: no Markdown, no icons inside. */
export interface Row {
  readonly label: string;
  readonly description?: string;
  /** Lines, shown when the pointer rests on the row. */
  readonly tooltip?: string;
  readonly icon?: Icon;
  /** What `when` clauses of menus see as `viewItem`. */
  readonly context?: string;
  /** What a screen reader says instead of label and description. */
  readonly spoken?: string;
  /** Run on a click, with the node as its argument. */
  readonly command?: { readonly id: CommandId; readonly title: string };
}

export type Expansion = "none" | "collapsed" | "expanded";

/** The editor compares nodes by reference, and remembers what is open by id: both must survive a refresh. */
export interface TreeNode {
  /** Unique in its view. */
  readonly id: string;
  readonly expansion: Expansion;
  row(): Row;
  children?(): Promise<readonly TreeNode[]>;
}

/** Keeps one node a key: makes it when it is new, updates it when it is known, forgets it when it is gone. */
export class NodeSet<Item, Node> {
  readonly #nodes = new Map<string, Node>();
  readonly #keyOf: (item: Item) => string;
  readonly #make: (item: Item) => Node;
  readonly #update: (node: Node, item: Item) => void;

  constructor(keyOf: (item: Item) => string, make: (item: Item) => Node, update: (node: Node, item: Item) => void) {
    this.#keyOf = keyOf;
    this.#make = make;
    this.#update = update;
  }

  /** The nodes of these items, in their order. An item whose key came before is left out: an id may be shown once. */
  reconcile(items: readonly Item[]): Node[] {
    const current = new Map<string, Node>();
    for (const item of items) {
      const key = this.#keyOf(item);
      if (current.has(key)) continue;
      const known = this.#nodes.get(key);
      if (known !== undefined) this.#update(known, item);
      current.set(key, known ?? this.#make(item));
    }
    this.#nodes.clear();
    for (const [key, node] of current) this.#nodes.set(key, node);
    return [...current.values()];
  }

  get(key: string): Node | undefined {
    return this.#nodes.get(key);
  }

  values(): Iterable<Node> {
    return this.#nodes.values();
  }
}
