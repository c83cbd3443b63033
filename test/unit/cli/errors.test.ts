import pc from "picocolors";
import { describe, expect, it } from "vitest";
import { renderError } from "../../../src/cli/output/errors.ts";

const plain = pc.createColors(false);

describe("renderError", () => {
  it("says what happened, where, what else, and what to do", () => {
    const text = renderError(
      {
        kind: "precondition",
        code: "invalid-config",
        message: "configs/projects/p.yaml is not valid: drive: unknown key",
        todo: "Correct the file and run again.",
        at: { file: "configs/projects/p.yaml", line: 3, column: 5 },
        findings: [{ message: "drive: unknown key", at: { file: "configs/projects/p.yaml", line: 3, column: 5 } }, { message: "no place" }],
      },
      plain,
    );
    expect(text.split("\n")).toEqual([
      "error configs/projects/p.yaml is not valid: drive: unknown key [invalid-config]",
      "  at configs/projects/p.yaml:3:5",
      "  - configs/projects/p.yaml:3:5 drive: unknown key",
      "  - no place",
      "  → Correct the file and run again.",
    ]);
  });

  it("lists the first twenty findings and counts the rest", () => {
    const findings = Array.from({ length: 25 }, (_, index) => ({ message: `file ${index}` }));
    const text = renderError({ kind: "terminal", code: "files-failed", message: "25 file(s) failed", findings }, plain);
    expect(text).toContain("- file 19");
    expect(text).not.toContain("- file 20");
    expect(text).toContain("… and 5 more; --json lists them all");
  });

  it("keeps the lines of a traceback and defuses its control characters", () => {
    const text = renderError({ kind: "terminal", code: "cell-failed", message: "Traceback:\n  cell 3\u001b]0;owned\u0007" }, plain);
    expect(text).toContain("Traceback:\n      cell 3");
    expect(text).not.toContain("\u001b");
  });
});
