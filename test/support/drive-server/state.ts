/** The other side of the Drive, for tests: what people and administrators do to it in their browsers. */
import { contentOf, FOLDER, type Grant, type Item, type Role, SHORTCUT } from "./items.ts";
import { type DriveStore, emptyItem } from "./store.ts";

export interface Placed {
  /** As Drive holds names: anything but nothing, several the same in one folder. */
  readonly name: string;
  /** The owner's My Drive when absent; a shared drive's id is its root folder. */
  readonly parent?: string;
  /** Address; the folder's owner when absent, or the first account. Nobody in shared drives. */
  readonly owner?: string;
  /** Who else may do what, by address or `anyone`. */
  readonly grants?: Readonly<Record<string, Role>>;
}

export interface PlacedFile extends Placed {
  readonly content: string | Uint8Array;
  readonly mimeType?: string;
  readonly modifiedAt?: Date;
}

export interface PlacedNative extends Placed {
  /** `application/vnd.google-apps.spreadsheet`, … */
  readonly mimeType: string;
  /** What its exports give, by media type. */
  readonly exports: Readonly<Record<string, string | Uint8Array>>;
}

export class DriveState {
  readonly #store: DriveStore;

  constructor(store: DriveStore) {
    this.#store = store;
  }

  /** How long what is created or changed stays invisible to listings; `files.get` sees it at once. */
  set visibilityDelayMs(milliseconds: number) {
    this.#store.visibilityDelayMs = milliseconds;
  }

  /** @param quotaBytes of storage; without limit when absent */
  addAccount(email: string, { quotaBytes, displayName }: { readonly quotaBytes?: number; readonly displayName?: string } = {}): void {
    const [name] = email.split("@");
    this.#store.addAccount({ email, displayName: displayName ?? name ?? email, quotaBytes: quotaBytes ?? null, isService: false });
  }

  setQuota(email: string, quotaBytes: number | null): void {
    this.#store.addAccount({ ...this.#account(email), quotaBytes });
  }

  /** Answers its id, which is also that of its root folder. */
  addSharedDrive(name: string, members: Readonly<Record<string, Role>>): string {
    return this.#store.addDrive(name, grantsOf(members)).id;
  }

  /** Answers the new id, as the other `add…` do. */
  addFolder(folder: Placed): string {
    return this.#add(folder, FOLDER, {});
  }

  addFile({ content, mimeType = "application/octet-stream", modifiedAt, ...placed }: PlacedFile): string {
    return this.#add(placed, mimeType, {
      content: contentOf(Buffer.from(content)),
      ...(modifiedAt === undefined ? {} : { modifiedAt: modifiedAt.getTime() }),
    });
  }

  addNative({ mimeType, exports, ...placed }: PlacedNative): string {
    return this.#add(placed, mimeType, { exports: new Map(Object.entries(exports).map(([type, bytes]) => [type, Buffer.from(bytes)])) });
  }

  addShortcut({ target, ...placed }: Placed & { readonly target: string }): string {
    return this.#add(placed, SHORTCUT, { shortcutTo: target });
  }

  /** Gives a file other content. */
  write(id: string, content: string | Uint8Array): void {
    this.#change(id, { content: contentOf(Buffer.from(content)), modifiedAt: Date.now() });
  }

  rename(id: string, name: string): void {
    this.#change(id, { name, modifiedAt: Date.now() });
  }

  move(id: string, parent: string): void {
    this.#change(id, { parent, driveId: this.item(parent).driveId });
  }

  trash(id: string, trashed = true): void {
    this.#change(id, { trashed });
  }

  /** For good, with all below it. */
  delete(id: string): void {
    this.#store.remove(this.item(id).id);
  }

  /** Downloads are then refused unless the client acknowledges the abuse. */
  markAbusive(id: string): void {
    this.#change(id, { abusive: true });
  }

  share(id: string, to: string, role: Role): void {
    this.#change(id, { grants: [...this.item(id).grants.filter((grant) => grant.to !== to), { to, role }] });
  }

  unshare(id: string, from: string): void {
    this.#change(id, { grants: this.item(id).grants.filter(({ to }) => to !== from) });
  }

  /** The item as it is now, whatever listings show. */
  item(id: string): Item {
    const item = this.#store.get(id);
    if (item === undefined) throw new Error(`The fake Drive holds nothing with the id ${id}.`);
    return item;
  }

  content(id: string): Buffer {
    const { content, name } = this.item(id);
    if (content === null) throw new Error(`${name} has no binary content.`);
    return content.bytes;
  }

  /** Those in the trash too. */
  children(id: string): readonly Item[] {
    return [...this.#store.childrenOf(id)];
  }

  /** The folder that `root` means for the account. */
  rootOf(email: string): string {
    return this.#account(email).rootId;
  }

  #add({ name, parent, owner, grants = {} }: Placed, mimeType: string, fields: Partial<Item>): string {
    const folder = this.item(parent ?? this.rootOf(owner ?? this.#firstAccount()));
    const owned = folder.driveId === null ? (owner ?? folder.owner) : null;
    return this.#store.put({
      ...emptyItem(name, mimeType),
      parent: folder.id,
      driveId: folder.driveId,
      owner: owned,
      modifiedBy: owned,
      grants: grantsOf(grants),
      ...fields,
    }).id;
  }

  #change(id: string, fields: Partial<Item>): void {
    this.#store.put({ ...this.item(id), ...fields });
  }

  #account(email: string) {
    const account = this.#store.accounts.get(email);
    if (account === undefined) throw new Error(`The fake Drive has no account ${email}.`);
    return account;
  }

  #firstAccount(): string {
    const [email] = this.#store.accounts.keys();
    if (email === undefined) throw new Error("The fake Drive has no account.");
    return email;
  }
}

function grantsOf(roles: Readonly<Record<string, Role>>): Grant[] {
  return Object.entries(roles).map(([to, role]) => ({ to, role }));
}
