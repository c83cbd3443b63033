/** Which request is for which operation, and what each may say. */
import { getAbout } from "./about.ts";
import type { Handler } from "./call.ts";
import { getStartPageToken, listChanges } from "./changes.ts";
import { getDrive, listDrives } from "./drives.ts";
import type { Operation } from "./faults.ts";
import { listFiles } from "./files-list.ts";
import { exportFile, generateIds, getFile, getMedia } from "./files-read.ts";
import { createFile, deleteFile, updateFile } from "./files-write.ts";
import { createPermission, listPermissions } from "./permissions.ts";
import { startSession } from "./sessions.ts";
import { uploadFile } from "./uploads.ts";

export interface Route {
  readonly method: string;
  /** Matched against the whole path; its group is the id. */
  readonly path: RegExp;
  /** Narrows a path that serves several operations. */
  readonly when?: (query: URLSearchParams) => boolean;
  readonly operation: Operation;
  readonly use: "metadata" | "content" | "write";
  readonly parameters: readonly string[];
  readonly handle: Handler;
}

const FILES = /^\/drive\/v3\/files$/;
const FILE = /^\/drive\/v3\/files\/([^/]+)$/;
const UPLOADS = /^\/upload\/drive\/v3\/files$/;
const UPLOAD = /^\/upload\/drive\/v3\/files\/([^/]+)$/;
const PERMISSIONS = /^\/drive\/v3\/files\/([^/]+)\/permissions$/;

const CREATION = ["supportsAllDrives", "enforceSingleParent", "ignoreDefaultVisibility", "keepRevisionForever"];
const UPDATE = ["supportsAllDrives", "enforceSingleParent", "keepRevisionForever", "addParents", "removeParents"];
const LISTING = ["pageSize", "pageToken"];
const IN_DRIVES = ["supportsAllDrives", "includeItemsFromAllDrives", "driveId", "spaces"];

const isMedia = (query: URLSearchParams) => query.get("alt") === "media";
const isResumable = (query: URLSearchParams) => query.get("uploadType") === "resumable";

/** In order: the first that fits answers. */
export const ROUTES: readonly Route[] = [
  get(FILES, "files.list", "metadata", listFiles, [...LISTING, ...IN_DRIVES, "q", "orderBy", "corpora"]),
  get(/^\/drive\/v3\/files\/generateIds$/, "files.generateIds", "write", generateIds, ["count", "space", "type"]),
  { ...get(FILE, "files.media", "content", getMedia, ["supportsAllDrives", "acknowledgeAbuse"]), when: isMedia },
  get(FILE, "files.get", "metadata", getFile, ["supportsAllDrives", "acknowledgeAbuse"]),
  get(/^\/drive\/v3\/files\/([^/]+)\/export$/, "files.export", "content", exportFile, ["mimeType"]),
  get(PERMISSIONS, "permissions.list", "metadata", listPermissions, [...LISTING, "supportsAllDrives"]),
  get(/^\/drive\/v3\/changes\/startPageToken$/, "changes.getStartPageToken", "metadata", getStartPageToken, [
    "supportsAllDrives",
    "driveId",
    "spaces",
  ]),
  get(/^\/drive\/v3\/changes$/, "changes.list", "metadata", listChanges, [...LISTING, ...IN_DRIVES, "includeRemoved", "restrictToMyDrive"]),
  get(/^\/drive\/v3\/drives$/, "drives.list", "metadata", listDrives, [...LISTING, "q"]),
  get(/^\/drive\/v3\/drives\/([^/]+)$/, "drives.get", "metadata", getDrive, []),
  get(/^\/drive\/v3\/about$/, "about.get", "metadata", getAbout, []),
  write("POST", FILES, "files.create", createFile, CREATION),
  write("PATCH", FILE, "files.update", updateFile, UPDATE),
  write("DELETE", FILE, "files.delete", deleteFile, ["supportsAllDrives", "enforceSingleParent"]),
  write("POST", PERMISSIONS, "permissions.create", createPermission, ["supportsAllDrives", "sendNotificationEmail", "emailMessage"]),
  { ...write("POST", UPLOADS, "sessions.start", startSession, [...CREATION, "uploadType"]), when: isResumable },
  write("POST", UPLOADS, "files.upload", uploadFile, [...CREATION, "uploadType"]),
  { ...write("PATCH", UPLOAD, "sessions.start", startSession, [...UPDATE, "uploadType"]), when: isResumable },
  write("PATCH", UPLOAD, "files.upload", uploadFile, [...UPDATE, "uploadType"]),
];

function get(path: RegExp, operation: Operation, use: Route["use"], handle: Handler, parameters: readonly string[]): Route {
  return { method: "GET", path, operation, use, parameters, handle };
}

function write(method: string, path: RegExp, operation: Operation, handle: Handler, parameters: readonly string[]): Route {
  return { method, path, operation, use: "write", parameters, handle };
}
