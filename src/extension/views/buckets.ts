/** *Buckets*: bucket, prefix, object, a page at a time. */
import * as l10n from "@vscode/l10n";
import { ListBuckets, ListObjects, type ObjectEntry } from "../../protocol/messages.ts";
import type { HostLink } from "../host/link.ts";
import { bucketRow, objectRow } from "../text/storage.ts";
import { emptyNode, MoreNode } from "../tree/message-nodes.ts";
import { NodeSet, type Row, type TreeNode } from "../tree/node.ts";
import { PagedLoader } from "../tree/paged-loader.ts";
import { openView, type View } from "./view.ts";

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

interface ListingContext {
  readonly link: HostLink;
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
  readonly #row: Row;
  readonly #loader: PagedLoader<ObjectEntry>;
  readonly #entries: NodeSet<ObjectEntry, ObjectNode | ListingNode>;
  readonly #more: MoreNode;

  constructor(bucket: string, prefix: string, row: Row, context: ListingContext) {
    this.id = `listing/${bucket}/${prefix}`;
    this.bucket = bucket;
    this.prefix = prefix;
    this.#row = row;
    this.#loader = new PagedLoader((page) => context.link.ask(ListObjects, { bucket, prefix, ...page }), context.pageSize);
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
    return this.#row;
  }

  async children(): Promise<readonly TreeNode[]> {
    const entries = this.#entries.reconcile(await this.#loader.items());
    if (entries.length === 0) return [emptyNode(`${this.id}#empty`, l10n.t("Empty"))];
    return this.#loader.hasMore ? [...entries, this.#more] : entries;
  }

  invalidate(): void {
    this.#loader.invalidate();
    for (const node of this.#entries.values()) {
      if (node instanceof ListingNode) node.invalidate();
    }
  }
}

export function openBucketsView(link: HostLink, pageSize: () => number, isReady: () => boolean): View {
  const context: ListingContext = { link, pageSize, refresh: (node) => view.tree.refresh(node) };
  const buckets = new NodeSet<string, ListingNode>(
    (bucket) => bucket,
    (bucket) => new ListingNode(bucket, "", bucketRow(bucket), context),
    () => undefined,
  );
  const view = openView({
    id: "eda.buckets",
    link,
    isReady,
    roots: async () => {
      const nodes = buckets.reconcile(await link.ask0(ListBuckets));
      return nodes.length > 0 ? nodes : [emptyNode("buckets/none", l10n.t("There are no buckets yet. The first run makes them."))];
    },
    invalidate: () => {
      for (const bucket of buckets.values()) bucket.invalidate();
    },
  });
  return view;
}
