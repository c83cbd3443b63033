/** The audit chain against itself, and against the heads that commits carry. */
import { type AuditEntry, type AuditHead, brokenLink, GENESIS_HASH } from "../../domain/audit.ts";
import type { Inventory } from "../../ports/inventory.ts";
import type { RunCommits } from "./commits.ts";
import type { Findings } from "./findings.ts";

/** How runs ended, as the chain has it. */
const ENDINGS = new Set(["run.published", "run.failed", "run.cancelled"]);

export interface Ending {
  readonly entry: AuditEntry;
  /** False for an entry that was changed: what it says counts for nothing. */
  readonly isIntact: boolean;
}

export interface AuditTrail {
  readonly entries: number;
  /** The entry that closes each run, by run id. */
  readonly endings: ReadonlyMap<string, Ending>;
}

export async function verifyAuditChain(
  inventory: Inventory,
  commits: ReadonlyMap<string, RunCommits>,
  findings: Findings,
): Promise<AuditTrail> {
  const anchors = anchorsOf(commits);
  const endings = new Map<string, Ending>();
  let previous: AuditHead = { sequence: 0, hash: GENESIS_HASH };
  let isBroken = false;
  let isAnchorBroken = false;
  for await (const entry of inventory.audit()) {
    // After a broken entry the next one is held to its own hash alone, so that one change is one problem.
    const broken = brokenLink(entry, isBroken ? { ...previous, hash: entry.previousHash } : previous);
    isBroken = broken !== undefined;
    if (broken !== undefined) findings.add("audit", String(Math.min(entry.sequence, previous.sequence + 1)), broken);
    const anchor = anchors.get(entry.sequence);
    // A chain rewritten from one entry on breaks every later anchor as well: the first is the one that was changed.
    const isRewritten = anchor !== undefined && anchor.hash !== entry.hash && !isAnchorBroken;
    if (isRewritten) {
      isAnchorBroken = true;
      findings.add(
        "audit",
        String(entry.sequence),
        `audit entry ${entry.sequence} is not the one that commit ${anchor.commit.slice(0, 12)} carries`,
      );
    }
    if (entry.run !== null && ENDINGS.has(entry.event)) endings.set(entry.run, { entry, isIntact: !isBroken && !isRewritten });
    previous = { sequence: entry.sequence, hash: entry.hash };
  }
  const [missing] = [...anchors].filter(([sequence]) => sequence > previous.sequence).sort(([a], [b]) => a - b);
  if (missing !== undefined) {
    const [sequence, { commit }] = missing;
    findings.add("audit", String(sequence), `audit entry ${sequence}, which commit ${commit.slice(0, 12)} carries, is missing`);
  }
  return { entries: previous.sequence, endings };
}

interface Anchor {
  readonly hash: string;
  readonly commit: string;
}

function anchorsOf(commits: ReadonlyMap<string, RunCommits>): Map<number, Anchor> {
  const anchors = new Map<number, Anchor>();
  for (const { head, after } of commits.values()) {
    if (head !== undefined && after !== undefined) anchors.set(head.sequence, { hash: head.hash, commit: after });
  }
  return anchors;
}
