/** `changes.getStartPageToken` and `changes.list`: what happened since, each file once, as it is now. */
import type { drive_v3 } from "@googleapis/drive";
import { roleOf } from "./access.ts";
import type { Call } from "./call.ts";
import { ApiError, notImplemented } from "./errors.ts";
import { parseFields } from "./fields.ts";
import { type Answer, json } from "./http.ts";
import { invalidParameter } from "./parameters.ts";
import { driveResource, fileResource, time } from "./resources.ts";
import { SHAPES } from "./shapes.ts";
import type { Change } from "./store.ts";

/** Page tokens are places in the change log, counted from here. */
const FIRST_TOKEN = 1000;

export function getStartPageToken(call: Call): Answer {
  const project = parseFields(call.parameters.text("fields"), SHAPES.startPageToken);
  checkDrive(call);
  return json(project({ kind: "drive#startPageToken", startPageToken: tokenOf(visibleChanges(call).length) }));
}

export function listChanges(call: Call): Answer {
  const { parameters, pages } = call;
  const project = parseFields(parameters.text("fields"), SHAPES.changeList);
  checkDrive(call);
  const token = parameters.required("pageToken");
  const start = Number(token) - FIRST_TOKEN;
  const log = visibleChanges(call);
  if (!Number.isInteger(start) || start < 0 || start > log.length) throw invalidParameter("pageToken");
  const size = Math.min(parameters.whole("pageSize", { absent: 100, most: 1000 }), pages.most);
  const end = Math.min(start + size, log.length);
  const changes = latest(log.slice(start, end)).flatMap((change) => changeResource(change, call));
  const next = end < log.length ? { nextPageToken: tokenOf(end) } : { newStartPageToken: tokenOf(end) };
  return json(project({ kind: "drive#changeList", changes, ...next }));
}

/** What listings may show by now; the delay is the same for all, so the order stays. */
function visibleChanges({ store }: Call): readonly Change[] {
  const now = Date.now();
  const hidden = store.changes.findIndex(({ visibleAt }) => visibleAt > now);
  return hidden === -1 ? store.changes : store.changes.slice(0, hidden);
}

function latest(changes: readonly Change[]): readonly Change[] {
  return [...new Map(changes.map((change) => [change.id, change])).values()];
}

function changeResource(change: Change, { store, parameters, email, view }: Call): drive_v3.Schema$Change[] {
  const [supports, includes] = [parameters.flag("supportsAllDrives"), parameters.flag("includeItemsFromAllDrives")];
  const driveId = parameters.text("driveId");
  if (change.driveId !== null && !(supports && includes)) return [];
  if (change.driveId !== null && parameters.flag("restrictToMyDrive")) return [];
  if (driveId !== undefined && change.driveId !== driveId) return [];
  if (!change.audience.has(email)) return [];
  const base = {
    kind: "drive#change",
    time: time(change.at),
    ...(change.driveId === null ? {} : { driveId: change.driveId, teamDriveId: change.driveId }),
  };
  const drive = store.drives.get(change.id);
  if (drive !== undefined) return [{ ...base, type: "drive", changeType: "drive", removed: false, drive: driveResource(drive) }];
  const item = store.listedItem(change.id);
  const removed = item === undefined || roleOf(store, item, email) === undefined;
  if (removed && !parameters.flag("includeRemoved", true)) return [];
  const what = { ...base, type: "file", changeType: "file", fileId: change.id, removed };
  return [removed ? what : { ...what, file: fileResource(item, view) }];
}

function checkDrive({ parameters, store }: Call): void {
  const driveId = parameters.text("driveId");
  if (parameters.choice("spaces", ["drive", "appDataFolder", "photos"], "drive") !== "drive")
    throw notImplemented("spaces other than drive");
  if (driveId === undefined) return;
  if (!parameters.flag("supportsAllDrives")) throw invalidParameter("supportsAllDrives");
  if (!store.drives.has(driveId)) throw new ApiError("notFound", { message: `Shared drive not found: ${driveId}` });
}

const tokenOf = (position: number): string => String(position + FIRST_TOKEN);
