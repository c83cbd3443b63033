/** Whether an item is what a parsed `q` asks for, in the eyes of one account. */
import { atLeast, isTrashed, roleOf } from "./access.ts";
import type { Item } from "./items.ts";
import type { Comparison, Query } from "./query-parser.ts";
import type { DriveStore } from "./store.ts";

export interface Viewpoint {
  readonly store: DriveStore;
  readonly email: string;
  /** Folder that `'root' in parents` means. */
  readonly rootId: string;
}

export function matches(query: Query, item: Item, from: Viewpoint): boolean {
  switch (query.kind) {
    case "and":
      return matches(query.left, item, from) && matches(query.right, item, from);
    case "or":
      return matches(query.left, item, from) || matches(query.right, item, from);
    case "not":
      return !matches(query.query, item, from);
    case "in":
      return isIn(query, item, from);
    case "text":
      return comparesText(query, item);
    case "time":
      return compares(query.field === "modifiedTime" ? item.modifiedAt : item.createdAt, query.comparison, query.value);
    case "flag":
      return query.equal === (query.field === "trashed" ? isTrashed(from.store, item) : isSharedWith(item, from.email));
    case "has":
      return item[query.field][query.key] === query.value;
  }
}

/** Folders that the query names as parents: they must exist. */
export function* namedParents(query: Query): Generator<string> {
  if (query.kind === "in" && query.collection === "parents") yield query.value;
  if (query.kind === "not") yield* namedParents(query.query);
  if (query.kind === "and" || query.kind === "or") {
    yield* namedParents(query.left);
    yield* namedParents(query.right);
  }
}

function isIn({ value, collection }: Extract<Query, { kind: "in" }>, item: Item, { store, email, rootId }: Viewpoint): boolean {
  const address = value === "me" ? email : value;
  switch (collection) {
    case "parents":
      return item.parent === (value === "root" ? rootId : value);
    case "owners":
      return item.owner === address;
    case "writers":
      return atLeast(roleOf(store, item, address), "writer");
    case "readers":
      return roleOf(store, item, address) !== undefined;
  }
}

function comparesText({ field, comparison, value }: Extract<Query, { kind: "text" }>, item: Item): boolean {
  const actual = field === "shortcutDetails.targetId" ? item.shortcutTo : item[field];
  if (comparison !== "contains") return compares(actual, comparison, value);
  // Drive matches names by the prefixes of their words, and media types by their own prefix.
  if (field === "mimeType") return item.mimeType.startsWith(value);
  const sought = value.toLowerCase();
  const name = item.name.toLowerCase();
  return name.startsWith(sought) || name.split(/[^\p{L}\p{N}]+/u).some((word) => word.startsWith(sought));
}

function compares<Value extends string | number | null>(actual: Value, comparison: Comparison, value: NonNullable<Value>): boolean {
  switch (comparison) {
    case "=":
      return actual === value;
    case "!=":
      return actual !== value;
    default:
      if (actual === null) return false;
      return { "<": actual < value, "<=": actual <= value, ">": actual > value, ">=": actual >= value, contains: false }[comparison];
  }
}

function isSharedWith(item: Item, email: string): boolean {
  return item.owner !== email && item.grants.some(({ to }) => to === email);
}
