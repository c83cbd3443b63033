/** Files into Drive: whole or not at all, once however often it is tried, and compared with what Drive says it holds. */
import type { drive_v3 } from "@googleapis/drive";
import { lookup } from "mime-types";
import { z } from "zod";
import { EdaError, throwIfAborted } from "../../domain/errors.ts";
import { printable } from "../../domain/printable.ts";
import { isNative } from "./export-formats.ts";
import { DriveFailure } from "./failures.ts";
import { type ResolvedFolder, resolveFolder } from "./folders.ts";
import { childrenNamed, findItem, type Item, versionOf } from "./items.ts";
import { changedMeanwhile, contentOf, contradicts, hasContent, type LocalContent } from "./local-file.ts";
import { newId, openParentFolders } from "./parent-folders.ts";
import { openStateFiles } from "./state-file.ts";
import { startSession, transfer } from "./upload-session.ts";
import type { Wire } from "./wire.ts";

/** Google ends a session after seven days. */
const SESSION_MAX_AGE_MS = 6 * 24 * 3_600_000;
/** Sessions that one upload uses up: expired ones, and those whose content arrived as another one. */
const MOST_SESSIONS = 3;

/** An upload that is under way. The address of its session is a secret: whoever has it may write the file. */
const noteSchema = z.object({
  session: z.string(),
  /** Of the file that is created or gets new content. */
  fileId: z.string(),
  creates: z.boolean(),
  sha256: z.string(),
  size: z.number(),
  startedAt: z.number(),
});

type Note = z.infer<typeof noteSchema>;

export interface UploadRequest {
  readonly folder: string;
  readonly segments: readonly string[];
  readonly localFile: string;
  readonly signal: AbortSignal;
}

export type Uploader = (request: UploadRequest) => Promise<{ readonly id: string; readonly version: string }>;

