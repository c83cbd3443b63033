import { describe, expect, it } from "vitest";
import { isResumable, jobLine, jobProgress, jobStateIcon, jobStateName, reasonWords } from "../../../src/extension/text/jobs.ts";
import { jobView, STATUSES } from "../../support/job-views.ts";

describe("a job in words", () => {
  it("says how far a running one is, and how long it still takes", () => {
    expect(jobLine(jobView())).toBe("running · 42% · step 420 of 1000 · 56 min 37 sec left");
  });

  it("does not promise an end to one that is lost", () => {
    expect(jobLine(jobView({ status: STATUSES.lost }))).toBe("lost · 30% · step 300 of 1000");
  });

  it("has no progress before the first beat", () => {
    expect(jobProgress(jobView({ status: STATUSES.waiting }))).toBeUndefined();
    expect(jobLine(jobView({ status: STATUSES.waiting }))).toBe("waiting for a runtime");
  });

  it("says what to do about it", () => {
    expect(reasonWords(STATUSES.lost.reason)).toMatchObject({ todo: "Resume the job: a new attempt continues from step 300." });
    expect(reasonWords(STATUSES.failed.reason)).toEqual({
      message: "Attempt 1 failed: WrongAccelerator: The job wants a T4 and got no GPU.",
      todo: "Choose Runtime, Change runtime type, T4 GPU, then run all cells.",
    });
  });

  it("can be resumed while its run still follows it, and not after", () => {
    expect(isResumable(jobView({ status: STATUSES.lost }))).toBe(true);
    expect(isResumable(jobView({ status: STATUSES.failed, finishedAt: "2026-11-24T12:10:00.000Z" }))).toBe(false);
    expect(isResumable(jobView({ status: STATUSES.running }))).toBe(false);
  });

  it("shows control characters of a runtime's words instead of sending them", () => {
    const reason = { code: "attempt-failed", args: { number: 1, problem: "\u001b[31mred", todo: "-" } } as const;
    expect(reasonWords(reason).message).not.toContain("\u001b");
  });

  it("has a name and an icon of its own for every state", () => {
    const states = [...new Set(Object.values(STATUSES).map(({ state }) => state))];
    expect(new Set(states.map(jobStateName)).size).toBe(states.length);
    expect(new Set(states.map((state) => jobStateIcon(state).id)).size).toBe(states.length);
  });
});
