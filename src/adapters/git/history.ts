/** Reading commits: by their trailers, and the files in them. */
import { type CommitMoment, parseTrailers } from "../../domain/commit.ts";
import type { Git } from "./git.ts";
import type { Places } from "./places.ts";

const PAGE_COMMITS = 256;
const LOG = ["log", "-z", "--no-show-signature", "--no-color", "--format=%H%n%B", "--fixed-strings"];

interface LoggedCommit {
  readonly commit: string;
  readonly message: string;
}

export async function findCommit(git: Git, places: Places, run: string, moment: CommitMoment): Promise<string | undefined> {
  const head = await places.head();
  if (head === undefined) return undefined;
  const candidates = parseLog(await git.text([...LOG, `--grep=Execucao: ${run}`, head]));
  return candidates.find(({ message }) => {
    const trailers = parseTrailers(message);
    return trailers.Execucao === run && trailers.Momento === moment;
  })?.commit;
}

/** Pages through the history of the commit HEAD was at when the reading began. */
export async function* governedLog(git: Git, places: Places, limit: number): AsyncGenerator<LoggedCommit> {
  const head = await places.head();
  if (head === undefined) return;
  let left = limit;
  for (let skip = 0; left > 0; skip += PAGE_COMMITS) {
    const page = parseLog(await git.text([...LOG, "--grep=Execucao: ", `--skip=${skip}`, `--max-count=${PAGE_COMMITS}`, head]));
    for (const entry of page) {
      const { Execucao, Momento } = parseTrailers(entry.message);
      if (Execucao === undefined || Momento === undefined) continue;
      yield entry;
      left -= 1;
      if (left === 0) return;
    }
    if (page.length < PAGE_COMMITS) return;
  }
}

export async function readAt(git: Git, commit: string, path: string): Promise<Uint8Array | undefined> {
  try {
    return await git.catFile(["blob", `${commit}:${path}`]);
  } catch {
    // Not there, no file, or a trouble that this tells.
    const entry = (await treeEntries(git, ["--", path], commit)).find((each) => each.path === path);
    return entry === undefined ? undefined : git.catFile(["blob", entry.object]);
  }
}

export async function listAt(git: Git, commit: string, folder: string): Promise<string[]> {
  const below = folder.replace(/\/+$/u, "");
  const entries = await treeEntries(git, below === "" ? [] : ["--", `${below}/`], commit);
  return entries.map((entry) => entry.path).sort();
}

async function treeEntries(git: Git, pathspec: readonly string[], commit: string): Promise<{ path: string; object: string }[]> {
  const text = await git.text(["ls-tree", "-r", "-z", "--full-tree", commit, ...pathspec]);
  return text.split("\0").flatMap((record) => {
    const tab = record.indexOf("\t");
    const [, type, object] = record.slice(0, Math.max(tab, 0)).split(" ");
    return type === "blob" ? [{ path: record.slice(tab + 1), object: object as string }] : [];
  });
}

function parseLog(text: string): LoggedCommit[] {
  return text.split("\0").flatMap((record) => {
    const end = record.indexOf("\n");
    return end < 0 ? [] : [{ commit: record.slice(0, end), message: record.slice(end + 1) }];
  });
}
