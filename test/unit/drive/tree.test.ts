import { describe, expect, it } from "vitest";
import { applyChanges } from "../../../src/adapters/drive/changes.ts";
import { DEFAULT_EXPORTS, FOLDER_TYPE, SHORTCUT_TYPE } from "../../../src/adapters/drive/export-formats.ts";
import type { Item } from "../../../src/adapters/drive/items.ts";
import { listingOf, type Tree } from "../../../src/adapters/drive/tree.ts";

const plain: Item = {
  id: "",
  name: "",
  mimeType: "text/csv",
  parents: [],
  driveId: null,
  trashed: false,
  size: 3,
  md5: null,
  sha256: null,
  headRevision: "r1",
  createdAt: "2026-01-01T00:00:00.000Z",
  modifiedAt: "2026-01-01T00:00:00.000Z",
  owner: "ana@example.com",
  shortcutTo: null,
  canDownload: true,
};
const file = (id: string, name: string, parent: string, more: Partial<Item> = {}): Item => ({
  ...plain,
  id,
  name,
  parents: [parent],
  ...more,
});
const folder = (id: string, name: string, parent: string): Item =>
  file(id, name, parent, { mimeType: FOLDER_TYPE, headRevision: null, size: null });
const shortcut = (id: string, name: string, parent: string, shortcutTo: string): Item =>
  file(id, name, parent, { mimeType: SHORTCUT_TYPE, shortcutTo });
const tree = (items: readonly Item[], folders: readonly string[] = []): Tree => ({
  root: "root",
  items: new Map(items.map((item) => [item.id, item])),
  folders: new Set(["root", ...folders]),
});
const paths = (listed: Tree) => listingOf(listed, DEFAULT_EXPORTS).files.map(({ segments, id }) => `${segments.join("/")}=${id}`);
const refusals = (listed: Tree) => listingOf(listed, DEFAULT_EXPORTS).refused;

describe("a listing", () => {
  it("keeps files of one name in one folder apart by their ids", () => {
    expect(paths(tree([file("b", "a.csv", "root"), file("a", "a.csv", "root")]))).toEqual(["a.csv=a", "a.csv=b"]);
  });

  it("joins folders of one name", () => {
    const listed = tree([folder("d1", "d", "root"), folder("d2", "d", "root"), file("x", "x", "d1"), file("y", "y", "d2")], ["d1", "d2"]);
    expect(paths(listed)).toEqual(["d/x=x", "d/y=y"]);
  });

  it("leaves out what is in the trash", () => {
    expect(paths(tree([file("a", "a", "root", { trashed: true })]))).toEqual([]);
  });

  it("follows shortcuts to files and folders elsewhere, under the shortcut's name", () => {
    const listed = tree(
      [
        shortcut("s1", "to file", "root", "f"),
        shortcut("s2", "to folder", "root", "d"),
        file("f", "f", "far"),
        folder("d", "d", "far"),
        file("x", "x", "d"),
      ],
      ["d"],
    );
    expect(paths(listed)).toEqual(["to file=f", "to folder/x=x"]);
    expect(refusals(listed)).toEqual([]);
  });

  it("lists what has a place of its own there, and says so of the shortcuts to it", () => {
    const listed = tree([shortcut("s", "a shortcut", "root", "x"), folder("d", "z", "root"), file("x", "x", "d")], ["d"]);
    expect(paths(listed)).toEqual(["z/x=x"]);
    expect(refusals(listed)).toEqual([{ path: "a shortcut", reason: expect.stringContaining("z/x"), fatal: false }]);
  });

  it("cuts loops", () => {
    const listed = tree(
      [folder("root", "dados", "above"), folder("d", "d", "root"), shortcut("up", "up", "d", "root"), shortcut("self", "self", "d", "d")],
      ["d"],
    );
    expect(paths(listed)).toEqual([]);
    expect(refusals(listed)).toEqual([
      { path: "d/self", reason: expect.stringContaining("d, which"), fatal: false },
      { path: "d/up", reason: expect.stringContaining("the captured folder itself"), fatal: false },
    ]);
  });

  it("refuses broken shortcuts, files that may not be downloaded, and what Google does not export", () => {
    const listed = tree([
      shortcut("s1", "broken", "root", "gone"),
      shortcut("s2", "trashed", "root", "t"),
      file("t", "t", "far", { trashed: true }),
      file("closed", "closed", "root", { canDownload: false }),
      file("form", "form", "root", { mimeType: "application/vnd.google-apps.form" }),
    ]);
    expect(refusals(listed)).toEqual([
      { path: "broken", reason: expect.stringContaining("gone or not shared"), fatal: false },
      { path: "closed", reason: expect.stringContaining("downloads"), fatal: true },
      { path: "form", reason: expect.stringContaining("not export"), fatal: false },
      { path: "trashed", reason: expect.stringContaining("trash"), fatal: false },
    ]);
  });

  it("names documents of Google's editors by what they are exported to, of unknown size", () => {
    const sheet = file("s", "vendas 2024", "root", { mimeType: "application/vnd.google-apps.spreadsheet", size: null, headRevision: null });
    const [csv] = listingOf(tree([sheet]), DEFAULT_EXPORTS).files;
    expect(csv).toMatchObject({ segments: ["vendas 2024.csv"], size: null, mediaType: "text/csv", version: sheet.modifiedAt });
    const [xlsx] = listingOf(tree([sheet]), { ...DEFAULT_EXPORTS, sheets: "xlsx" }).files;
    expect(xlsx?.segments).toEqual(["vendas 2024.xlsx"]);
  });

  it("leaves unsafe names as Drive holds them", () => {
    const names = ["../../x", "/etc/x", "a\0b", "\u202Excod.exe"];
    const listed = tree(names.map((name, index) => file(String(index), name, "root")));
    expect(
      listingOf(listed, DEFAULT_EXPORTS)
        .files.map(({ segments }) => segments[0])
        .sort(),
    ).toEqual([...names].sort());
  });
});

