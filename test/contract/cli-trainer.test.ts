/**
 * The trainer that goes through Google's `colab` program, against a stand-in for it: the real one's arguments, words and exits, a real kernel as
 * the runtime, and no Colab. However an attempt ends, its runtime is released.
 */
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openCliTrainer } from "../../src/adapters/colab/cli-trainer.ts";
import { localJobFolder } from "../../src/adapters/jupyter/job-folder.ts";
import { identify } from "../../src/adapters/jupyter/processes.ts";
import type { EdaError } from "../../src/domain/errors.ts";
import type { JobPlace, JobTrainer } from "../../src/ports/job-trainer.ts";
import { type ColabStandIn, colabStandIn } from "../support/colab-cli.ts";
import { beatsIn, doneIn } from "../support/job-folder.ts";
import { JOB, type JobRun, jobFolderIn, startJob } from "../support/jupyter-jobs.ts";
import { WRITE_METRICS } from "../support/notebooks.ts";
import { describeWithPython } from "../support/python.ts";

const TEST_TIMEOUT_MS = 120_000;
const LOOK_MS = 200;
/** Steps with a checkpoint each; how it began is among the metrics. */
const STEPS = `import pickle, time, json
last = job.resume()
start = 0 if last is None else last.step
for step in range(start + 1, 13):
    job.log_metrics(step=step, total=12, loss=1 / step)
    job.checkpoint(lambda folder: (folder / "state").write_bytes(pickle.dumps(step)))
    job.stop_if_asked()
    time.sleep(0.4)
json.dump({"start": start, "loss": 1 / step}, open("results/metrics.json", "w"))`;
const ENDLESS = "import time\nwhile True: time.sleep(0.1)";

