/** What must not enter Git: credentials and large files. */
import { createHash } from "node:crypto";
import { lstat, readFile } from "node:fs/promises";
import { join } from "node:path";
import pLimit from "p-limit";
import prettyBytes from "pretty-bytes";
import { EdaError, type Finding } from "../../domain/errors.ts";
import { createSecretFinder } from "./secrets.ts";

const CONCURRENT_FILES = 8;
const MAX_FINDINGS = 100;
/** As git decides what is binary: a NUL byte near the start (buffer_is_binary in xdiff-interface.c). */
const BINARY_PROBE_BYTES = 8_000;

type Problem = Finding & { readonly code: "secret-found" | "file-too-large" };

export interface Scanner {
  /** @throws EdaError `precondition` `secret-found` or `file-too-large` */
  scanFiles(paths: readonly string[]): Promise<void>;
  /** Whether any of these paths was scanned since it was last committed. */
  hasScanned(paths: readonly string[]): boolean;
  /** Whether the content about to be committed is other than what was scanned at that path. */
  changedSinceScan(path: string, blob: string): boolean;
  /** Looks at content itself. @throws EdaError as {@link scanFiles} */
  scanContents(contents: AsyncIterable<{ readonly path: string; readonly content: Uint8Array }>): Promise<void>;
  forget(paths: readonly string[]): void;
}

export function createScanner(workspace: string, maxFileBytes: number): Scanner {
  const findSecrets = createSecretFinder();
  /** What the scan saw at a path: the id of its content as a Git blob; undefined when there was no file. */
  const seen = new Map<string, string | undefined>();

  async function problemsOf(path: string, content: Uint8Array): Promise<Problem[]> {
    if (content.byteLength > maxFileBytes) return [tooLarge(path, content.byteLength, maxFileBytes)];
    if (content.subarray(0, BINARY_PROBE_BYTES).includes(0)) return [];
    const secrets = await findSecrets(path, new TextDecoder().decode(content));
    return secrets.map((finding) => ({ ...finding, code: "secret-found" }));
  }

  async function scanFile(path: string): Promise<Problem[]> {
    const file = join(workspace, path);
    seen.set(path, undefined);
    const info = await lstat(file).catch(absent);
    // Of a symlink Git keeps where it points to, not what is there.
    if (info === undefined || !info.isFile()) return [];
    if (info.size > maxFileBytes) return [tooLarge(path, info.size, maxFileBytes)];
    const content = await readFile(file).catch((error: unknown) => absent(error) ?? unreadable(path, error));
    if (content === undefined) return [];
    seen.set(path, blobId(content));
    return problemsOf(path, content);
  }

  return {
    scanFiles: async (paths) => {
      const limit = pLimit(CONCURRENT_FILES);
      refuse((await limit.map(paths, scanFile)).flat());
    },
    hasScanned: (paths) => paths.some((path) => seen.has(path)),
    changedSinceScan: (path, blob) => seen.has(path) && seen.get(path) !== blob,
    scanContents: async (contents) => {
      const problems: Problem[] = [];
      for await (const { path, content } of contents) problems.push(...(await problemsOf(path, content)));
      refuse(problems);
    },
    forget: (paths) => {
      for (const path of paths) seen.delete(path);
    },
  };
}

function refuse(problems: readonly Problem[]): void {
  const first = problems.find((problem) => problem.code === "secret-found") ?? problems[0];
  if (first === undefined) return;
  const more = problems.length === 1 ? "" : ` (and ${problems.length - 1} more)`;
  const secret = first.code === "secret-found";
  throw new EdaError("precondition", first.code, `${secret ? `${first.at?.file}: ${first.message}` : first.message}${more}.`, {
    todo: secret
      ? "Take the credential out of the file, and replace it where it is in use. If it is none, put the comment secretlint-disable-line on its line."
      : "Keep data out of Git: move the file to Drive or list it in .gitignore. The limit is git.maxFileBytes in configs/eda.yaml.",
    ...(first.at === undefined ? {} : { at: first.at }),
    findings: problems.slice(0, MAX_FINDINGS).map(({ message, at }) => ({ message, ...(at === undefined ? {} : { at }) })),
  });
}

function tooLarge(path: string, size: number, limit: number): Problem {
  return {
    code: "file-too-large",
    message: `${path} has ${prettyBytes(size)}, more than the ${prettyBytes(limit)} allowed`,
    at: { file: path },
  };
}

function absent(error: unknown): undefined {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === "ENOENT" || code === "ENOTDIR") return undefined;
  throw error;
}

function unreadable(path: string, cause: unknown): never {
  throw new EdaError("precondition", "unreadable-file", `${path} cannot be read.`, { at: { file: path }, cause });
}

/** The object name of a blob in a SHA-1 repository (gitformat-loose: the header is hashed with the content). */
function blobId(content: Uint8Array): string {
  return createHash("sha1").update(`blob ${content.byteLength}\0`).update(content).digest("hex");
}
