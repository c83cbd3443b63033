/** Commands on objects and inventory rows. */
import * as l10n from "@vscode/l10n";
import * as vscode from "vscode";
import { Lineage } from "../../protocol/messages.ts";
import { lineageReport } from "../text/reports.ts";
import { ErrorNode, MoreNode } from "../tree/message-nodes.ts";
import { ListingNode, ObjectNode } from "../views/listing-node.ts";
import { DetailNode, InventoryNode, RowNode } from "../views/inventories.ts";
import type { Handlers } from "./handlers.ts";
import { pickAsset } from "./pick.ts";

/** `bucket/key` of a row that stands for an object, or for a prefix of objects; a page hands it over as it is. */
function keyOf(argument: unknown): string | undefined {
  if (typeof argument === "string") return argument;
  if (argument instanceof ObjectNode) return `${argument.bucket}/${argument.entry.key}`;
  if (argument instanceof ListingNode) return `${argument.bucket}/${argument.prefix}`;
  if (argument instanceof RowNode) return `${argument.registered.bucket}/${argument.registered.key}`;
  return undefined;
}

function sha256Of(argument: unknown): string | undefined {
  if (argument instanceof ObjectNode) return argument.entry.sha256 ?? undefined;
  return argument instanceof RowNode ? argument.registered.sha256 : undefined;
}

async function copy(text: string | undefined): Promise<void> {
  if (text === undefined) return;
  await vscode.env.clipboard.writeText(text);
  vscode.window.setStatusBarMessage(l10n.t("Copied"), 2_000);
}

export const assetCommands = {
  "eda.copyKey": (_, argument) => copy(keyOf(argument)),
  "eda.copySha256": (_, argument) => copy(sha256Of(argument)),
  "eda.copyValue": (_, argument) => (argument instanceof DetailNode ? copy(argument.detail.copy ?? argument.detail.value) : undefined),
  "eda.loadMore": (_, argument) => (argument instanceof MoreNode ? argument.load() : undefined),
  "eda.retry": (_, argument) => (argument instanceof ErrorNode ? argument.retry() : undefined),
  "eda.searchRows": async (_, argument) => {
    if (!(argument instanceof InventoryNode)) return;
    const text = await vscode.window.showInputBox({ prompt: l10n.t("Show only rows whose name contains"), value: argument.search ?? "" });
    if (text !== undefined) argument.search = text.trim() === "" ? undefined : text.trim();
  },
  "eda.clearSearch": (_, argument) => {
    if (argument instanceof InventoryNode) argument.search = undefined;
  },
  "eda.showLineage": async (session, argument) => {
    const asset = keyOf(argument) ?? (await pickAsset(session));
    if (asset === undefined || asset === "") return;
    // Asked before it is shown: a mistyped name is a message, not an empty document.
    const graph = await session.link.ask(Lineage, { asset });
    let first: typeof graph | undefined = graph;
    await session.documents.show(`lineage/${asset.replaceAll("/", "∕")}.txt`, async () => {
      const current = first ?? (await session.link.ask(Lineage, { asset }));
      first = undefined;
      return lineageReport(current);
    });
  },
} satisfies Partial<Handlers>;
