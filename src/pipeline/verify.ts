/**
 * Verification: everything that was ever published is read again, and object store, inventory, Git and audit chain are held against each
 * other. Each thing changed by hand is named exactly once.
 */
import type { RunProgress } from "../domain/run.ts";
import type { VerifyReport } from "../domain/verification.ts";
import type { Services } from "./stage-definition.ts";
import { verifyAuditChain } from "./verification/audit-chain.ts";
import { readRunCommits } from "./verification/commits.ts";
import { Findings } from "./verification/findings.ts";
import { knownRuns } from "./verification/known-runs.ts";
import { verifyManifests } from "./verification/manifests.ts";
import { verifyObjects } from "./verification/objects.ts";
import { verifyRows } from "./verification/rows.ts";

export interface VerifyOptions {
  /** Only this project. The audit chain is one for all projects and verified whole. */
  readonly project?: string;
  readonly signal: AbortSignal;
  /** Bytes read again, of all. */
  readonly onProgress: (progress: RunProgress) => void;
  /** Runs at work: what they have not finished is left out. */
  readonly isActive: (run: string) => boolean;
}

/** @throws EdaError `cancelled` when the signal fires; `precondition` when there is no repository */
export async function verify(services: Services, options: VerifyOptions): Promise<VerifyReport> {
  const { project, signal, onProgress } = options;
  const findings = new Findings();
  const runs = await knownRuns(services.inventory, options.isActive);
  const commits = await readRunCommits(services.repository);
  const trail = await verifyAuditChain(services.inventory, commits, findings);
  const manifests = await verifyManifests({ services, runs, trail, commits, project, signal, findings });
  const rows = await verifyRows({ services, runs, trail, manifests, project, signal, findings });
  const { objects, bytes } = await verifyObjects({ services, runs, trail, rows, manifests, project, signal, onProgress, findings });
  return {
    ok: findings.all.length === 0,
    objects,
    bytes,
    rows: rows.length,
    manifests: manifests.size,
    auditEntries: trail.entries,
    problems: findings.all,
  };
}
