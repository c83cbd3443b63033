/** Who may see and do what: ownership, grants on the item and, inherited, on the folders above it. */
import { ApiError, fileNotFound } from "./errors.ts";
import { type Item, ROLES, type Role } from "./items.ts";
import type { DriveStore } from "./store.ts";

export const atLeast = (role: Role | undefined, needed: Role): boolean =>
  role !== undefined && ROLES.indexOf(role) >= ROLES.indexOf(needed);

/** The item and the folders above it, up to the root. */
export function lineage(store: DriveStore, item: Item): readonly Item[] {
  const line = [item];
  for (let above = store.get(item.parent ?? ""); above !== undefined; above = store.get(above.parent ?? "")) line.push(above);
  return line;
}

/** The strongest role that the account has on the item; undefined when it may not even see it. */
export function roleOf(store: DriveStore, item: Item, email: string): Role | undefined {
  let strongest: Role | undefined;
  const offer = (role: Role) => {
    if (!atLeast(strongest, role)) strongest = role;
  };
  for (const { owner, grants } of lineage(store, item)) {
    // Whoever owns the folder may organize what others put there, but does not own it.
    if (owner === email) offer(owner === item.owner ? "owner" : "writer");
    for (const { to, role } of grants) if (to === email || to === "anyone") offer(role);
  }
  return strongest;
}

export function* viewersOf(store: DriveStore, item: Item): Generator<string> {
  for (const email of store.accounts.keys()) if (roleOf(store, item, email) !== undefined) yield email;
}

/** Trashed by itself or because a folder above it is. */
export function isTrashed(store: DriveStore, item: Item): boolean {
  return lineage(store, item).some(({ trashed }) => trashed);
}

export interface Access {
  readonly store: DriveStore;
  /** Address of the account that asks. */
  readonly email: string;
  /** Without it the items of shared drives do not exist for the caller. */
  readonly supportsAllDrives: boolean;
}

/** @throws ApiError `notFound` for what is not there and for what the account may not know of: Drive does not tell them apart */
export function visibleItem({ store, email, supportsAllDrives }: Access, id: string): Item {
  const item = store.get(id === "root" ? rootOf(store, email) : id);
  if (item === undefined || (item.driveId !== null && !supportsAllDrives) || roleOf(store, item, email) === undefined) {
    throw fileNotFound(id);
  }
  return item;
}

/** @throws ApiError `notFound`, `insufficientFilePermissions` */
export function itemFor(access: Access, id: string, needed: Role): Item {
  const item = visibleItem(access, id);
  if (!atLeast(roleOf(access.store, item, access.email), needed)) throw new ApiError("insufficientFilePermissions");
  return item;
}

export function rootOf(store: DriveStore, email: string): string {
  return store.accounts.get(email)?.rootId ?? "";
}