/** @param notesFolder of this host, outlives it */
export function createUploader(wire: Wire, notesFolder: string): Uploader {
  const notes = openStateFiles(notesFolder, noteSchema);
  const parents = openParentFolders(wire);
  /** What this process created: a listing may not show it yet. */
  const created = new Map<string, string>();

  async function upload({ folder, segments, localFile, signal }: UploadRequest): Promise<Item> {
    const root = await resolveFolder(wire, folder, signal);
    const content = await contentOf(localFile, signal);
    const parent = await parents.ensure(root, segments.slice(0, -1), signal);
    const name = segments.at(-1) as string;
    const target: Target = { parent, name, localFile, content, subject: `the file ${printable(segments.join("/"))}`, signal };
    const present = await presentFile(target);
    if (present !== undefined && hasContent(present, content)) return present;
    return send(target, present?.id);
  }

  /** The oldest of that name: Drive allows several. Folders, shortcuts and documents of Google's editors are other things. */
  async function presentFile({ parent, name, subject, signal }: Target): Promise<Item | undefined> {
    const remembered = created.get(keyOf(parent.id, name));
    const known = remembered === undefined ? undefined : await findItem(wire, remembered, subject, signal);
    if (known !== undefined && !known.trashed && known.name === name && known.parents.includes(parent.id)) return known;
    return (await childrenNamed(wire, parent, name, signal)).find((item) => !isNative(item.mimeType));
  }

  /** @param present id of the file that gets new content; undefined: it is created */
  async function send(target: Target, present: string | undefined): Promise<Item> {
    const { parent, name, content, subject, signal } = target;
    const key = keyOf(wire.account().name, parent.id, name);
    let fileId = present;
    for (let sessions = 1; sessions <= MOST_SESSIONS; sessions += 1) {
      const kept = await usableNote(key, fileId, content);
      const note = kept ?? (await begin(target, key, fileId));
      const sent = await attempt(target, note, kept === undefined);
      // The session of a finished upload ends too, and with it the answer that never came.
      const item = sent === undefined ? await findItem(wire, note.fileId, subject, signal) : await withChecksums(sent, subject, signal);
      await notes.remove(key);
      if (item !== undefined && (sent === undefined ? hasContent(item, content) : !contradicts(item, content))) {
        created.set(keyOf(parent.id, name), item.id);
        return item;
      }
      if (sent === undefined) continue;
      wire.log("warn", `what Drive holds of ${subject} is not what was sent: sending it again`);
      await assertUnchanged(target);
      fileId = note.fileId;
    }
    if (present === undefined && fileId !== undefined) await trash(fileId, target);
    throw new EdaError("transient", "drive-upload-failed", `Google Drive did not take ${subject} as it is, ${MOST_SESSIONS} times.`, {
      todo: "Run again a little later.",
    });
  }

  /** What was created and is not what it should be. */
  async function trash(fileId: string, { subject, signal }: Target): Promise<void> {
    await wire.call(subject, signal, (api, options) =>
      api.files.update({ fileId, requestBody: { trashed: true }, supportsAllDrives: true, fields: "id" }, options),
    );
  }

  async function usableNote(key: string, present: string | undefined, content: LocalContent): Promise<Note | undefined> {
    const note = await notes.read(key);
    if (note === undefined || note.sha256 !== content.sha256 || note.size !== content.size) return undefined;
    if (Date.now() - note.startedAt > SESSION_MAX_AGE_MS) return undefined;
    return note.creates || note.fileId === present ? note : undefined;
  }

  async function begin({ parent, name, content, subject, signal }: Target, key: string, present: string | undefined): Promise<Note> {
    // An id of our own makes the creation happen once, however often it is asked for.
    const fileId = present ?? (await newId(wire, subject, signal));
    const creates = present === undefined;
    const mediaType = lookup(name) || "application/octet-stream";
    const metadata: drive_v3.Schema$File = creates ? { id: fileId, name, parents: [parent.id], mimeType: mediaType } : {};
    const session = await startSession(wire, { update: present, metadata, size: content.size, mediaType }, signal).catch(
      (error: unknown) => {
        throw wire.explained(error, subject);
      },
    );
    const note: Note = { session, fileId, creates, sha256: content.sha256, size: content.size, startedAt: Date.now() };
    await notes.write(key, note);
    return note;
  }

  async function attempt({ localFile, content, subject, signal }: Target, { session }: Note, isNew: boolean): Promise<Item | undefined> {
    try {
      return await transfer(wire, { session, isNew, localFile, size: content.size }, signal);
    } catch (error) {
      // Created by a try whose answer was lost.
      if (error instanceof DriveFailure && error.status === 409) return undefined;
      throw wire.explained(error, subject);
    }
  }

  /** Drive may compute them a moment after it has taken the file. */
  async function withChecksums(item: Item, subject: string, signal: AbortSignal): Promise<Item> {
    if (item.sha256 !== null || item.md5 !== null) return item;
    return (await findItem(wire, item.id, subject, signal)) ?? item;
  }

  async function assertUnchanged({ localFile, content, signal }: Target): Promise<void> {
    if ((await contentOf(localFile, signal)).sha256 !== content.sha256) throw changedMeanwhile(localFile);
  }

  return async (request) => {
    throwIfAborted(request.signal);
    assertSegments(request.segments);
    const item = await upload(request);
    return { id: item.id, version: versionOf(item) };
  };
}

interface Target {
  readonly parent: Pick<ResolvedFolder, "id" | "driveId">;
  readonly name: string;
  readonly localFile: string;
  readonly content: LocalContent;
  readonly subject: string;
  readonly signal: AbortSignal;
}

function keyOf(...parts: readonly string[]): string {
  return JSON.stringify(parts);
}

/** Drive would take them; whoever captures the folder elsewhere would not. */
function assertSegments(segments: readonly string[]): void {
  const isUnsafe = (segment: string) => segment === "" || segment === "." || segment === ".." || /[/\0]/u.test(segment);
  if (segments.length > 0 && !segments.some(isUnsafe)) return;
  throw new EdaError("terminal", "unsafe-path", `"${printable(segments.join("/"))}" is not a path inside a folder.`, {
    todo: "Choose another name.",
  });
}