describe("changes applied to a tree", () => {
  const before = tree([folder("d", "d", "root"), file("x", "x", "d"), shortcut("s", "s", "root", "far")], ["d"]);

  it("leave it as it is when they are of something else", () => {
    const after = applyChanges(
      before,
      ["root"],
      [
        { id: "other", item: file("other", "other", "elsewhere") },
        { id: "gone", item: null },
      ],
    );
    expect(after?.items).toEqual(before.items);
  });

  it("add, change, move away and remove files", () => {
    const added = applyChanges(before, ["root"], [{ id: "y", item: file("y", "y", "root") }]);
    expect(paths(added as Tree)).toEqual(["d/x=x", "y=y"]);
    const changed = applyChanges(before, ["root"], [{ id: "x", item: file("x", "renamed", "d", { headRevision: "r2" }) }]);
    expect(listingOf(changed as Tree, DEFAULT_EXPORTS).files).toMatchObject([{ segments: ["d", "renamed"], version: "r2" }]);
    for (const item of [null, file("x", "x", "elsewhere"), file("x", "x", "d", { trashed: true })]) {
      expect(paths(applyChanges(before, ["root"], [{ id: "x", item }]) as Tree)).toEqual([]);
    }
  });

  it("leave a folder be whose times alone changed", () => {
    const touched = { ...folder("d", "d", "root"), modifiedAt: "2026-02-02T00:00:00.000Z" };
    expect(applyChanges(before, ["root"], [{ id: "d", item: touched }])?.items).toEqual(before.items);
  });

  it.each<[string, string, Item | null]>([
    ["a folder is renamed", "d", folder("d", "other", "root")],
    ["a folder is gone", "d", null],
    ["a new folder appears", "e", folder("e", "e", "d")],
    ["a new shortcut appears", "t", shortcut("t", "t", "d", "x")],
    ["a shortcut leads elsewhere", "s", shortcut("s", "s", "root", "near")],
    ["a shortcut's target appears", "far", file("far", "far", "elsewhere")],
    ["the folder itself changes", "root", folder("root", "root", "above")],
    ["another folder appears beside it", "twin", folder("twin", "root", "above")],
  ])("are not enough when %s", (_, id, item) => {
    expect(applyChanges(before, ["above", "root"], [{ id, item }])).toBeUndefined();
  });
});
