/** The fields that the fake fills in, by resource: what a `fields` mask may name. The types are checked against the client library's. */
import type { drive_v3 } from "@googleapis/drive";

/** `true` is a leaf, a list of leaves, or a map with free keys. */
export type Shape = true | { readonly [field: string]: Shape };

type Fields<Resource> = { readonly [Field in keyof Resource]?: Shape };

const USER: Fields<drive_v3.Schema$User> = { kind: true, displayName: true, emailAddress: true, me: true, permissionId: true };

const PERMISSION: Fields<drive_v3.Schema$Permission> = {
  kind: true,
  id: true,
  type: true,
  role: true,
  emailAddress: true,
  displayName: true,
  deleted: true,
};

export const CAPABILITIES = [
  "canAddChildren",
  "canCopy",
  "canDelete",
  "canDownload",
  "canEdit",
  "canListChildren",
  "canModifyContent",
  "canRename",
  "canShare",
  "canTrash",
] as const satisfies readonly (keyof NonNullable<drive_v3.Schema$File["capabilities"]>)[];

const FILE: Fields<drive_v3.Schema$File> = {
  kind: true,
  id: true,
  name: true,
  mimeType: true,
  description: true,
  parents: true,
  driveId: true,
  teamDriveId: true,
  trashed: true,
  explicitlyTrashed: true,
  size: true,
  quotaBytesUsed: true,
  md5Checksum: true,
  sha1Checksum: true,
  sha256Checksum: true,
  headRevisionId: true,
  version: true,
  createdTime: true,
  modifiedTime: true,
  originalFilename: true,
  fileExtension: true,
  fullFileExtension: true,
  owners: USER,
  ownedByMe: true,
  lastModifyingUser: USER,
  shared: true,
  spaces: true,
  webViewLink: true,
  properties: true,
  appProperties: true,
  exportLinks: true,
  permissionIds: true,
  permissions: PERMISSION,
  shortcutDetails: { targetId: true, targetMimeType: true },
  capabilities: Object.fromEntries(CAPABILITIES.map((name) => [name, true])),
};

const DRIVE: Fields<drive_v3.Schema$Drive> = { kind: true, id: true, name: true, createdTime: true, hidden: true };

const CHANGE: Fields<drive_v3.Schema$Change> = {
  kind: true,
  changeType: true,
  type: true,
  time: true,
  removed: true,
  fileId: true,
  file: FILE,
  driveId: true,
  teamDriveId: true,
  drive: DRIVE,
};

/** What an operation answers, and which fields of it when the request does not say. */
export interface AnswerShape {
  readonly shape: Shape;
  /** Null where Drive wants the mask. */
  readonly defaults: string | null;
}

const FILE_DEFAULTS = "kind,id,name,mimeType,driveId,teamDriveId";

export const SHAPES = {
  file: { shape: FILE, defaults: FILE_DEFAULTS },
  fileList: {
    shape: { kind: true, nextPageToken: true, incompleteSearch: true, files: FILE },
    defaults: `kind,nextPageToken,incompleteSearch,files(${FILE_DEFAULTS})`,
  },
  generatedIds: { shape: { kind: true, space: true, ids: true }, defaults: "*" },
  drive: { shape: DRIVE, defaults: "kind,id,name" },
  driveList: { shape: { kind: true, nextPageToken: true, drives: DRIVE }, defaults: "kind,nextPageToken,drives(kind,id,name)" },
  startPageToken: { shape: { kind: true, startPageToken: true }, defaults: "*" },
  changeList: {
    shape: { kind: true, nextPageToken: true, newStartPageToken: true, changes: CHANGE },
    defaults: `kind,nextPageToken,newStartPageToken,changes(kind,type,changeType,time,removed,fileId,driveId,teamDriveId,drive(kind,id,name),file(${FILE_DEFAULTS}))`,
  },
  permission: { shape: PERMISSION, defaults: "kind,id,type,role" },
  permissionList: {
    shape: { kind: true, nextPageToken: true, permissions: PERMISSION },
    defaults: "kind,nextPageToken,permissions(kind,id,type,role)",
  },
  about: {
    shape: {
      kind: true,
      user: USER,
      storageQuota: { limit: true, usage: true, usageInDrive: true, usageInDriveTrash: true },
      exportFormats: true,
      canCreateDrives: true,
    },
    defaults: null,
  },
} satisfies Record<string, AnswerShape>;
