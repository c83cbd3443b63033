/** From what a project file says to the folder's id. */
import type { drive_v3 } from "@googleapis/drive";
import { EdaError } from "../../domain/errors.ts";
import { printable } from "../../domain/printable.ts";
import { parseFolderAddress } from "./folder-address.ts";
import { childrenNamed, findItem, type Item, isFolder, isShortcut, queryItems, quoted } from "./items.ts";
import type { Wire } from "./wire.ts";

export interface ResolvedFolder {
  readonly id: string;
  /** The shared drive it lives in. */
  readonly driveId: string | null;
  /** Ids that its address leads over, its own last: a change of one of them may make the address lead elsewhere. */
  readonly way: readonly string[];
}

/** @throws EdaError `terminal` `drive-folder-not-found`, `drive-folder-ambiguous` */
export async function resolveFolder(wire: Wire, folder: string, signal: AbortSignal): Promise<ResolvedFolder> {
  const address = parseFolderAddress(folder);
  const search: Search = { wire, folder, signal };
  switch (address.kind) {
    case "invalid":
      throw notFound(search, address.problem);
    case "id":
      return await fromItem(search, await lookUp(search, address.id), []);
    case "id-or-name": {
      const item = await lookUp(search, address.text);
      if (item !== undefined) return fromItem(search, item, []);
      return fromPath(search, null, [address.text], "is not there, or not shared with");
    }
    case "path":
      return fromPath(search, address.drive, address.names, "is not there, or not shared with");
  }
}

interface Search {
  readonly wire: Wire;
  readonly folder: string;
  readonly signal: AbortSignal;
}

function lookUp({ wire, folder, signal }: Search, id: string): Promise<Item | undefined> {
  return findItem(wire, id, subjectOf(folder), signal);
}

async function fromPath(search: Search, drive: string | null, names: readonly string[], absent: string): Promise<ResolvedFolder> {
  const { wire, signal } = search;
  let item = drive === null ? await lookUp(search, "root") : await sharedDrive(search, drive);
  const way: string[] = [];
  for (const [index, name] of names.entries()) {
    if (item === undefined) break;
    way.push(item.id);
    let found: Item[] = (await childrenNamed(wire, item, name, signal)).filter(leadsToFolder);
    if (found.length === 0 && index === 0 && drive === null) found = await sharedWithMe(search, name);
    if (found.length > 1) throw ambiguous(search, names.slice(0, index + 1).join("/"), found);
    const [next] = found;
    if (next !== undefined && isShortcut(next)) way.push(next.id);
    item = next !== undefined && isShortcut(next) ? await lookUp(search, next.shortcutTo ?? "") : next;
  }
  if (item === undefined) throw notFound(search, absent);
  return fromItem(search, item, way);
}

/** A folder that others own is not in the account's My Drive until it is added there. */
async function sharedWithMe({ wire, folder, signal }: Search, name: string): Promise<Item[]> {
  const where = `sharedWithMe = true and name = ${quoted(name)}`;
  const items = await queryItems(wire, { where, driveId: null, subject: subjectOf(folder) }, signal);
  return items.filter((item) => item.name === name && leadsToFolder(item));
}

async function sharedDrive(search: Search, name: string): Promise<Item | undefined> {
  const { wire, folder, signal } = search;
  const found: drive_v3.Schema$Drive[] = [];
  let pageToken: string | undefined;
  do {
    const page: drive_v3.Schema$DriveList = await wire.call(subjectOf(folder), signal, (api, options) =>
      api.drives.list(
        { pageSize: 100, fields: "nextPageToken,drives(id,name)", ...(pageToken === undefined ? {} : { pageToken }) },
        options,
      ),
    );
    found.push(...(page.drives ?? []).filter((drive) => drive.name === name || drive.id === name));
    pageToken = page.nextPageToken ?? undefined;
  } while (pageToken !== undefined);
  if (found.length > 1) throw ambiguous(search, name, found);
  const id = found[0]?.id;
  return id == null ? undefined : lookUp(search, id);
}

async function fromItem(search: Search, item: Item | undefined, way: readonly string[]): Promise<ResolvedFolder> {
  if (item === undefined) throw notFound(search, "is not there, or not shared with");
  if (item.trashed) throw notFound(search, "is in the trash");
  if (isShortcut(item)) return fromItem(search, await lookUp(search, item.shortcutTo ?? ""), [...way, item.id]);
  if (!isFolder(item)) throw notFound(search, "is a file, not a folder");
  return { id: item.id, driveId: item.driveId, way: [...way, item.id] };
}

/** Folders, and shortcuts: to what is known once they are followed. */
function leadsToFolder(item: Item): boolean {
  return isFolder(item) || isShortcut(item);
}

export function subjectOf(folder: string): string {
  return `the folder ${printable(folder)}`;
}

function notFound({ wire, folder }: Search, problem: string): EdaError {
  const { name } = wire.account();
  const message = `The Drive folder ${printable(folder)} ${problem}${problem.endsWith(" with") ? ` ${name}` : ""}.`;
  return new EdaError("terminal", "drive-folder-not-found", message, {
    todo: `Correct drive.folder in the project file (an id, a link, /My folder or drive:Shared drive/folder), or share the folder with ${name}.`,
  });
}

function ambiguous({ folder }: Search, name: string, found: readonly { readonly id?: string | null }[]): EdaError {
  return new EdaError("terminal", "drive-folder-ambiguous", `Drive holds ${found.length} folders "${printable(name)}".`, {
    todo: `Write the id of the right one in the place of ${printable(folder)}.`,
    findings: found.map(({ id }) => ({ message: `id ${id} · https://drive.google.com/drive/folders/${id}` })),
  });
}
