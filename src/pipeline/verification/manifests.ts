/** The manifests in Git and in the work tree against the audit chain, and the commits against the executions. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Manifest, type ManifestDetail, MANIFESTS_FOLDER, manifestPath, manifestSha256 } from "../../domain/manifest.ts";
import type { RunRecord } from "../../domain/run.ts";
import type { Services } from "../stage-definition.ts";
import type { AuditTrail, Ending } from "./audit-chain.ts";
import type { RunCommits } from "./commits.ts";
import type { Findings } from "./findings.ts";
import type { KnownRuns } from "./known-runs.ts";

export interface ManifestRequest {
  readonly services: Services;
  readonly runs: KnownRuns;
  readonly trail: AuditTrail;
  readonly commits: ReadonlyMap<string, RunCommits>;
  readonly project: string | undefined;
  readonly signal: AbortSignal;
  readonly findings: Findings;
}

/** @returns the manifests that the audit chain vouches for, by run id */
export async function verifyManifests(request: ManifestRequest): Promise<ReadonlyMap<string, Manifest>> {
  const { services, runs, trail, commits, project, signal, findings } = request;
  const { commit: head } = await services.repository.head();
  const trusted = new Map<string, Manifest>();
  for (const [run, ending] of trail.endings) {
    signal.throwIfAborted();
    if ((project !== undefined && ending.entry.project !== project) || (await runs.isUnsettled(run))) continue;
    const record = runs.ended.get(run);
    if (record === undefined) {
      findings.add("commit", run, `run ${run} is in the audit chain, but not among the executions`);
      continue;
    }
    const manifest = await verifyManifest(services, record, ending, commits.get(run) ?? {}, head, findings);
    if (manifest !== undefined) trusted.set(run, manifest);
  }
  for (const record of runs.ended.values()) {
    if (project !== undefined && record.project !== project) continue;
    verifyExecution(record, trail.endings.get(record.run), commits.get(record.run) ?? {}, findings);
  }
  await findStrangers(request, head);
  return trusted;
}

/** The full lists of a manifest, wherever they lie. Undefined when they are not readable; verifying the detail object says why. */
export async function manifestLists(services: Services, manifest: Manifest, signal: AbortSignal): Promise<Manifest["lists"]> {
  if (manifest.detail === undefined) return manifest.lists;
  try {
    const content = await services.objects.read(manifest.detail satisfies ManifestDetail, signal);
    const chunks: Buffer[] = [];
    for await (const chunk of content) chunks.push(chunk as Buffer);
    return JSON.parse(Buffer.concat(chunks).toString("utf8")) as Manifest["lists"];
  } catch {
    return undefined;
  }
}

async function verifyManifest(
  services: Services,
  record: RunRecord,
  ending: Ending,
  commits: RunCommits,
  head: string,
  findings: Findings,
): Promise<Manifest | undefined> {
  const { repository, workspace } = services;
  const path = manifestPath(record.project, record.stage, record.run);
  if (commits.after === undefined) {
    findings.add("commit", record.run, `run ${record.run} ended as ${record.state}, but has no commit after it: eda recover makes it`);
    return undefined;
  }
  // A changed audit entry is named already; the commit still knows what it said.
  const expected = ending.isIntact ? ending.entry.payload.manifest : commits.manifest;
  if (commits.manifest !== expected) {
    findings.add("commit", record.run, `the commit after run ${record.run} names another manifest (Saidas:) than the audit chain`);
  }
  const inHead = await repository.readAt(head, path);
  const inWorkTree = await readFile(join(workspace, path)).catch(() => undefined);
  if (inHead === undefined) findings.add("manifest", path, "is not in Git any more");
  else if (manifestSha256(text(inHead)) !== expected) findings.add("manifest", path, "was changed in Git after the run");
  else if (inWorkTree === undefined) findings.add("manifest", path, "was removed from the work tree");
  else if (manifestSha256(text(inWorkTree)) !== expected) findings.add("manifest", path, "was changed in the work tree");
  for (const copy of [inHead, await repository.readAt(commits.after, path)]) {
    if (copy !== undefined && manifestSha256(text(copy)) === expected) return JSON.parse(text(copy)) as Manifest;
  }
  findings.add("manifest", path, "is not the one in the audit chain");
  return undefined;
}

function verifyExecution(record: RunRecord, ending: Ending | undefined, commits: RunCommits, findings: Findings): void {
  const { run } = record;
  if (ending === undefined && (record.state === "succeeded" || record.commitAfter !== null)) {
    findings.add("audit", run, `run ${run} is recorded as ${record.state}, but the audit chain has no entry of its end`);
  }
  for (const [moment, recorded, found] of [
    ["before", record.commitBefore, commits.before],
    ["after", record.commitAfter, commits.after],
  ] as const) {
    if (recorded === null || recorded === found) continue;
    const message = found === undefined ? "cannot be reached from HEAD" : `is not the one in Git, ${found.slice(0, 12)}`;
    findings.add("commit", run, `the commit ${moment} run ${run} (${recorded.slice(0, 12)}) ${message}`);
  }
}

/** Manifests of runs that never were. */
async function findStrangers({ services, runs, project, findings }: ManifestRequest, head: string): Promise<void> {
  const folder = project === undefined ? MANIFESTS_FOLDER : `${MANIFESTS_FOLDER}/${project}`;
  for (const path of await services.repository.listAt(head, folder)) {
    const run = /\/([^/]+)\.json$/u.exec(path)?.[1];
    if (run === undefined || runs.ended.has(run) || (await runs.isUnsettled(run))) continue;
    findings.add("manifest", path, "belongs to no run that was recorded");
  }
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
