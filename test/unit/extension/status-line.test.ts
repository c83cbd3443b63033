import { describe, expect, it } from "vitest";
import { EdaError } from "../../../src/domain/errors.ts";
import type { LinkState } from "../../../src/extension/host/link.ts";
import { statusLine } from "../../../src/extension/text/status.ts";
import type { GitStatus, HostStatus } from "../../../src/protocol/messages.ts";

const CONNECTED: LinkState = { kind: "connected", ownBuild: true, status: {} as HostStatus };
const CLEAN: GitStatus = { branch: "main", commit: "1".repeat(40), governed: [], ungoverned: [], unpushed: null, problem: null };

describe("the status line", () => {
  it("is quiet in a clean work tree", () => {
    expect(statusLine(CONNECTED, CLEAN, [])).toEqual({
      text: "$(git-commit) eda",
      tooltip: "Branch main\nNo changes since the last commit.",
      tone: "plain",
    });
  });

  it("counts what the next run commits and what it leaves alone", () => {
    const git = { ...CLEAN, governed: ["sql/a.sql"], ungoverned: ["notes.txt", "b.txt"], unpushed: 2 };
    const { text, tooltip } = statusLine(CONNECTED, git, []);
    expect(text).toBe("$(git-commit) eda: 1 to commit, 2 ungoverned");
    expect(tooltip).toContain("  sql/a.sql");
    expect(tooltip).toContain("Commits not pushed yet: 2");
  });

  it("names eight files at most", () => {
    const governed = Array.from({ length: 20 }, (_, index) => `sql/${index}.sql`);
    const lines = statusLine(CONNECTED, { ...CLEAN, governed }, []).tooltip.split("\n");
    expect(lines.filter((line) => line.startsWith("  sql/"))).toHaveLength(8);
    expect(lines.at(-1)).toBe("  … and 12 more");
  });

  it("warns of what blocks runs, with what to do", () => {
    const git = { ...CLEAN, problem: { code: "merge-in-progress", message: "A merge is in progress.", todo: "Finish it." } };
    expect(statusLine(CONNECTED, git, [])).toEqual({
      text: "$(warning) eda: runs are blocked",
      tooltip: "A merge is in progress.\nFinish it.",
      tone: "warning",
    });
  });

  it("shows the stage at work before everything else", () => {
    const progress = { done: 1, total: 2, unit: "files", label: "$(error) a.csv" } as const;
    const waiting = { run: "2", project: "lojas", stage: "staging", state: "waiting" } as const;
    const working = { run: "1", project: "lojas", stage: "ingest", state: "executing", progress } as const;
    const { text } = statusLine(CONNECTED, { ...CLEAN, governed: ["sql/a.sql"] }, [waiting, working]);
    expect(text).toBe("$(sync~spin) 2/7 Ingest 50%");
  });

  it("says that the host is away, or why it cannot start", () => {
    expect(statusLine({ kind: "stopped" }, CLEAN, []).tooltip).toBe("The eda host of this workspace is not running.");
    const error = new EdaError("unavailable", "host-not-installed", "No eda installation was found.");
    expect(statusLine({ kind: "failed", error }, undefined, [])).toEqual({
      text: "$(error) eda",
      tooltip: "No eda installation was found.",
      tone: "error",
    });
  });
});
