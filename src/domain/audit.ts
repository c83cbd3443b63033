/**
 * The audit chain: each entry's hash covers its content and the hash before it, so that a change anywhere
 * breaks every later link. The head goes into each commit, which anchors the chain in Git.
 */
import { hashJson, type JsonObject } from "./json.ts";

/** Hash before the first entry. */
export const GENESIS_HASH = "0".repeat(64);

export interface AuditContent {
  /** `run.published`, `run.failed`, `run.committed`, … */
  readonly event: string;
  readonly project: string | null;
  readonly stage: string | null;
  readonly run: string | null;
  readonly actor: string;
  /** ISO 8601 with milliseconds, UTC. */
  readonly at: string;
  readonly payload: JsonObject;
}

export interface AuditEntry extends AuditContent {
  /** 1-based, without gaps. */
  readonly sequence: number;
  readonly previousHash: string;
  readonly hash: string;
}

export interface AuditHead {
  readonly sequence: number;
  readonly hash: string;
}

export function auditHash(sequence: number, previousHash: string, content: AuditContent): string {
  return hashJson({ sequence, previousHash, ...pickContent(content) });
}

/** `sequence:hash`, as the `Auditoria:` trailer carries it. */
export function formatAuditHead(head: AuditHead): string {
  return `${head.sequence}:${head.hash}`;
}

export function parseAuditHead(text: string): AuditHead | undefined {
  const match = /^(\d+):([0-9a-f]{64})$/u.exec(text.trim());
  return match === null ? undefined : { sequence: Number(match[1]), hash: match[2] as string };
}

/** The first thing wrong between an entry and what must precede it; undefined when the link holds. */
export function brokenLink(entry: AuditEntry, previous: AuditHead): string | undefined {
  if (entry.sequence !== previous.sequence + 1) {
    return `audit entry ${previous.sequence + 1} is missing (found ${entry.sequence} next)`;
  }
  if (entry.previousHash !== previous.hash) return `audit entry ${entry.sequence} does not continue the chain`;
  if (auditHash(entry.sequence, entry.previousHash, entry) !== entry.hash) {
    return `audit entry ${entry.sequence} was changed after it was written`;
  }
  return undefined;
}

function pickContent(content: AuditContent): AuditContent {
  const { event, project, stage, run, actor, at, payload } = content;
  return { event, project, stage, run, actor, at, payload };
}
