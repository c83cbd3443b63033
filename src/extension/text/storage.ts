/** Buckets, objects and inventory rows as rows of a tree. */
import * as l10n from "@vscode/l10n";
import type { StoredInventoryRow } from "../../domain/inventory.ts";
import type { JsonObject } from "../../domain/json.ts";
import { printable } from "../../domain/printable.ts";
import { INVENTORY_TABLES, type InventoryId } from "../../domain/stage.ts";
import type { ObjectEntry } from "../../protocol/messages.ts";
import type { Icon, Row } from "../tree/node.ts";
import { bytes, count, dateTime, metric } from "./locale.ts";
import { inventoryName } from "./stages.ts";

export function bucketRow(bucket: string): Row {
  return { label: printable(bucket), icon: { id: "database" }, context: "bucket" };
}

/** @param parent prefix the entry is listed under: the label is what follows it */
export function objectRow(entry: ObjectEntry, parent: string): Row {
  const name = printable(entry.key.slice(parent.length).replace(/\/$/u, ""));
  if (entry.type === "prefix") return { label: name, icon: { id: "folder" }, context: "prefix" };
  const lines = [
    printable(entry.key),
    entry.size === null ? undefined : `${bytes(entry.size)} (${count(entry.size)} B)`,
    entry.mediaType === null ? undefined : printable(entry.mediaType),
    entry.storedAt === null ? undefined : l10n.t("Stored: {0}", dateTime(entry.storedAt)),
    entry.versionId === null ? undefined : l10n.t("Version: {0}", printable(entry.versionId)),
    entry.sha256 === null ? undefined : `sha256: ${entry.sha256}`,
  ];
  return {
    label: name,
    ...(entry.size === null ? {} : { description: bytes(entry.size) }),
    tooltip: lines.filter((line) => line !== undefined).join("\n"),
    icon: fileIcon(entry.key, entry.mediaType),
    context: entry.sha256 === null ? "object" : "object.hashed",
  };
}

/** A bucket or prefix whose entries are shown as they were, while the store is asked again. */
export function readAgainRow(row: Row, readAt: string): Row {
  const told = l10n.t("as of {0}, reading again…", dateTime(readAt));
  return { ...row, description: told, spoken: `${row.label}, ${told}`, icon: { id: "loading~spin" } };
}

export function inventoryRow(inventory: InventoryId, search: string | undefined): Row {
  return {
    label: inventoryName(inventory),
    description: search === undefined ? INVENTORY_TABLES[inventory] : l10n.t("containing “{0}”", printable(search)),
    icon: { id: search === undefined ? "table" : "filter-filled" },
    context: search === undefined ? "inventory" : "inventory.filtered",
  };
}

export function registeredRow(row: StoredInventoryRow): Row {
  const size = bytes(row.size);
  const parts = [
    row.rows === null ? undefined : l10n.t("{0} rows", count(row.rows)),
    size,
    row.aliasOf === null ? undefined : l10n.t("same as {0}", printable(row.aliasOf)),
  ];
  return {
    label: printable(row.name),
    description: parts.filter((part) => part !== undefined).join(" · "),
    icon: roleIcon(row),
    context: "row",
    tooltip: `${printable(row.bucket)}/${printable(row.key)}`,
  };
}

export interface Detail {
  readonly name: string;
  readonly value: string;
  /** What is copied, when it is not what is shown. */
  readonly copy?: string;
}

/** Everything registered of a row, as name and value; what is absent is left out. */
export function rowDetails(row: StoredInventoryRow): Detail[] {
  return [
    { name: l10n.t("object"), value: `${printable(row.bucket)}/${printable(row.key)}`, copy: `${row.bucket}/${row.key}` },
    { name: l10n.t("version"), value: printable(row.versionId), copy: row.versionId },
    { name: l10n.t("size"), value: `${bytes(row.size)} (${count(row.size)} B)`, copy: String(row.size) },
    ...(row.rows === null ? [] : [{ name: l10n.t("rows"), value: count(row.rows), copy: String(row.rows) }]),
    { name: l10n.t("type"), value: printable(row.mediaType) },
    { name: "sha256", value: row.sha256 },
    { name: "md5", value: row.md5 },
    ...(row.aliasOf === null ? [] : [{ name: l10n.t("same content as"), value: printable(row.aliasOf), copy: row.aliasOf }]),
    { name: l10n.t("registered"), value: dateTime(row.registeredAt), copy: row.registeredAt },
    { name: l10n.t("run"), value: row.run },
    { name: l10n.t("commit before"), value: row.commitBefore },
    ...flatten(row.details),
  ];
}

export function detailRow({ name, value }: Detail): Row {
  return { label: name, description: value, tooltip: `${name}: ${value}`, context: "detail" };
}

/** Most nested values shown of one row's details; the whole is in the inventory. */
const MAX_DETAILS = 60;

/** Scalars of a nested object as `path: value`; a long list as its length. */
export function flatten(details: JsonObject): Detail[] {
  const found: Detail[] = [];
  const visit = (value: unknown, path: string): void => {
    if (found.length >= MAX_DETAILS || value === undefined || value === null) return;
    if (Array.isArray(value)) {
      const short = value.length <= 8 && value.every((item) => typeof item !== "object");
      found.push({
        name: printable(path),
        value: short ? value.map((item) => printable(String(item))).join(", ") : l10n.t("{0} entries", count(value.length)),
      });
    } else if (typeof value === "object") {
      for (const [key, inner] of Object.entries(value)) visit(inner, path === "" ? key : `${path}.${key}`);
    } else {
      found.push({
        name: printable(path),
        value: typeof value === "number" ? metric(value) : printable(String(value)),
        copy: String(value),
      });
    }
  };
  visit(details, "");
  return found;
}

function roleIcon(row: StoredInventoryRow): Icon {
  if (row.aliasOf !== null) return { id: "link" };
  switch (row.role) {
    case "quarantine":
      return { id: "warning", color: "list.warningForeground" };
    case "model":
      return { id: "rocket" };
    default:
      return fileIcon(row.key, row.mediaType);
  }
}

function fileIcon(key: string, mediaType: string | null): Icon {
  if (key.endsWith(".parquet")) return { id: "table" };
  if (mediaType?.startsWith("image/") === true) return { id: "file-media" };
  if (mediaType?.includes("json") === true || key.endsWith(".json")) return { id: "json" };
  return { id: "file" };
}
