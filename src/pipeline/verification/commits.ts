/** What Git says of governed runs: their commits, and the audit heads that these carry. */
import { type AuditHead, parseAuditHead } from "../../domain/audit.ts";
import { parseTrailers } from "../../domain/commit.ts";
import type { Repository } from "../../ports/repository.ts";

/** More commits than any repository has. */
const ALL = 2 ** 31 - 1;

export interface RunCommits {
  readonly before?: string;
  readonly after?: string;
  /** Of the commit after: sha256 of the manifest, and the head of the audit chain. */
  readonly manifest?: string;
  readonly head?: AuditHead;
}

/** By run id. */
export async function readRunCommits(repository: Repository): Promise<ReadonlyMap<string, RunCommits>> {
  const commits = new Map<string, RunCommits>();
  for await (const { commit, message } of repository.log(ALL)) {
    const trailers = parseTrailers(message);
    const run = trailers.Execucao;
    if (run === undefined) continue;
    const known = commits.get(run) ?? {};
    if (trailers.Momento === "antes") commits.set(run, { ...known, before: commit });
    if (trailers.Momento === "depois") {
      const manifest = /sha256:([0-9a-f]{64})/u.exec(trailers.Saidas ?? "")?.[1];
      const head = parseAuditHead(trailers.Auditoria ?? "");
      commits.set(run, {
        ...known,
        after: commit,
        ...(manifest === undefined ? {} : { manifest }),
        ...(head === undefined ? {} : { head }),
      });
    }
  }
  return commits;
}
