/** Whether what lies in the storage is what an attempt says it made. */
import type { Finding } from "../errors.ts";
import { printable } from "../printable.ts";
import type { Done } from "./format.ts";

/** A file as its storage knows it; what it does not say is null. */
export interface StoredFile {
  readonly size: number | null;
  readonly sha256: string | null;
}

export interface ArtefactCheck {
  /** Not there, or shorter than said: storages that sync show files late. Empty: everything has come. */
  readonly missing: readonly string[];
  /** There, and different: no waiting helps. */
  readonly findings: readonly Finding[];
}

/** @param files by path in the job folder */
export function checkArtefacts(done: Done, files: ReadonlyMap<string, StoredFile>): ArtefactCheck {
  const missing: string[] = [];
  const findings: Finding[] = [];
  for (const artefact of done.artefacts) {
    const stored = files.get(artefact.path);
    if (stored === undefined || (stored.size !== null && stored.size < artefact.size)) {
      missing.push(artefact.path);
      continue;
    }
    if (stored.size !== null && stored.size !== artefact.size) {
      findings.push({ message: `${printable(artefact.path)} has ${stored.size} bytes, and DONE.json says ${artefact.size}.` });
    } else if (stored.sha256 !== null && stored.sha256 !== artefact.sha256) {
      findings.push({ message: `${printable(artefact.path)} has another content than DONE.json says (sha256).` });
    }
  }
  return { missing, findings };
}