describeWithPython("the trainer through the colab program (stand-in)", (python) => {
  let root: string;
  let folder: string;
  let stateFolder: string;
  let colab: ColabStandIn;

  beforeEach(async () => {
    root = join(await mkdtemp(join(tmpdir(), "eda-colab-cli-")), "área de trabalho");
    stateFolder = join(root, ".eda");
    folder = jobFolderIn(stateFolder);
    await mkdir(root);
    colab = await colabStandIn(join(root, "home"), python);
  });
  afterEach(() => rm(join(root, ".."), { recursive: true, force: true, maxRetries: 5 }));

  const open = (env: NodeJS.ProcessEnv = {}) =>
    openCliTrainer({ stateFolder, env: { ...colab.env, ...env }, openFolder: localJobFolder, lookMs: LOOK_MS });
  const calls = (command: string) => colab.calls().filter((argv) => argv.includes(command));
  const record = () => existsSync(join(stateFolder, "jobs", JOB, "colab", "runtime.json"));

  /** Until DONE.json is here, or the trainer has trouble. */
  async function ended(trainer: JobTrainer, place: JobPlace): Promise<EdaError | undefined> {
    for (;;) {
      const trouble = await trainer.trouble(place, new AbortController().signal);
      if (trouble !== undefined || (await doneIn(folder)) !== undefined) return trouble;
      await delay(50);
    }
  }

  async function run(cells: readonly string[], options: JobRun = {}, trainer = open()): Promise<EdaError | undefined> {
    const place = await startJob(trainer, cells, options);
    const trouble = await ended(trainer, place);
    await trainer.release(place);
    return trouble;
  }

  async function expectReleased(made = 1): Promise<void> {
    expect(colab.count("assigned")).toBe(made);
    expect(await colab.runtimes()).toEqual([]);
    expect(record()).toBe(false);
  }

  async function untilStep(step: number): Promise<void> {
    while (!(await beatsIn(folder)).some((beat) => (beat.step ?? 0) >= step)) await delay(50);
  }

  it(
    "trains on a T4 runtime, brings beats, logs and checkpoints while it trains, then the results, and releases the runtime",
    async () => {
      const trainer = open();
      const place = await startJob(trainer, [STEPS, "print('café')\njob.save_model(b'weights', 'modelo/pesos.bin')"], {
        accelerator: "T4",
        timeoutMs: 3_600_000,
      });
      await expect.poll(() => readdir(join(folder, "checkpoints")).catch(() => []), { timeout: 60_000 }).not.toEqual([]);
      expect(await doneIn(folder)).toBeUndefined();
      expect((await beatsIn(folder)).length).toBeGreaterThan(1);
      expect(await ended(trainer, place)).toBeUndefined();
      await trainer.release(place);

      const done = await doneIn(folder);
      expect(done).toMatchObject({ accelerator: { name: "Tesla T4 (stand-in)" }, metrics: { start: 0 }, resumedFrom: null });
      expect(done?.artefacts.map(({ name }) => name)).toEqual(["metrics.json", "modelo/pesos.bin"]);
      expect(await readFile(join(folder, "results", done?.attempt as string, "modelo", "pesos.bin"), "utf8")).toBe("weights");
      const beats = await beatsIn(folder);
      const logs = await Promise.all(beats.flatMap(({ log }) => (log === null ? [] : [readFile(join(folder, log.path), "utf8")])));
      expect(logs.join("")).toContain("café\n");
      const executed = JSON.parse(await readFile(join(folder, "executed.ipynb"), "utf8")) as { cells: { outputs: { text?: string }[] }[] };
      expect(executed.cells.at(-2)?.outputs[0]?.text).toBe("café\n");

      expect(calls("new")).toEqual([["new", "-s", expect.stringMatching(/^eda-job-1-[0-9a-f]{6}$/u), "--gpu", "T4"]]);
      // An hour, and the time in which eda_job.py ends it by itself; 30 seconds without it.
      expect(calls("exec").at(-1)?.slice(-2)).toEqual(["--timeout", "3660"]);
      await expectReleased();
    },
    TEST_TIMEOUT_MS,
  );

  it(
    "asks for no more than the 24 hours that a runtime lives, and for no accelerator when none is wanted",
    async () => {
      expect(await run([WRITE_METRICS], { timeoutMs: 48 * 3_600_000 })).toBeUndefined();
      expect(calls("exec").at(-1)?.slice(-2)).toEqual(["--timeout", "86400"]);
      expect(calls("new")[0]).not.toContain("--gpu");
      expect(await doneIn(folder)).toMatchObject({ accelerator: { name: "cpu" } });
      await expectReleased();
    },
    TEST_TIMEOUT_MS,
  );

  it(
    "ends at the first cell that raises, though the program would go on, and says which it was",
    async () => {
      const trouble = await run(["print('before')", "def half(x):\n    return x / 0\nhalf(3)", ENDLESS]);
      expect(trouble).toMatchObject({
        kind: "terminal",
        code: "notebook-failed",
        message: "Code cell 2 of 3 raised ZeroDivisionError: division by zero",
      });
      expect(trouble?.findings?.map(({ message }) => message).join("\n")).toContain("ZeroDivisionError");
      await expectReleased();
    },
    TEST_TIMEOUT_MS,
  );

  it(
    "ends a program that hears no interrupt, and says what the beats told of the mistake",
    async () => {
      await colab.faults({ exec: "deaf" });
      expect(await run(["raise ValueError('dados tortos')", ENDLESS])).toMatchObject({
        code: "notebook-failed",
        message: "The notebook raised ValueError: dados tortos",
      });
      await expectReleased();
    },
    TEST_TIMEOUT_MS,
  );

  it(
    "is refused by eda_job.py on a runtime that turns out to have another GPU",
    async () => {
      await colab.faults({ gpu: "NVIDIA A100-SXM4-40GB (stand-in)" });
      expect(await run([ENDLESS], { accelerator: "T4" })).toMatchObject({ code: "notebook-failed" });
      expect((await beatsIn(folder)).at(-1)?.error).toMatchObject({
        type: "accelerator-missing",
        message: "The job wants a T4, and this runtime has NVIDIA A100-SXM4-40GB (stand-in).",
      });
      await expectReleased();
    },
    TEST_TIMEOUT_MS,
  );

  it.each([
    [
      "gives no T4",
      "refused",
      { kind: "precondition", code: "colab-accelerator-refused", todo: expect.stringContaining("paid compute units") },
    ],
    [
      "has nobody signed in",
      "signed-out",
      { kind: "precondition", code: "colab-not-signed-in", todo: expect.stringContaining("colab sessions") },
    ],
    ["lacks a permission", "scopes", { kind: "precondition", code: "colab-not-signed-in" }],
    ["gives no further runtime", "too-many", { kind: "precondition", code: "colab-runtime-refused" }],
    ["has no compute units", "no-units", { kind: "precondition", code: "colab-no-compute-units" }],
    ["is away", "away", { kind: "unavailable", code: "colab-away" }],
  ])(
    "says so when Colab %s, and leaves no runtime",
    async (_what, fault, error) => {
      await colab.faults({ new: fault });
      const trouble = await run([WRITE_METRICS], { accelerator: "T4" });
      expect(trouble).toMatchObject(error);
      expect(`${trouble?.message} ${trouble?.todo}`).not.toMatch(/client_id|nbh=/u);
      await expectReleased(fault === "scopes" ? 1 : 0);
    },
    TEST_TIMEOUT_MS,
  );

  it("says how to install the program when it is missing, before anything is prepared", async () => {
    const starting = startJob(open({ EDA_COLAB_PROGRAM: join(root, "nowhere", "colab") }), [WRITE_METRICS]);
    await expect(starting).rejects.toMatchObject({
      kind: "precondition",
      code: "colab-program-missing",
      todo: expect.stringContaining("uv tool install google-colab-cli"),
    });
    expect(existsSync(folder)).toBe(false);
  });

  it(
    "writes CANCEL into the runtime and stops it when the job is cancelled",
    async () => {
      const trainer = open();
      const place = await startJob(trainer, [STEPS]);
      await untilStep(1);
      expect(await trainer.cancel(place)).toBe(true);
      await trainer.release(place);
      const names = colab.calls().map((argv) => argv.find((each) => each === "stop" || each.endsWith("/CANCEL")));
      expect(names.filter((name) => name !== undefined)).toEqual(["content/eda/job-1/CANCEL", "stop"]);
      expect(existsSync(join(folder, "CANCEL"))).toBe(true);
      await expectReleased();
    },
    TEST_TIMEOUT_MS,
  );

  it(
    "releases a runtime that it was cancelled during the making of",
    async () => {
      await colab.faults({ slow: 2 });
      const trainer = open();
      const controller = new AbortController();
      const place = await startJob(trainer, [ENDLESS], { signal: controller.signal });
      while (calls("new").length === 0) await delay(20);
      controller.abort();
      expect(await trainer.cancel(place)).toBe(true);
      await expectReleased();
      expect(calls("exec")).toEqual([]);
    },
    TEST_TIMEOUT_MS,
  );

  it.each([
    ["the program crashes", "crash", { code: "colab-program-failed" }],
    ["Colab takes the runtime away", "lost", { code: "runtime-lost", todo: expect.stringContaining("modeling.attempts") }],
  ])(
    "goes on from the last good checkpoint as the next attempt when %s",
    async (_what, fault, error) => {
      await colab.faults({ exec: fault, after: 6 });
      const trainer = open();
      const place = await startJob(trainer, [STEPS]);
      expect(await ended(trainer, place)).toMatchObject(error);
      expect(await colab.runtimes()).toEqual([]);
      expect(await trainer.start(place, new AbortController().signal)).toBe(true);
      expect(await ended(trainer, place)).toBeUndefined();
      await trainer.release(place);
      const done = await doneIn(folder);
      expect(done?.attempt).toMatch(/^002-/u);
      expect(done?.resumedFrom?.step).toBeGreaterThan(2);
      expect(done?.metrics).toEqual({ start: done?.resumedFrom?.step, loss: 1 / 12 });
      await expectReleased(2);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    "stops a notebook that runs over its time",
    async () => {
      const trainer = open();
      const place = await startJob(trainer, ["print('slow', flush=True)", ENDLESS]);
      const short = { ...place, at: { ...place.at, timeoutSeconds: 6 } };
      // The least that a project file can ask for is a minute, and there is a minute of grace.
      await trainer.cancel(place);
      await rm(join(folder, "CANCEL"));
      expect(await trainer.start(short, new AbortController().signal)).toBe(true);
      expect(await ended(trainer, short)).toMatchObject({ kind: "terminal", code: "training-timeout" });
      await expectReleased(2);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    "releases the runtime of a killed host in its next life, after it has brought what that one had reached",
    async () => {
      const host = startOtherHost(STEPS);
      await untilStep(4);
      host.kill("SIGKILL");
      while (identify(host.pid as number) !== undefined) await delay(50);
      expect(await colab.runtimes()).toHaveLength(1);
      const trainer = open();
      const place = { at: { job: JOB, accelerator: null, timeoutSeconds: 600 }, openUrl: null };
      expect(await trainer.start(place, new AbortController().signal)).toBe(true);
      expect(await ended(trainer, place)).toBeUndefined();
      await trainer.release(place);
      const done = await doneIn(folder);
      expect(done?.attempt).toMatch(/^002-/u);
      expect(done?.resumedFrom?.step).toBeGreaterThanOrEqual(3);
      await expectReleased(2);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    "releases a runtime that was still being made when the host was killed",
    async () => {
      await colab.faults({ slow: 3 });
      const host = startOtherHost(ENDLESS);
      while (calls("new").length === 0) await delay(20);
      host.kill("SIGKILL");
      while (identify(host.pid as number) !== undefined) await delay(50);
      expect(colab.count("assigned")).toBe(0);
      const trainer = open();
      await trainer.release({ at: { job: JOB, accelerator: null, timeoutSeconds: 600 }, openUrl: null });
      await expectReleased();
    },
    TEST_TIMEOUT_MS,
  );

  it(
    "releases its runtime also when its process ends without waiting",
    async () => {
      const host = startOtherHost(ENDLESS, "setTimeout(() => process.exit(0), 200)");
      const exited = new Promise((resolve) => host.once("exit", resolve));
      while ((await beatsIn(folder)).length === 0) await delay(50);
      await writeFile(join(root, "end"), "");
      await exited;
      await expect.poll(() => colab.runtimes(), { timeout: 20_000 }).toEqual([]);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    "tries again to release, and says what goes on costing when it cannot",
    async () => {
      await colab.faults({ stop: 1 });
      expect(await run([WRITE_METRICS])).toBeUndefined();
      await expectReleased();
      await colab.faults({ stop: 6 });
      await rm(join(folder, "DONE.json"));
      const trainer = open();
      const place = await startJob(trainer, [WRITE_METRICS]);
      await ended(trainer, place);
      await expect(trainer.release(place)).rejects.toMatchObject({
        kind: "unavailable",
        code: "runtime-not-released",
        todo: expect.stringMatching(/colab stop -s eda-job-1-[0-9a-f]{6}/u),
      });
      expect(record()).toBe(true);
      await trainer.release(place);
      await expectReleased(2);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    "takes a result again that did not arrive as it was written",
    async () => {
      await colab.faults({ download: 1 });
      expect(await run([WRITE_METRICS])).toBeUndefined();
      const done = await doneIn(folder);
      expect(JSON.parse(readFileSync(join(folder, "results", done?.attempt as string, "metrics.json"), "utf8"))).toEqual({ auc: 0.5 });
      await expectReleased();
    },
    TEST_TIMEOUT_MS,
  );

  it(
    "shows eda's secrets to neither program nor notebook, and none on a command line",
    async () => {
      const env = {
        EDA_S3_SECRET_KEY: "chave-s3",
        EDA_DATABASE_URL: "postgres://x",
        GOOGLE_APPLICATION_CREDENTIALS: "/adc.json",
        EDA_COLAB_AUTH: "adc",
      };
      const trainer = open(env);
      expect(await run([WRITE_METRICS], {}, trainer)).toBeUndefined();
      expect(colab.variables().filter((name) => name.startsWith("EDA_"))).toEqual([]);
      expect(colab.variables()).toContain("GOOGLE_APPLICATION_CREDENTIALS");
      expect(JSON.stringify(colab.calls())).not.toContain("chave-s3");
      expect(new Set(colab.calls().map((argv) => argv[0]))).toEqual(new Set(["--auth=adc"]));
      await expectReleased();
    },
    TEST_TIMEOUT_MS,
  );

  /** A host in a process of its own that starts a job of one cell. @param atEnd runs once the file `end` is there */
  function startOtherHost(cell: string, atEnd = "") {
    const module = (...path: string[]) => JSON.stringify(join(import.meta.dirname, "..", "..", ...path));
    const script = `import { existsSync } from "node:fs";
import { openCliTrainer } from ${module("src", "adapters", "colab", "cli-trainer.ts")};
import { localJobFolder } from ${module("src", "adapters", "jupyter", "job-folder.ts")};
import { startJob } from ${module("test", "support", "jupyter-jobs.ts")};
const trainer = openCliTrainer({ stateFolder: ${JSON.stringify(stateFolder)}, env: process.env, openFolder: localJobFolder, lookMs: ${LOOK_MS} });
await startJob(trainer, [${JSON.stringify(cell)}]);
setInterval(() => { if (existsSync(${JSON.stringify(join(root, "end"))})) { ${atEnd} } }, 100);`;
    return spawn(process.execPath, ["--input-type=module-typescript", "-e", script], { env: colab.env, stdio: "ignore" });
  }
});
