/**
 * A sealed document carries the hash of itself, so that a file that is half synced, or was changed, is told from a whole one. The last
 * member of the JSON object is `"sha256"`, over the bytes before the comma in front of it: any writer can make it, and no two of them need
 * to agree on how a number is written.
 */
import { sha256Hex } from "../json.ts";

const SEAL = /,\s*"sha256":\s*"([0-9a-f]{64})"\s*\}\s*$/u;

/** @param document without `sha256`, and not empty. Indented, for people. */
export function sealedText(document: object): string {
  const body = JSON.stringify(document, null, 2).replace(/\n\}$/u, "");
  return `${body},\n  "sha256": "${sha256Hex(body)}"\n}\n`;
}

/** What a sealed text says; undefined when it is not whole: not yet synced to its end, or not as it was written. */
export function openSealed(text: string): unknown {
  const seal = SEAL.exec(text);
  if (seal === null || sha256Hex(text.slice(0, seal.index)) !== seal[1]) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    // Sealed by somebody who does not write JSON.
    return undefined;
  }
}
