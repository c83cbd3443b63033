import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sealedText } from "../../../src/domain/job/seal.ts";
import { logTail } from "../../../src/host/job-log.ts";
import { openJobSeries } from "../../../src/host/job-series.ts";
import { type JobMirror, openJobMirror } from "../../../src/pipeline/jobs/mirror.ts";
import { beatOf, FIRST, SECOND } from "../../support/job-documents.ts";

let workspace: string;
let mirror: JobMirror;

beforeEach(() => {
  workspace = mkdtempSync(join(tmpdir(), "eda-series-"));
  mirror = openJobMirror(workspace, "job-1");
});
afterEach(() => rmSync(workspace, { recursive: true, force: true }));

const nameOf = (attempt: string, sequence: number) => `${attempt}-${String(sequence).padStart(6, "0")}`;
const addBeat = (attempt: string, sequence: number) =>
  mirror.write(`beats/${nameOf(attempt, sequence)}.json`, sealedText(beatOf(attempt, sequence)));
const addLog = (attempt: string, sequence: number, text: string) => mirror.write(`logs/${nameOf(attempt, sequence)}.log`, text);

describe("the curves of a job", () => {
  it("are whole first, and then only what came since", async () => {
    const series = openJobSeries(workspace);
    await addBeat(FIRST, 1);
    await addBeat(FIRST, 2);
    const first = await series("job-1");
    expect(first).toMatchObject({ isWhole: true, points: [{ attempt: FIRST, steps: [10, 20], values: { loss: [1, 0.5] } }] });
    await addBeat(FIRST, 3);
    await addBeat(SECOND, 1);
    const second = await series("job-1", first.cursor);
    expect(second.isWhole).toBe(false);
    expect(second.points.map(({ attempt, steps }) => [attempt, steps])).toEqual([
      [FIRST, [30]],
      [SECOND, [10]],
    ]);
    expect(await series("job-1", second.cursor)).toMatchObject({ isWhole: false, points: [], readings: [], cursor: second.cursor });
  });

  it("are whole again, and in order, when a beat comes that belongs before others", async () => {
    const series = openJobSeries(workspace);
    await addBeat(FIRST, 1);
    await addBeat(FIRST, 3);
    const first = await series("job-1");
    await addBeat(FIRST, 2);
    const second = await series("job-1", first.cursor);
    expect(second).toMatchObject({ isWhole: true, points: [{ steps: [10, 20, 30] }] });
  });

  it("are whole for a cursor of another life of the host", async () => {
    await addBeat(FIRST, 1);
    const { cursor } = await openJobSeries(workspace)("job-1");
    expect(await openJobSeries(workspace)("job-1", cursor)).toMatchObject({ isWhole: true, points: [{ steps: [10] }] });
  });

  it("are read once when many ask at the same time", async () => {
    const series = openJobSeries(workspace);
    for (let sequence = 1; sequence <= 5; sequence += 1) await addBeat(FIRST, sequence);
    const answers = await Promise.all(Array.from({ length: 4 }, () => series("job-1")));
    for (const answer of answers) expect(answer.points[0]?.steps).toEqual([10, 20, 30, 40, 50]);
  });
});

describe("the end of a job's log", () => {
  it("is the newest attempt's, cut at a whole character", async () => {
    await addLog(FIRST, 1, "one\n");
    await addLog(SECOND, 1, "ação\n");
    await addLog(SECOND, 2, "fim\n");
    expect(await logTail(mirror, undefined, 100)).toEqual({ attempt: SECOND, text: "ação\nfim\n", isCut: false });
    expect(await logTail(mirror, undefined, 7)).toEqual({ attempt: SECOND, text: "o\nfim\n", isCut: true });
    expect(await logTail(mirror, FIRST, 100)).toEqual({ attempt: FIRST, text: "one\n", isCut: false });
  });

  it("is empty for a job that printed nothing", async () => {
    expect(await logTail(mirror, undefined, 100)).toEqual({ attempt: null, text: "", isCut: false });
  });
});
