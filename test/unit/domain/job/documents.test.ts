import { describe, expect, it } from "vitest";
import { checkArtefacts } from "../../../../src/domain/job/artefacts.ts";
import { acceleratorText, isDoneName, readBeat, readDone } from "../../../../src/domain/job/format.ts";
import { jobLimitsSchema } from "../../../../src/domain/job/limits.ts";
import { openSealed, sealedText } from "../../../../src/domain/job/seal.ts";
import { beatOf, doneOf, FIRST } from "../../../support/job-documents.ts";

const TEXT = sealedText(beatOf(FIRST, 3));

describe("a sealed document", () => {
  it("opens as it was", () => {
    expect(readBeat(TEXT)).toEqual({ kind: "whole", document: beatOf(FIRST, 3) });
  });

  it("is partial at every length but its own", () => {
    // The last characters are the line feed and, before it, what JSON needs to end.
    for (let length = 0; length < TEXT.length - 1; length += 1) expect(readBeat(TEXT.slice(0, length)).kind).toBe("partial");
  });

  it("does not open when a digit of it was changed", () => {
    expect(readBeat(TEXT.replace('"step": 30', '"step": 31')).kind).toBe("partial");
    expect(openSealed(TEXT)).toBeDefined();
  });

  it("opens when written in one line, with numbers and characters as another language writes them", () => {
    const body = '{"a": 1e-07, "b": 1.0, "c": "\\u00e7ã"';
    // Made by Python: hashlib.sha256(body.encode()).hexdigest()
    const text = `${body}, "sha256": "f0e51456a860139ee587659423a6b82091add49a1a3ff5cb33c8db5f406c19be"}`;
    expect(openSealed(text)).toMatchObject({ a: 1e-7, b: 1, c: "çã" });
  });

  it("that says something else is invalid, and says where", () => {
    const { attempt: _, ...rest } = beatOf(FIRST, 3);
    expect(readBeat(sealedText({ ...rest, attempt: "../1" }))).toEqual({ kind: "invalid", problem: "attempt: must be like 001-9f3a1c7e" });
    expect(readBeat(sealedText(doneOf(FIRST, 3))).kind).toBe("invalid");
  });

  it.each(["../x", "/x", "a/../b", "a//b", "a\\b", "", ".", "a/\u0000"])("refuses the artefact path %j", (path) => {
    const [artefact] = doneOf(FIRST, 3).artefacts;
    const text = sealedText({ ...doneOf(FIRST, 3), artefacts: [{ ...artefact, path }] });
    expect(readDone(text).kind).toBe("invalid");
  });
});

it("DONE.json is also known under the names that a second one gets", () => {
  expect(["DONE.json", "DONE (1).json", "DONE(2).json"].filter(isDoneName)).toHaveLength(3);
  expect(["DONE.json.partial", "done.json", "XDONE.json", "DONE (x).json"].filter(isDoneName)).toEqual([]);
});

it("a commit's trailer names what really trained and where", () => {
  expect(acceleratorText(doneOf(FIRST, 3))).toBe("Tesla T4, Colab");
});

it("limits have an order", () => {
  expect(jobLimitsSchema.parse({})).toMatchObject({ beatSeconds: 60, lateSeconds: 300, suspectSeconds: 900, lostSeconds: 1_800 });
  expect(jobLimitsSchema.safeParse({ lateSeconds: 30 }).error?.issues[0]).toMatchObject({ path: ["lateSeconds"] });
  expect(jobLimitsSchema.safeParse({ lostSeconds: 600 }).error?.issues[0]).toMatchObject({ path: ["lostSeconds"] });
});

describe("checkArtefacts", () => {
  const done = doneOf(FIRST, 3);
  const [model, metrics] = done.artefacts.map((artefact) => artefact.path) as [string, string];
  const check = (files: Record<string, { size: number | null; sha256: string | null }>) =>
    checkArtefacts(done, new Map(Object.entries(files)));
  const whole = { [model]: { size: 3, sha256: "a".repeat(64) }, [metrics]: { size: 12, sha256: null } };

  it("finds nothing when sizes and the known hashes agree", () => {
    expect(check(whole)).toEqual({ missing: [], findings: [] });
  });

  it("names what has not come yet, or not to its end", () => {
    expect(check({ [metrics]: { size: 5, sha256: null } })).toEqual({ missing: [model, metrics], findings: [] });
  });

  it("names what is different", () => {
    const { missing, findings } = check({ [model]: { size: 3, sha256: "c".repeat(64) }, [metrics]: { size: 13, sha256: null } });
    expect(missing).toEqual([]);
    expect(findings.map((finding) => finding.message)).toEqual([
      `${model} has another content than DONE.json says (sha256).`,
      `${metrics} has 13 bytes, and DONE.json says 12.`,
    ]);
  });
});
