/**
 * A folder as Colab mounts it: what lies in the (fake) Drive appears in it late, and what is written into it appears in Drive late, each file
 * on its own and so in any order. Its side of the Drive is the state behind the server, as a browser's or Google's own client would be.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { DriveServer } from "./drive-server/server.ts";

const FOLDER = "application/vnd.google-apps.folder";
const POLL_MS = 100;
/** Whose My Drive it is. */
const OWNER = "ana@example.com";

export interface SyncingFolderOptions {
  readonly server: DriveServer;
  /** Path below the owner's My Drive that is mirrored: `eda`. */
  readonly path: string;
  /** The folder on this machine that stands for My Drive. */
  readonly local: string;
  /** Milliseconds: least and most that a file takes. */
  readonly delay: readonly [number, number];
  /** Changes what arrives in Drive; undefined keeps it out. */
  readonly upload?: (path: string, bytes: Buffer) => Buffer | undefined;
}

export interface SyncingFolder {
  /** Paths below My Drive in the order in which they arrived in Drive. */
  readonly uploaded: readonly string[];
  /** Waits until a file is in the local folder. */
  arrived(path: string): Promise<void>;
  /** Ends it; what is on its way does not arrive. */
  stop(): Promise<void>;
}

export function openSyncingFolder({ server, path, local, delay: [least, most], upload }: SyncingFolderOptions): SyncingFolder {
  const { state } = server;
  const uploaded: string[] = [];
  const stopped = new AbortController();
  /** Size and time of local files, or id and time of Drive's, that are in step or on their way. */
  const settled = new Map<string, string>();
  const isStopped = () => stopped.signal.aborted;
  const later = (work: () => void) =>
    void delay(least + Math.random() * (most - least), undefined, { signal: stopped.signal }).then(work, () => undefined);

  const ensureFolder = (wanted: string): string => {
    let id = state.rootOf(OWNER);
    for (const name of wanted.split("/")) {
      id = state.children(id).find((item) => item.name === name && !item.trashed)?.id ?? state.addFolder({ name, parent: id });
    }
    return id;
  };

  function download(id: string, below: string): void {
    for (const item of state.children(id)) {
      if (item.trashed) continue;
      const target = `${below}/${item.name}`;
      if (item.mimeType === FOLDER) {
        mkdirSync(join(local, target), { recursive: true });
        download(item.id, target);
        continue;
      }
      if (settled.has(target)) continue;
      settled.set(target, "coming");
      later(() => {
        const file = join(local, target);
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, state.content(item.id));
        settled.set(target, signature(file) ?? "gone");
      });
    }
  }

  function send(below: string): void {
    const folder = join(local, below);
    if (!existsSync(folder)) return;
    const names = readdirSync(folder, { withFileTypes: true });
    for (const entry of names) {
      const target = `${below}/${entry.name}`;
      if (entry.isDirectory()) {
        send(target);
        continue;
      }
      const file = join(local, target);
      if (entry.name.endsWith(".partial") || settled.get(target) === "coming") continue;
      const now = signature(file);
      if (now === undefined || settled.get(target) === now) continue;
      const isKnown = settled.has(target);
      settled.set(target, now);
      later(() => put(target, isKnown));
    }
  }

  function put(target: string, isKnown: boolean): void {
    const file = join(local, target);
    if (!existsSync(file)) return;
    const content = readFileSync(file);
    const bytes = upload === undefined ? content : upload(target, content);
    if (bytes === undefined) return;
    const id = isKnown ? idAt(server, target) : undefined;
    if (id !== undefined) state.write(id, bytes);
    else state.addFile({ name: target.split("/").at(-1) as string, parent: ensureFolder(dirname(target)), content: bytes });
    uploaded.push(target);
  }

  const loop = async () => {
    while (!isStopped()) {
      const id = idAt(server, path);
      if (id !== undefined) download(id, path);
      send(path);
      await delay(POLL_MS);
    }
  };
  const running = loop();
  return {
    uploaded,
    async arrived(wanted) {
      while (!existsSync(join(local, wanted))) {
        if (isStopped()) throw new Error(`${wanted} never arrived`);
        await delay(POLL_MS);
      }
    },
    async stop() {
      stopped.abort();
      await running;
    },
  };
}

/** Id of what lies at a path below the owner's My Drive; the first one when there are several. */
export function idAt({ state }: DriveServer, path: string): string | undefined {
  let id: string | undefined = state.rootOf(OWNER);
  for (const name of path.split("/")) {
    if (id === undefined) return undefined;
    id = state.children(id).find((item) => item.name === name && !item.trashed)?.id;
  }
  return id;
}

function signature(file: string): string | undefined {
  try {
    const { size, mtimeMs } = statSync(file);
    return `${size}.${mtimeMs}`;
  } catch {
    return undefined;
  }
}
