import { describe, expect, it } from "vitest";
import { FIRST_VIEW_STATE, readPageMessage, readViewState, readWindowMessage } from "../../../src/protocol/monitor-messages.ts";
import { jobView } from "../../support/job-views.ts";

const JOB = "20261124-120000-k3f9qz";

describe("what the page may ask", () => {
  it.each([
    { type: "ready" },
    { type: "watch", jobs: [JOB] },
    { type: "cancel", job: JOB },
    { type: "open-file", job: JOB, list: "outputs", index: 0 },
    { type: "save", name: "projeto_voos loss.svg", data: "<svg/>" },
  ])("is this: $type", (message) => {
    expect(readPageMessage(message)).toEqual(message);
  });

  it.each([
    "ready",
    null,
    { type: "run", command: "rm" },
    { type: "cancel", job: "../x" },
    { type: "watch", jobs: Array.from({ length: 21 }, () => JOB) },
    { type: "open-file", job: JOB, list: "../etc", index: 0 },
    { type: "open-file", job: JOB, list: "inputs", index: -1 },
    { type: "save", name: "../../x.png", data: "" },
    { type: "save", name: ".bashrc", data: "" },
    { type: "save", name: "x.sh", data: "" },
  ])("is nothing else: %j", (message) => {
    expect(readPageMessage(message)).toBeUndefined();
  });
});

describe("what the page takes", () => {
  it("are jobs and curves of typed columns", () => {
    expect(readWindowMessage({ type: "jobs", jobs: [jobView()] })).toBeDefined();
    const column = Float64Array.of(1, 2);
    const series = { type: "series", job: JOB, isWhole: true, readings: [] };
    expect(
      readWindowMessage({ ...series, points: [{ attempt: "001", steps: column, times: column, values: { loss: column } }] }),
    ).toBeDefined();
    expect(readWindowMessage({ ...series, points: [{ attempt: "001", steps: [1], times: [1], values: {} }] })).toBeUndefined();
  });

  it("is no job without an id", () => {
    expect(readWindowMessage({ type: "jobs", jobs: [{ ...jobView(), job: "<img>" }] })).toBeUndefined();
  });
});

it("starts anew when what was kept is not of this version", () => {
  expect(readViewState(FIRST_VIEW_STATE)).toEqual(FIRST_VIEW_STATE);
  expect(readViewState({ ...FIRST_VIEW_STATE, smoothing: 2 })).toBeUndefined();
  expect(readViewState(undefined)).toBeUndefined();
});
