/** Names from outside (Drive, people) made safe before they become paths, keys or identifiers. */
import { EdaError } from "./errors.ts";
import { sha256Hex } from "./json.ts";
import { isControl, printable } from "./printable.ts";

/** Longest file name in bytes on the usual file systems (NAME_MAX). */
const MAX_SEGMENT_BYTES = 255;
/** Longest object key in bytes (S3), less room for bucket and project. */
const MAX_KEY_BYTES = 900;

export const PROJECT_NAME_PATTERN = /^[a-z][a-z0-9_-]{0,62}$/u;
export const PROJECT_NAME_RULE = "must be 1 to 63 lower-case letters, digits, '_' or '-', starting with a letter";

export function isProjectName(text: string): boolean {
  return PROJECT_NAME_PATTERN.test(text);
}

/** @throws EdaError `usage` when the name cannot be a folder, key prefix and identifier at once. */
export function assertProjectName(text: string): void {
  if (isProjectName(text)) return;
  throw new EdaError("usage", "invalid-project-name", `"${printable(text)}" is not a project name.`, {
    todo: "Use 1 to 63 lower-case letters, digits, '_' or '-', starting with a letter.",
  });
}

/**
 * One path segment from an untrusted file name: no separators, control or bidirectional characters, no `.` or `..`,
 * NFC, at most 255 bytes. A name that had to be shortened keeps its ending and gets 8 hex digits of its hash.
 */
export function safeSegment(name: string): string {
  const cleaned = [...name.normalize("NFC")].map((char) => (isUnsafe(char) ? "_" : char)).join("");
  const trimmed = cleaned.replace(/^[\s.]+$/u, (dots) => "_".repeat(dots.length)).replace(/\s+$/u, "");
  const segment = trimmed === "" ? "_" : trimmed;
  if (Buffer.byteLength(segment) <= MAX_SEGMENT_BYTES) return segment;
  const ending = /\.[A-Za-z0-9]{1,8}$/u.exec(segment)?.[0] ?? "";
  const suffix = `~${sha256Hex(name).slice(0, 8)}${ending}`;
  return truncateBytes(segment.slice(0, segment.length - ending.length), MAX_SEGMENT_BYTES - Buffer.byteLength(suffix)) + suffix;
}

/** A relative path of safe segments joined by `/`. `..` and absolute paths cannot come out of it. */
export function safeRelativePath(segments: readonly string[]): string {
  return segments.map(safeSegment).join("/");
}

/**
 * The object key of a local path: NFC, so that a name typed on macOS (NFD) and on Linux is one key.
 * @throws EdaError `terminal` when the path cannot be a key.
 */
export function objectKey(project: string, relativePath: string): string {
  const key = `${project}/${relativePath.normalize("NFC")}`;
  const bad = relativePath.split("/").some((part) => part === "" || part === "." || part === "..");
  if (bad || relativePath.includes("\0")) {
    throw new EdaError("terminal", "unsafe-path", `"${printable(relativePath)}" cannot be an object key.`);
  }
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) {
    throw new EdaError("terminal", "path-too-long", `"${printable(relativePath)}" is longer than ${MAX_KEY_BYTES} bytes.`, {
      todo: "Shorten the file or folder names and run again.",
    });
  }
  return key;
}

function isUnsafe(char: string): boolean {
  return char === "/" || char === "\\" || isControl(char);
}

function truncateBytes(text: string, limit: number): string {
  let bytes = 0;
  let result = "";
  for (const char of text) {
    bytes += Buffer.byteLength(char);
    if (bytes > limit) break;
    result += char;
  }
  return result;
}
