/** The folders on the way to an uploaded file: made when they are missing, each once. */
import pLimit from "p-limit";
import { FOLDER_TYPE } from "./export-formats.ts";
import { DriveFailure } from "./failures.ts";
import type { ResolvedFolder } from "./folders.ts";
import { childrenNamed, findItem, type Item, isFolder, ITEM_FIELDS, itemOf } from "./items.ts";
import { printable } from "../../domain/printable.ts";
import type { Wire } from "./wire.ts";

export type ParentFolder = Pick<ResolvedFolder, "id" | "driveId">;

export interface ParentFolders {
  /** The folder that the names lead to below the root. */
  ensure(root: ParentFolder, names: readonly string[], signal: AbortSignal): Promise<ParentFolder>;
}

export function openParentFolders(wire: Wire): ParentFolders {
  /** Two uploads that both miss a folder must not both make it. */
  const oneAtATime = pLimit(1);
  /** What this process created: a listing may not show it yet. */
  const created = new Map<string, string>();

  async function child(parent: ParentFolder, name: string, signal: AbortSignal): Promise<ParentFolder> {
    const key = JSON.stringify([parent.id, name]);
    const subject = `the folder ${printable(name)}`;
    const remembered = created.get(key);
    const known = remembered === undefined ? undefined : await findItem(wire, remembered, subject, signal);
    if (known !== undefined && !known.trashed && known.name === name && known.parents.includes(parent.id)) return known;
    const present = (await childrenNamed(wire, parent, name, signal)).find(isFolder);
    if (present !== undefined) return present;
    const made = await createFolder(wire, parent, name, subject, signal);
    created.set(key, made.id);
    return made;
  }

  return {
    ensure: (root, names, signal) =>
      oneAtATime(async () => {
        let folder = root;
        for (const name of names) folder = await child(folder, name, signal);
        return folder;
      }),
  };
}

async function createFolder(wire: Wire, parent: ParentFolder, name: string, subject: string, signal: AbortSignal): Promise<Item> {
  const id = await newId(wire, subject, signal);
  const requestBody = { id, name, mimeType: FOLDER_TYPE, parents: [parent.id] };
  try {
    return itemOf(
      await wire.ask(signal, (api, options) => api.files.create({ requestBody, supportsAllDrives: true, fields: ITEM_FIELDS }, options)),
    );
  } catch (error) {
    // Created by a try whose answer was lost.
    const item = error instanceof DriveFailure && error.status === 409 ? await findItem(wire, id, subject, signal) : undefined;
    if (item !== undefined) return item;
    throw wire.explained(error, subject);
  }
}

/** An id that a creation may use, once. */
export async function newId(wire: Wire, subject: string, signal: AbortSignal): Promise<string> {
  const { ids } = await wire.call(subject, signal, (api, options) =>
    api.files.generateIds({ count: 1, space: "drive", type: "files", fields: "ids" }, options),
  );
  return ids?.[0] as string;
}
