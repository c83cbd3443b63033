/**
 * Jobs of modeling runs on real stores. The runtime is played: what it leaves in the job folder, and when, is what the state must come of.
 * How a real one trains is seen in test/host/jobs-drive.test.ts.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { RunRecord } from "../../src/domain/run.ts";
import { openJobMirror } from "../../src/pipeline/jobs/mirror.ts";
import { HOST_STOPS } from "../../src/pipeline/jobs/train.ts";
import { captureStage } from "../../src/pipeline/stages/capture.ts";
import { curationStage } from "../../src/pipeline/stages/curation.ts";
import { datasetsStage } from "../../src/pipeline/stages/datasets.ts";
import { ingestStage } from "../../src/pipeline/stages/ingest.ts";
import { modelingStage } from "../../src/pipeline/stages/modeling.ts";
import { stagingStage } from "../../src/pipeline/stages/staging.ts";
import { FIRST, SECOND } from "../support/job-documents.ts";
import { type MemoryFolder, type MemoryTrainer, memoryTrainer } from "../support/memory-trainer.ts";
import { openTestServices, type TestRunOptions, type TestServices } from "../support/services.ts";
import { createWorkspace, type TestWorkspace } from "../support/workspace.ts";

const PROJECT_FILE = "configs/projects/lojas.yaml";
const LIMITS = "limits: { beatSeconds: 0.1, lateSeconds: 0.4, suspectSeconds: 0.7, lostSeconds: 1 }";
const RESULTS = { "metrics.json": '{"mae":0.5}', "model.json": "{}" };

describe("the job of a modeling run", () => {
  let workspace: TestWorkspace;
  let test: TestServices;
  let original: string;

  beforeAll(async () => {
    workspace = createWorkspace("jobs");
    original = readFileSync(join(workspace.folder, PROJECT_FILE), "utf8").replace("dataset: vendas\n", `dataset: vendas\n  ${LIMITS}\n`);
    editProject((text) => text);
    test = await openTestServices(workspace);
    for (const stage of [captureStage, ingestStage, stagingStage, curationStage, datasetsStage]) {
      expect(await test.run(stage)).toMatchObject({ state: "succeeded" });
    }
  });
  afterAll(async () => {
    await test.close();
    workspace.remove();
  });
  afterEach(() => editProject((text) => text));

  const editProject = (edit: (text: string) => string) => writeFileSync(join(workspace.folder, PROJECT_FILE), edit(original));
  const run = (trainer: MemoryTrainer, options: TestRunOptions = {}) =>
    test.run(modelingStage, { services: { ...test.services, trainer: () => trainer }, force: true, ...options });
  const statusOf = async ({ run: id }: Pick<RunRecord, "run">) => (await openJobMirror(workspace.folder, id).kept())?.status;

  async function preparedBy(trainer: MemoryTrainer): Promise<MemoryFolder> {
    await expect.poll(() => trainer.folders.size, { timeout: 20_000 }).toBe(1);
    return [...trainer.folders.values()][0] as MemoryFolder;
  }

  /** Waits until the kept state is one of these. */
  async function untilState(folder: MemoryFolder, ...states: string[]): Promise<void> {
    for (;;) {
      const state = (await statusOf({ run: folder.job }))?.state;
      if (state !== undefined && states.includes(state)) return;
      await delay(10);
    }
  }

  it("is late, suspect and lost when its runtime falls silent, and is resumed by a person as a second attempt", async () => {
    const seen = new Set<string>();
    const trainer = memoryTrainer({
      startsAttempts: false,
      async onStart(folder) {
        folder.beat(SECOND, 1, { resumedFrom: { name: "x", step: 60, score: null } });
        folder.finish(SECOND, RESULTS);
      },
    });
    const ended = run(trainer);
    const folder = await preparedBy(trainer);
    await untilState(folder, "waiting");
    folder.beat(FIRST, 1, { checkpoint: { name: "x", step: 60, score: null } });
    for (const state of ["running", "late", "suspect", "lost"]) {
      await untilState(folder, state);
      seen.add(state);
    }
    expect((await statusOf({ run: folder.job }))?.reason).toMatchObject({ code: "lost-with-checkpoint", args: { step: 60 } });
    expect(await test.desk.resume(folder.job)).toBe(true);
    const record = await ended;
    expect(record).toMatchObject({ state: "succeeded", details: { attempt: SECOND, attempts: 2 } });
    expect([...seen]).toEqual(["running", "late", "suspect", "lost"]);
  });

  it("takes the results of the attempt that counts, when two finish together", async () => {
    const trainer = memoryTrainer({
      onStart(folder) {
        folder.beat(FIRST, 1);
        folder.beat(SECOND, 1);
        folder.finish(FIRST, { ...RESULTS, "model.json": '"first"' });
        const first = folder.files.get("DONE.json");
        folder.finish(SECOND, { ...RESULTS, "model.json": '"second"' });
        folder.put("DONE (1).json", first?.bytes.toString() ?? "");
      },
    });
    const record = await run(trainer);
    expect(record).toMatchObject({ state: "succeeded", details: { attempt: SECOND } });
    const job = await test.services.inventory.job(record.run);
    expect(job).toMatchObject({ attempt: SECOND, attempts: 2 });
    const model = job?.artefacts.find(({ name }) => name === "model.json");
    expect(model?.size).toBe('"second"'.length);
  });

  it("believes no clock that is ahead: a beat from the future counts from when it came", async () => {
    const future = new Date(Date.now() + 3_600_000).toISOString();
    const trainer = memoryTrainer({ onStart: (folder) => folder.beat(FIRST, 1, { at: future }) });
    const controller = new AbortController();
    const ended = run(trainer, { signal: controller.signal });
    const folder = await preparedBy(trainer);
    await untilState(folder, "running");
    expect((await statusOf({ run: folder.job }))?.notes).toMatchObject([{ code: "clock-ahead", args: { minutes: 60 } }]);
    await untilState(folder, "lost");
    controller.abort();
    expect(await ended).toMatchObject({ state: "cancelled" });
  });

  it("is lost, saying what to look at, when it was finishing and its DONE.json never comes", async () => {
    const trainer = memoryTrainer({ onStart: (folder) => folder.beat(FIRST, 1, { phase: "finishing" }) });
    const controller = new AbortController();
    const ended = run(trainer, { signal: controller.signal });
    const folder = await preparedBy(trainer);
    await untilState(folder, "lost");
    expect((await statusOf({ run: folder.job }))?.reason.code).toBe("done-missing");
    controller.abort();
    expect(await ended).toMatchObject({ state: "cancelled" });
    expect(await statusOf({ run: folder.job })).toMatchObject({ state: "cancelled" });
    expect(trainer.told).toEqual([`cancel ${folder.job}`, `release ${folder.job}`]);
  });

  it.each([
    [
      "a result was tampered with",
      (folder: MemoryFolder) => folder.put(`results/${FIRST}/model.json`, "[]"),
      { code: "result-changed", message: expect.stringContaining("model.json has another content than DONE.json says") },
    ],
    [
      "a result never comes",
      (folder: MemoryFolder) => void folder.files.delete(`results/${FIRST}/model.json`),
      { code: "results-missing", todo: expect.stringContaining("Check that Drive is not full") },
    ],
    [
      "somebody deletes the job folder",
      (folder: MemoryFolder) => {
        folder.files.delete("DONE.json");
        setTimeout(() => folder.remove(), 100);
      },
      { code: "job-folder-missing", todo: expect.stringContaining("Run the stage again.") },
    ],
    [
      "the notebook fails",
      (folder: MemoryFolder) => {
        folder.files.delete("DONE.json");
        folder.beat(FIRST, 2, {
          phase: "failed",
          error: { type: "input-changed", message: "It changed.", todo: "Delete it.", traceback: [] },
        });
      },
      { code: "input-changed", message: "It changed.", todo: expect.stringContaining("Delete it.") },
    ],
  ])("fails when %s, and publishes nothing", async (_what, spoil, error) => {
    const trainer = memoryTrainer({ startsAttempts: false });
    const ended = run(trainer);
    const folder = await preparedBy(trainer);
    folder.beat(FIRST, 1);
    folder.finish(FIRST, RESULTS);
    spoil(folder);
    const record = await ended;
    expect(record).toMatchObject({ state: "failed", error: { kind: "terminal", ...error } });
    expect(await statusOf(record)).toMatchObject({ state: "failed" });
    expect(await test.services.inventory.job(record.run)).toBeUndefined();
    // A runtime that is still there must not go on for a job that nobody follows.
    expect(trainer.told).toContain(`cancel ${record.run}`);
  });

  it("waits for results that the storage shows late", async () => {
    const trainer = memoryTrainer({
      onStart(folder) {
        folder.beat(FIRST, 1);
        folder.finish(FIRST, RESULTS);
        const late = folder.files.get(`results/${FIRST}/model.json`);
        folder.files.delete(`results/${FIRST}/model.json`);
        setTimeout(() => folder.put(`results/${FIRST}/model.json`, late?.bytes.toString() ?? ""), 300);
      },
    });
    expect(await run(trainer)).toMatchObject({ state: "succeeded", details: { attempt: FIRST, artefacts: 2 } });
  });

  it("is tried again after a failed attempt as often as the project file says", async () => {
    editProject((text) => text.replace("dataset: vendas\n", "dataset: vendas\n  attempts: 2\n"));
    const trainer = memoryTrainer({
      onStart(folder, attempt) {
        const failed = { phase: "failed" as const, error: { type: "Oops", message: "no", todo: null, traceback: [] } };
        if (attempt === 1) return folder.beat(FIRST, 1, failed);
        folder.beat(SECOND, 1);
        folder.finish(SECOND, RESULTS);
      },
    });
    // Such a trainer would say which cell it was; this one has nothing to add.
    expect(await run(trainer)).toMatchObject({ state: "succeeded", details: { attempt: SECOND, attempts: 2 } });
  });

  it("leaves its runtime alone when the host stops: the job goes on, and is followed again at the next start", async () => {
    const trainer = memoryTrainer({ startsAttempts: false });
    const controller = new AbortController();
    const ended = run(trainer, { signal: controller.signal });
    const folder = await preparedBy(trainer);
    folder.beat(FIRST, 1);
    await untilState(folder, "running");
    controller.abort(HOST_STOPS);
    await ended;
    expect(trainer.told).toEqual([]);
    expect(await statusOf({ run: folder.job })).toMatchObject({ state: "running", cancelAsked: false });
  });
});
