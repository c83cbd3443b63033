/** How people name a Drive folder: its id, its link, or a path. */

export type FolderAddress =
  | { readonly kind: "id"; readonly id: string }
  /** Below My Drive, or below a shared drive when it is named. */
  | { readonly kind: "path"; readonly drive: string | null; readonly names: readonly string[] }
  /** A word that may be an id or a folder of My Drive. */
  | { readonly kind: "id-or-name"; readonly text: string }
  | { readonly kind: "invalid"; readonly problem: string };

/** Shared drives have 19 characters, folders 28, 33 or more; nothing promises it. */
const ID = /^[A-Za-z0-9_-]{15,}$/u;
const SHARED_DRIVE = "drive:";

/**
 * `1AbC…`, `https://drive.google.com/drive/u/0/folders/1AbC…?usp=sharing`, `/Dados/2024` in My Drive, `drive:Equipe/dados` in the shared drive
 * `Equipe`, `/` for all of My Drive.
 */
export function parseFolderAddress(text: string): FolderAddress {
  const trimmed = text.trim();
  if (/^https?:\/\//iu.test(trimmed)) return fromLink(trimmed);
  if (trimmed.toLowerCase().startsWith(SHARED_DRIVE)) {
    const [drive, ...names] = namesOf(trimmed.slice(SHARED_DRIVE.length));
    if (drive === undefined) return { kind: "invalid", problem: "does not name the shared drive: drive:Name/folder" };
    return { kind: "path", drive, names };
  }
  if (trimmed === "") return { kind: "invalid", problem: "is empty" };
  if (trimmed === "root") return { kind: "path", drive: null, names: [] };
  if (ID.test(trimmed)) return { kind: "id-or-name", text: trimmed };
  return { kind: "path", drive: null, names: namesOf(trimmed) };
}

function fromLink(text: string): FolderAddress {
  const url = URL.parse(text);
  if (url === null || !/^(drive|docs)\.google\.com$/u.test(url.hostname))
    return { kind: "invalid", problem: "is not a link to Google Drive" };
  const parts = url.pathname.split("/").filter((part) => part !== "");
  const at = parts.lastIndexOf("folders");
  const id = at >= 0 ? parts[at + 1] : url.searchParams.get("id");
  if (id === "my-drive" || parts.at(-1) === "my-drive") return { kind: "path", drive: null, names: [] };
  if (id == null || id === "") return { kind: "invalid", problem: "is a link to a file or a page, not to a folder" };
  return /^[A-Za-z0-9_-]+$/u.test(id) ? { kind: "id", id } : { kind: "invalid", problem: "holds no id of a folder" };
}

function namesOf(path: string): string[] {
  return path.split("/").filter((name) => name !== "");
}
