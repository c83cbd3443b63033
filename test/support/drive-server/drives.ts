/** `drives.list` and `drives.get`: the shared drives that the account is a member of. */
import { roleOf } from "./access.ts";
import type { Call } from "./call.ts";
import { ApiError, notImplemented } from "./errors.ts";
import { parseFields } from "./fields.ts";
import { type Answer, json } from "./http.ts";
import type { SharedDrive } from "./items.ts";
import { driveResource } from "./resources.ts";
import { SHAPES } from "./shapes.ts";

export function listDrives(call: Call): Answer {
  const { parameters, store, pages } = call;
  const project = parseFields(parameters.text("fields"), SHAPES.driveList);
  if (parameters.text("q") !== undefined) throw notImplemented("searching shared drives");
  const find = () => [...store.drives.values()].filter((drive) => isMember(call, drive)).map(({ id }) => id);
  const { ids, nextPageToken } = pages.page(parameters, find, { absent: 10, most: 100 });
  const drives = ids.flatMap((id) => store.drives.get(id) ?? []).map(driveResource);
  return json(project({ kind: "drive#driveList", drives, ...(nextPageToken === undefined ? {} : { nextPageToken }) }));
}

export function getDrive(call: Call): Answer {
  const project = parseFields(call.parameters.text("fields"), SHAPES.drive);
  const drive = call.store.drives.get(call.id);
  if (drive === undefined || !isMember(call, drive)) throw new ApiError("notFound", { message: `Shared drive not found: ${call.id}` });
  return json(project(driveResource(drive)));
}

function isMember({ store, email }: Call, { id }: SharedDrive): boolean {
  const root = store.get(id);
  return root !== undefined && roleOf(store, root, email) !== undefined;
}
