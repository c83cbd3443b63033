/** The items of the fake Drive, how they came to be what they are, and what of it has become visible to listings. */
import { FOLDER, type Item, newId, newRootId, type SharedDrive } from "./items.ts";

/** An account as Drive knows it. */
export interface Account {
  readonly email: string;
  readonly displayName: string;
  /** Folder that `root` names. */
  readonly rootId: string;
  /** Bytes of storage; null is without limit. */
  readonly quotaBytes: number | null;
  /** Service accounts own no storage: what they create outside shared drives is refused. */
  readonly isService: boolean;
}

/** One step of the change log. */
export interface Change {
  readonly at: number;
  readonly visibleAt: number;
  /** Of an item, or of a shared drive's root. */
  readonly id: string;
  readonly driveId: string | null;
  /** Who could see it before or after. */
  readonly audience: ReadonlySet<string>;
}

interface Recorded {
  readonly visibleAt: number;
  /** Undefined once deleted. */
  readonly item: Item | undefined;
}

export interface StoreOptions {
  /** How long a creation or change stays invisible to `files.list` and `changes.list`; `files.get` sees it at once. */
  readonly visibilityDelayMs: number;
  readonly viewers: (store: DriveStore, item: Item) => Iterable<string>;
}

export class DriveStore {
  readonly accounts = new Map<string, Account>();
  readonly drives = new Map<string, SharedDrive>();
  readonly changes: Change[] = [];
  visibilityDelayMs: number;
  readonly #items = new Map<string, Item>();
  readonly #recorded = new Map<string, Recorded[]>();
  readonly #reserved = new Set<string>();
  readonly #used = new Set<string>();
  readonly #viewers: StoreOptions["viewers"];
  #version = 0;

  constructor({ visibilityDelayMs, viewers }: StoreOptions) {
    this.visibilityDelayMs = visibilityDelayMs;
    this.#viewers = viewers;
  }

  get(id: string): Item | undefined {
    return this.#items.get(id);
  }

  /** Every item as it is. */
  all(): IterableIterator<Item> {
    return this.#items.values();
  }

  /** Every item as listings see it by now. */
  *listed(): Generator<Item> {
    for (const id of this.#recorded.keys()) {
      const item = this.listedItem(id);
      if (item !== undefined) yield item;
    }
  }

  listedItem(id: string): Item | undefined {
    const now = Date.now();
    return this.#recorded.get(id)?.findLast(({ visibleAt }) => visibleAt <= now)?.item;
  }

  *childrenOf(id: string): Generator<Item> {
    for (const item of this.#items.values()) if (item.parent === id) yield item;
  }

  /** Adds an item, or replaces the one with its id; answers what was stored, with its new version. */
  put(item: Omit<Item, "version">): Item {
    const before = this.#items.get(item.id);
    const stored = { ...item, version: ++this.#version };
    const viewersBefore = before === undefined ? [] : [...this.#viewers(this, before)];
    this.#items.set(item.id, stored);
    this.#used.add(item.id);
    this.#record(stored.id, stored, stored.driveId, new Set([...viewersBefore, ...this.#viewers(this, stored)]));
    return stored;
  }

  /** Deletes for good, with all below it. */
  remove(id: string): void {
    const item = this.#items.get(id);
    if (item === undefined) return;
    if (item.mimeType === FOLDER) for (const child of [...this.childrenOf(id)]) this.remove(child.id);
    const audience = new Set(this.#viewers(this, item));
    this.#items.delete(id);
    this.#record(id, undefined, item.driveId, audience);
  }

  /** An id that a later creation may use, once. */
  reserveId(): string {
    const id = newId();
    this.#reserved.add(id);
    return id;
  }

  idState(id: string): "unknown" | "reserved" | "used" {
    if (this.#used.has(id)) return "used";
    return this.#reserved.has(id) ? "reserved" : "unknown";
  }

  /** Bytes that an account's items occupy, those in its trash too. */
  usageOf(email: string): number {
    let bytes = 0;
    for (const item of this.#items.values()) if (item.owner === email) bytes += item.content?.bytes.length ?? 0;
    return bytes;
  }

  addAccount(account: Omit<Account, "rootId">): Account {
    const known = this.accounts.get(account.email);
    const added = { ...account, rootId: known?.rootId ?? newRootId() };
    this.accounts.set(account.email, added);
    if (known === undefined) this.put({ ...emptyItem("My Drive", FOLDER), id: added.rootId, owner: account.email });
    return added;
  }

  addDrive(name: string, grants: Item["grants"]): SharedDrive {
    const drive = { id: newRootId(), name, createdAt: Date.now() };
    this.drives.set(drive.id, drive);
    // The root's name in Drive is "Drive", whatever the drive is called.
    this.put({ ...emptyItem("Drive", FOLDER), id: drive.id, driveId: drive.id, grants });
    return drive;
  }

  #record(id: string, item: Item | undefined, driveId: string | null, audience: ReadonlySet<string>): void {
    const at = Date.now();
    const visibleAt = at + this.visibilityDelayMs;
    const former = this.#recorded.get(id) ?? [];
    // What nobody can see any more need not be kept.
    const lastVisible = former.findLastIndex((recorded) => recorded.visibleAt <= at);
    this.#recorded.set(id, [...former.slice(Math.max(lastVisible, 0)), { visibleAt, item }]);
    this.changes.push({ at, visibleAt, id, driveId, audience });
  }
}

/** An item with nothing in it, to be filled in. */
export function emptyItem(name: string, mimeType: string): Omit<Item, "version"> {
  const now = Date.now();
  return {
    id: newId(),
    name,
    mimeType,
    parent: null,
    driveId: null,
    owner: null,
    content: null,
    exports: null,
    shortcutTo: null,
    trashed: false,
    grants: [],
    abusive: false,
    description: null,
    properties: {},
    appProperties: {},
    createdAt: now,
    modifiedAt: now,
    modifiedBy: null,
  };
}
