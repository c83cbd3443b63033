/** `files.list`. */
import { roleOf, rootOf } from "./access.ts";
import type { Call } from "./call.ts";
import { ApiError, fileNotFound, notImplemented } from "./errors.ts";
import { parseFields } from "./fields.ts";
import { type Answer, json } from "./http.ts";
import { FOLDER, type Item } from "./items.ts";
import { invalidParameter, type Parameters } from "./parameters.ts";
import { matches, namedParents } from "./query-match.ts";
import { parseQuery } from "./query-parser.ts";
import { fileResource } from "./resources.ts";
import { SHAPES } from "./shapes.ts";
import type { DriveStore } from "./store.ts";

type Order = (one: Item, other: Item) => number;

export function listFiles(call: Call): Answer {
  const { parameters, store, view } = call;
  const project = parseFields(parameters.text("fields"), SHAPES.fileList);
  const { ids, nextPageToken } = call.pages.page(parameters, () => findFiles(call), { absent: 100, most: 1000 });
  const files = ids.flatMap((id) => {
    const item = store.listedItem(id);
    return item === undefined ? [] : [fileResource(item, view)];
  });
  return json(
    project({ kind: "drive#fileList", incompleteSearch: false, files, ...(nextPageToken === undefined ? {} : { nextPageToken }) }),
  );
}

function findFiles({ parameters, store, email }: Call): string[] {
  const inScope = scopeOf(parameters, store);
  const text = parameters.text("q");
  const query = text === undefined || text === "" ? undefined : parseQuery(text);
  const from = { store, email, rootId: rootOf(store, email) };
  for (const id of query === undefined ? [] : namedParents(query)) {
    const parent = store.get(id === "root" ? from.rootId : id);
    // Drive answers exactly this, without the id.
    if (parent === undefined || roleOf(store, parent, email) === undefined) throw fileNotFound("");
  }
  return [...store.listed()]
    .filter((item) => !isRoot(item) && inScope(item) && (query === undefined || matches(query, item, from)))
    .filter((item) => roleOf(store, item, email) !== undefined)
    .sort(orderOf(parameters.text("orderBy")))
    .map(({ id }) => id);
}

/** Which drives take part. https://developers.google.com/workspace/drive/api/guides/enable-shareddrives */
function scopeOf(parameters: Parameters, store: DriveStore): (item: Item) => boolean {
  if (parameters.choice("spaces", ["drive", "appDataFolder", "photos"], "drive") !== "drive")
    throw notImplemented("spaces other than drive");
  const corpora = parameters.choice("corpora", ["user", "domain", "drive", "allDrives"], "user");
  const driveId = parameters.text("driveId");
  const all = parameters.flag("includeItemsFromAllDrives");
  if (corpora === "domain") throw notImplemented("corpora=domain");
  if ((corpora === "drive" || corpora === "allDrives" || driveId !== undefined) && !all) throw new ApiError("teamDrivesInclusionRequired");
  if (all && !parameters.flag("supportsAllDrives")) {
    throw invalidParameter(
      "supportsAllDrives",
      "The supportsAllDrives parameter must be set to true when includeItemsFromAllDrives is true.",
    );
  }
  if ((corpora === "drive") !== (driveId !== undefined)) throw new ApiError("teamDriveIdRequiresTeamDriveCorpora");
  if (driveId !== undefined && !store.drives.has(driveId))
    throw new ApiError("notFound", { message: `Shared drive not found: ${driveId}` });
  return (item) => (driveId === undefined ? all || item.driveId === null : item.driveId === driveId);
}

const isRoot = (item: Item): boolean =>
  item.parent === null && item.mimeType === FOLDER && (item.id === item.driveId || item.name === "My Drive");

/** Without an order Drive promises none; here it is that of the random ids. */
function orderOf(text: string | undefined): Order {
  const orders = text === undefined || text === "" ? [] : text.split(",").map((key) => orderBy(key.trim()));
  return (one, other) => orders.reduce((found, order) => found || order(one, other), 0) || compare(one.id, other.id);
}

function orderBy(key: string): Order {
  const [, name = "", descending] = /^(\w+)(\s+desc)?$/.exec(key) ?? [];
  const order = ORDERS[name];
  if (order === undefined) throw invalidParameter("orderBy");
  return descending === undefined ? order : (one, other) => order(other, one);
}

const ORDERS: Readonly<Record<string, Order>> = {
  createdTime: (one, other) => one.createdAt - other.createdAt,
  folder: (one, other) => Number(other.mimeType === FOLDER) - Number(one.mimeType === FOLDER),
  modifiedTime: (one, other) => one.modifiedAt - other.modifiedAt,
  name: (one, other) => compare(one.name, other.name),
  name_natural: (one, other) => one.name.localeCompare(other.name, "en", { numeric: true }),
  quotaBytesUsed: (one, other) => (one.content?.bytes.length ?? 0) - (other.content?.bytes.length ?? 0),
};

const compare = (one: string, other: string): number => (one < other ? -1 : Number(one > other));
