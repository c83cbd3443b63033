/** *Buckets*: bucket, prefix, object, a page at a time. */
import * as l10n from "@vscode/l10n";
import { CancellationTokenSource } from "vscode-jsonrpc/node";
import { ListBuckets, ListObjects, ReadAhead } from "../../protocol/messages.ts";
import type { HostLink } from "../host/link.ts";
import { bucketRow } from "../text/storage.ts";
import { emptyNode } from "../tree/message-nodes.ts";
import { NodeSet } from "../tree/node.ts";
import { type ListingContext, ListingNode } from "./listing-node.ts";
import { openView, type View } from "./view.ts";

export function openBucketsView(link: HostLink, pageSize: () => number, isReady: () => boolean): View {
  let ahead = new CancellationTokenSource();
  const context: ListingContext = {
    list: (params) => link.ask(ListObjects, params),
    readAhead(bucket, prefix) {
      // Asking would start a host that was stopped meanwhile.
      if (link.state.kind !== "connected") return;
      // Nobody waits for it: what cannot be read is told to whoever opens it.
      link.ask(ReadAhead, { bucket, prefix, limit: pageSize() }, ahead.token).catch(() => undefined);
    },
    pageSize,
    refresh: (node) => view.tree.refresh(node),
  };
  const buckets = new NodeSet<string, ListingNode>(
    (bucket) => bucket,
    (bucket) => new ListingNode(bucket, "", bucketRow(bucket), context),
    () => undefined,
  );
  const stopReadingAhead = () => {
    ahead.cancel();
    ahead.dispose();
    ahead = new CancellationTokenSource();
  };
  const view = openView({
    id: "eda.buckets",
    link,
    isReady,
    roots: async () => {
      const names = await link.ask0(ListBuckets);
      const nodes = buckets.reconcile(names);
      for (const name of names) context.readAhead(name, "");
      return nodes.length > 0 ? nodes : [emptyNode("buckets/none", l10n.t("There are no buckets yet. The first run makes them."))];
    },
    invalidate: (forReal) => {
      stopReadingAhead();
      for (const bucket of buckets.values()) bucket.invalidate(forReal);
    },
  });
  const reads = link.onListingRead(({ bucket, prefix, changed }) => buckets.get(bucket)?.find(prefix)?.wasReadAgain(changed));
  return {
    ...view,
    dispose: () => {
      reads.dispose();
      stopReadingAhead();
      view.dispose();
    },
  };
}
