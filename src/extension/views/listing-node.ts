/** Nodes of the *Buckets* view. */
import * as l10n from "@vscode/l10n";
import type { ListedObjects, ListObjectsParams, ObjectEntry } from "../../protocol/messages.ts";
import { objectRow, readAgainRow } from "../text/storage.ts";
import { emptyNode, MoreNode } from "../tree/message-nodes.ts";
import { NodeSet, type Row, type TreeNode } from "../tree/node.ts";
import { PagedLoader } from "../tree/paged-loader.ts";

export class ObjectNode implements TreeNode {
  readonly id: string;
  readonly expansion = "none";
  readonly bucket: string;
  entry: ObjectEntry;
  readonly #parent: string;

  constructor(bucket: string, entry: ObjectEntry, parent: string) {
    this.id = `object/${bucket}/${entry.key}`;
    this.bucket = bucket;
    this.entry = entry;
    this.#parent = parent;
  }

  row(): Row {
    return objectRow(this.entry, this.#parent);
  }
}

export interface ListingContext {
  readonly list: (params: ListObjectsParams) => Promise<ListedObjects>;
  /** The folders of a prefix may be opened next. */
  readonly readAhead: (bucket: string, prefix: string) => void;
  readonly pageSize: () => number;
  readonly refresh: (node: TreeNode) => void;
}

/** A bucket, or a prefix in one: what lists objects. */
export class ListingNode implements TreeNode {
  readonly id: string;
  readonly expansion = "collapsed";
  readonly bucket: string;
  /** "" for the whole bucket. */
  readonly prefix: string;
  readonly #context: ListingContext;
  readonly #row: Row;
  readonly #loader: PagedLoader<ObjectEntry>;
  readonly #entries: NodeSet<ObjectEntry, ObjectNode | ListingNode>;
  readonly #more: MoreNode;
  /** When what is shown was read, while it is being read again. */
  #readAt: string | undefined;
  /** The next first page comes from the store itself. */
  #forReal = false;

  constructor(bucket: string, prefix: string, row: Row, context: ListingContext) {
    this.id = `listing/${bucket}/${prefix}`;
    this.bucket = bucket;
    this.prefix = prefix;
    this.#context = context;
    this.#row = row;
    this.#loader = new PagedLoader((page) => this.#fetch(page), context.pageSize);
    this.#entries = new NodeSet<ObjectEntry, ObjectNode | ListingNode>(
      ({ type, key }) => `${type}/${key}`,
      (entry) =>
        entry.type === "prefix"
          ? new ListingNode(bucket, entry.key, objectRow(entry, prefix), context)
          : new ObjectNode(bucket, entry, prefix),
      (node, entry) => {
        if (node instanceof ObjectNode) node.entry = entry;
      },
    );
    this.#more = new MoreNode(`${this.id}#more`, async () => {
      await this.#loader.loadMore();
      context.refresh(this);
    });
  }

  row(): Row {
    return this.#readAt === undefined ? this.#row : readAgainRow(this.#row, this.#readAt);
  }

  async children(): Promise<readonly TreeNode[]> {
    const entries = this.#entries.reconcile(await this.#loader.items());
    if (entries.length === 0) return [emptyNode(`${this.id}#empty`, l10n.t("Empty"))];
    return this.#loader.hasMore ? [...entries, this.#more] : entries;
  }

  /** @param forReal not even the host's memory will do */
  invalidate(forReal: boolean): void {
    this.#loader.invalidate();
    this.#readAt = undefined;
    this.#forReal ||= forReal;
    for (const node of this.#entries.values()) {
      if (node instanceof ListingNode) node.invalidate(forReal);
    }
  }

  /** The node of a prefix, when it has been shown. */
  find(prefix: string): ListingNode | undefined {
    if (prefix === this.prefix) return this;
    for (const node of this.#entries.values()) {
      if (node instanceof ListingNode && prefix.startsWith(node.prefix)) return node.find(prefix);
    }
    return undefined;
  }

  /** The host has compared its memory with the store. */
  wasReadAgain(changed: boolean): void {
    if (changed) this.#loader.invalidate();
    if (this.#readAt === undefined && !changed) return;
    this.#readAt = undefined;
    this.#context.refresh(this);
  }

  async #fetch(page: { readonly limit: number; readonly cursor?: string }): Promise<ListedObjects> {
    const { bucket, prefix } = this;
    const { list, readAhead, refresh } = this.#context;
    if (page.cursor !== undefined) return list({ bucket, prefix, ...page });
    const listed = await list({ bucket, prefix, ...page, firstPage: this.#forReal ? "anew" : "remembered" });
    this.#forReal = false;
    if (listed.isBeingRead) {
      this.#readAt = listed.readAt;
      refresh(this);
    }
    if (listed.items.some(({ type }) => type === "prefix")) readAhead(bucket, prefix);
    return listed;
  }
}
