/** What the fake Drive holds: files, folders, native documents and shortcuts are all items, each an immutable record. */
import { createHash, randomBytes } from "node:crypto";

export const FOLDER = "application/vnd.google-apps.folder";
export const SHORTCUT = "application/vnd.google-apps.shortcut";
const NATIVE_PREFIX = "application/vnd.google-apps.";

/** Weakest first: each may do what those before it may. */
export const ROLES = ["reader", "commenter", "writer", "fileOrganizer", "organizer", "owner"] as const;
export type Role = (typeof ROLES)[number];

export interface Grant {
  /** An account's address, or everybody who knows the id. */
  readonly to: string | "anyone";
  readonly role: Role;
}

export interface Content {
  readonly bytes: Buffer;
  readonly md5: string;
  readonly sha1: string;
  readonly sha256: string;
  readonly revision: string;
}

export interface Item {
  readonly id: string;
  readonly name: string;
  readonly mimeType: string;
  /** Null for the roots of My Drives and shared drives, and for what is shared with somebody who does not see its folder. */
  readonly parent: string | null;
  /** The shared drive it lives in. */
  readonly driveId: string | null;
  /** Address; null in shared drives, whose items belong to the drive. */
  readonly owner: string | null;
  /** Of binary files only. */
  readonly content: Content | null;
  /** Of native documents: what each export gives, by media type. */
  readonly exports: ReadonlyMap<string, Buffer> | null;
  readonly shortcutTo: string | null;
  readonly trashed: boolean;
  readonly grants: readonly Grant[];
  /** Flagged as malware: downloaded only with `acknowledgeAbuse`. */
  readonly abusive: boolean;
  readonly description: string | null;
  readonly properties: Readonly<Record<string, string>>;
  readonly appProperties: Readonly<Record<string, string>>;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly modifiedAt: number;
  readonly modifiedBy: string | null;
  /** Grows with every change, of content or not. */
  readonly version: number;
}

export interface SharedDrive {
  /** Also the id of its root folder. */
  readonly id: string;
  readonly name: string;
  readonly createdAt: number;
}

export const isNative = (mimeType: string): boolean => mimeType.startsWith(NATIVE_PREFIX) && mimeType !== FOLDER && mimeType !== SHORTCUT;

/** As long as Drive's: 33 characters, `1` first. */
export const newId = (): string => `1${randomBytes(24).toString("base64url")}`;

/** As long as a shared drive's or a My Drive root's. */
export const newRootId = (): string => `0A${randomBytes(10).toString("base64url")}PVA`;

export function contentOf(bytes: Buffer): Content {
  const digest = (algorithm: string) => createHash(algorithm).update(bytes).digest("hex");
  return {
    bytes,
    md5: digest("md5"),
    sha1: digest("sha1"),
    sha256: digest("sha256"),
    revision: `0B${randomBytes(24).toString("base64url")}`,
  };
}
