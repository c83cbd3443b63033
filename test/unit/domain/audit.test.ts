import { describe, expect, it } from "vitest";
import {
  type AuditContent,
  type AuditEntry,
  type AuditHead,
  auditHash,
  brokenLink,
  formatAuditHead,
  GENESIS_HASH,
  parseAuditHead,
} from "../../../src/domain/audit.ts";

const content: AuditContent = {
  event: "run.published",
  project: "voos",
  stage: "ingest",
  run: "20261124-120000-aaaaaa",
  actor: "ana",
  at: "2026-11-24T12:00:00.000Z",
  payload: { rows: 2, nested: { b: 1, a: [true, null] } },
};

/** Entries of a whole chain. */
function chain(...contents: readonly Partial<AuditContent>[]): AuditEntry[] {
  const entries: AuditEntry[] = [];
  for (const more of contents) {
    const sequence = entries.length + 1;
    const previousHash = entries.at(-1)?.hash ?? GENESIS_HASH;
    const own = { ...content, ...more };
    entries.push({ ...own, sequence, previousHash, hash: auditHash(sequence, previousHash, own) });
  }
  return entries;
}

function firstProblem(entries: readonly AuditEntry[]): string | undefined {
  let previous: AuditHead = { sequence: 0, hash: GENESIS_HASH };
  for (const entry of entries) {
    const problem = brokenLink(entry, previous);
    if (problem !== undefined) return problem;
    previous = entry;
  }
  return undefined;
}

describe("audit chain", () => {
  it("hashes the same content to the same value for ever", () => {
    // Computed by another program: SHA-256 of the JSON with sorted keys and no spaces.
    expect(auditHash(1, GENESIS_HASH, content)).toBe("307d74a4f30bb1c37c1e42835b48bc71a7ec061cf48481193038edc178e96f7e");
  });

  it("hashes content, whatever the order of its members", () => {
    const { event, ...rest } = content;
    const reordered = { ...rest, payload: { nested: { a: [true, null], b: 1 }, rows: 2 }, event };
    expect(auditHash(1, GENESIS_HASH, reordered)).toBe(auditHash(1, GENESIS_HASH, content));
  });

  it("hashes nothing but what an entry says: what it carries along does not matter", () => {
    const stored = { ...content, sequence: 9, previousHash: "x", hash: "y", id: 3 };
    expect(auditHash(1, GENESIS_HASH, stored)).toBe(auditHash(1, GENESIS_HASH, content));
  });

  it.each<Partial<AuditContent>>([
    { event: "run.failed" },
    { project: null },
    { stage: "staging" },
    { run: null },
    { actor: "bia" },
    { at: "2026-11-24T12:00:00.001Z" },
    { payload: { rows: 3, nested: { b: 1, a: [true, null] } } },
  ])("hashes another value for another %o", (change) => {
    expect(auditHash(1, GENESIS_HASH, { ...content, ...change })).not.toBe(auditHash(1, GENESIS_HASH, content));
  });

  it("covers place and predecessor", () => {
    expect(auditHash(2, GENESIS_HASH, content)).not.toBe(auditHash(1, GENESIS_HASH, content));
    expect(auditHash(1, "f".repeat(64), content)).not.toBe(auditHash(1, GENESIS_HASH, content));
  });

  it("holds from the first entry to the last", () => {
    expect(firstProblem(chain({}, { actor: "bia" }, { event: "run.failed" }))).toBeUndefined();
  });

  it("breaks at an entry that was changed", () => {
    const [first, second, third] = chain({}, {}, {}) as [AuditEntry, AuditEntry, AuditEntry];
    expect(firstProblem([first, { ...second, actor: "bia" }, third])).toBe("audit entry 2 was changed after it was written");
  });

  it("breaks after an entry that was changed and hashed anew", () => {
    const [first, second, third] = chain({}, {}, {}) as [AuditEntry, AuditEntry, AuditEntry];
    const forged = { ...second, actor: "bia" };
    const hash = auditHash(forged.sequence, forged.previousHash, forged);
    expect(firstProblem([first, { ...forged, hash }, third])).toBe("audit entry 3 does not continue the chain");
  });

  it("breaks where an entry is missing, at the start too", () => {
    const [first, second, third] = chain({}, {}, {}) as [AuditEntry, AuditEntry, AuditEntry];
    expect(firstProblem([first, third])).toBe("audit entry 2 is missing (found 3 next)");
    expect(firstProblem([second, third])).toBe("audit entry 1 is missing (found 2 next)");
  });

  it("breaks where an entry is doubled", () => {
    const [first] = chain({}) as [AuditEntry];
    expect(firstProblem([first, first])).toBe("audit entry 2 is missing (found 1 next)");
  });

  it("writes its head for a commit's trailer, and reads it back", () => {
    const head = { sequence: 12, hash: "a1".repeat(32) };
    expect(formatAuditHead(head)).toBe(`12:${"a1".repeat(32)}`);
    expect(parseAuditHead(` ${formatAuditHead(head)}\n`)).toEqual(head);
  });

  it.each(["", "12", `12:${"a".repeat(63)}`, `12:${"A".repeat(64)}`, `x:${"a".repeat(64)}`, `-1:${"a".repeat(64)}`, `1:${"a".repeat(65)}`])(
    "reads no head from %j",
    (text) => {
      expect(parseAuditHead(text)).toBeUndefined();
    },
  );
});
