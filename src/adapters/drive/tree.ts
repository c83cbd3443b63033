/**
 * What lies below a folder, and the listing of it: a pure function, so that a tree brought up to date by changes gives the same listing as one
 * walked anew.
 */
import { printable } from "../../domain/printable.ts";
import type { DriveFile, DriveListing, DriveRefusal } from "../../ports/drive.ts";
import { type ExportChoice, exportFormat, isNative } from "./export-formats.ts";
import { compareText, type Item, isFolder, isShortcut, versionOf } from "./items.ts";

export interface Tree {
  readonly root: string;
  /** Everything seen, by id: what is below the root, and what its shortcuts lead to. */
  readonly items: ReadonlyMap<string, Item>;
  /** Ids of folders whose children are all among the items. */
  readonly folders: ReadonlySet<string>;
}

interface Place {
  readonly id: string;
  readonly segments: readonly string[];
}

/**
 * Real places come first, shortcuts after them: what has a place of its own in the tree is listed there and nowhere else, so that each id comes
 * once and loops end.
 */
export function listingOf(tree: Tree, choice: ExportChoice): DriveListing {
  const children = childrenByParent(tree);
  const files: DriveFile[] = [];
  const refused: DriveRefusal[] = [];
  const placed = new Map<string, string>([[tree.root, ""]]);
  let shortcuts: { readonly item: Item; readonly segments: readonly string[] }[] = [];

  const refuse = (segments: readonly string[], reason: string, fatal = false) => refused.push({ path: segments.join("/"), reason, fatal });

  function place(item: Item, segments: readonly string[]): Place | undefined {
    const path = segments.join("/");
    const former = placed.get(item.id);
    if (former !== undefined) {
      refuse(segments, `it leads to ${former === "" ? "the captured folder itself" : printable(former)}, which is listed there`);
      return undefined;
    }
    placed.set(item.id, path);
    if (isFolder(item)) return { id: item.id, segments };
    const file = fileOf(item, segments, choice);
    if ("reason" in file) refuse(segments, file.reason, file.fatal);
    else files.push(file);
    return undefined;
  }

  function descend(start: Place): void {
    const places = [start];
    for (const { id, segments } of places) {
      for (const item of children.get(id) ?? []) {
        const below = [...segments, item.name];
        if (isShortcut(item)) shortcuts.push({ item, segments: below });
        else places.push(...[place(item, below)].filter((found) => found !== undefined));
      }
    }
  }

  descend({ id: tree.root, segments: [] });
  while (shortcuts.length > 0) {
    const following = shortcuts.sort((a, b) => byPath(a.segments, b.segments) || compareText(a.item.id, b.item.id));
    shortcuts = [];
    for (const { item, segments } of following) {
      const target = tree.items.get(item.shortcutTo ?? "");
      if (target === undefined) refuse(segments, "the shortcut leads to something that is gone or not shared with the account");
      else if (target.trashed) refuse(segments, "the shortcut leads to something in the trash");
      else {
        const folder = place(target, segments);
        if (folder !== undefined) descend(folder);
      }
    }
  }
  return {
    files: files.sort((a, b) => byPath(a.segments, b.segments) || compareText(a.id, b.id)),
    refused: refused.sort((a, b) => compareText(a.path, b.path) || compareText(a.reason, b.reason)),
  };
}

function childrenByParent({ items, folders }: Tree): Map<string, Item[]> {
  const children = new Map<string, Item[]>();
  for (const item of items.values()) {
    if (item.trashed) continue;
    for (const parent of item.parents) {
      if (!folders.has(parent)) continue;
      const siblings = children.get(parent);
      if (siblings === undefined) children.set(parent, [item]);
      else siblings.push(item);
    }
  }
  for (const siblings of children.values()) siblings.sort((a, b) => compareText(a.name, b.name) || compareText(a.id, b.id));
  return children;
}

function byPath(a: readonly string[], b: readonly string[]): number {
  return compareText(a.join("/"), b.join("/"));
}

/** The file, or why there is none. */
function fileOf(item: Item, segments: readonly string[], choice: ExportChoice): DriveFile | Pick<DriveRefusal, "reason" | "fatal"> {
  const common = {
    id: item.id,
    version: versionOf(item),
    modifiedAt: item.modifiedAt,
    createdAt: item.createdAt,
    owner: item.owner,
  };
  if (!item.canDownload) return { reason: "its owner does not allow downloads: ask for it, or for the role of an editor", fatal: true };
  if (!isNative(item.mimeType)) {
    return { ...common, segments, size: item.size, mediaType: item.mimeType, md5: item.md5, sha256: item.sha256 };
  }
  const format = exportFormat(item.mimeType, choice);
  if (format === undefined) return { reason: `Google does not export what it is (${item.mimeType}): save it as a file`, fatal: false };
  const named = [...segments.slice(0, -1), `${segments.at(-1)}.${format.extension}`];
  return { ...common, segments: named, size: null, mediaType: format.mediaType, md5: null, sha256: null };
}
