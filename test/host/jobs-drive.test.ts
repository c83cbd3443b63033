/**
 * Training through Drive from end to end: the built host, the fake Drive over HTTP, and the very notebook that the host prepared, executed on a real
 * Jupyter kernel that sees the job folder through a folder which syncs late and out of order. No GPU is there: nvidia-smi is a stand-in.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import type { RunSummary } from "../../src/domain/run.ts";
import { call } from "../../src/protocol/client.ts";
import { CancelJob, JobChanged, JobLogOf, JobSeriesOf, type JobView, JobViewOf, JobViews, ResumeJob } from "../../src/protocol/jobs.ts";
import { type DriveServer, startDriveServer } from "../support/drive-server/server.ts";
import { openTestHost, type TestHost } from "../support/host.ts";
import { beatsIn } from "../support/job-folder.ts";
import { type JobRuntime, openJobRuntime } from "../support/job-runtime.ts";
import { notebookOf } from "../support/notebooks.ts";
import { describeWithPython } from "../support/python.ts";
import { fillDrive } from "../support/real-stores.ts";
import { SMALL_DRIVE } from "../support/small-project.ts";
import { idAt, openSyncingFolder, type SyncingFolder, type SyncingFolderOptions } from "../support/syncing-folder.ts";
import { createWorkspace, type TestWorkspace } from "../support/workspace.ts";

const OWNER = "ana@example.com";
const NOTEBOOK = "notebooks/lojas/media.ipynb";
const PROJECT_FILE = "configs/projects/lojas.yaml";
const EPOCHS = 20;
const TEST_TIMEOUT_MS = 240_000;
/** Descends to the mean with noise from a seed: what it ends with tells whether a resumed attempt did the same as an undisturbed one. */
const TRAIN = notebookOf(
  { source: `epochs = ${EPOCHS}\nseed = 1\npause = 0.3`, tags: ["parameters"] },
  "import random, time\nimport pandas as pd\nimport eda_job\nvalues = pd.read_parquet(job.data / 'train.parquet')['valor'].astype(float).tolist()",
  `training = eda_job.SklearnTraining(job, {"mean": 0.0, "random": random.Random(seed)}, epochs=epochs)
for epoch in training:
    state = training.state
    state["mean"] += 0.3 * (state["random"].choice(values) - state["mean"])
    mae = sum(abs(value - state["mean"]) for value in values) / len(values)
    print("epoch", epoch + 1)
    training.end_epoch(score=-mae, mae=mae)
    time.sleep(pause)`,
  'job.save_model({"mean": training.state["mean"]}, "model.json")\njob.save_result({"mae": mae}, "metrics.json")',
);

describeWithPython("a T4 job through Drive", (python) => {
  let root: string;
  let server: DriveServer;
  let workspace: TestWorkspace;
  let host: TestHost;
  let env: NodeJS.ProcessEnv;
  let undisturbed: unknown;
  const open: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    root = realpathSync(mkdtempSync(join(tmpdir(), "eda-colab-")));
    server = await startDriveServer({ accounts: [OWNER], visibilityDelayMs: 300 });
    const keyFile = await server.writeServiceAccount(root, "eda@fake-drive.iam.gserviceaccount.com", [OWNER]);
    env = {
      EDA_DRIVE: "google",
      EDA_GOOGLE_ACCOUNT: OWNER,
      EDA_GOOGLE_CREDENTIALS_FILE: keyFile,
      EDA_GOOGLE_API_ROOT: server.url,
      EDA_GOOGLE_OAUTH_ROOT: server.url,
    };
    workspace = createWorkspace("colab");
    fillDrive(server, workspace.folder, SMALL_DRIVE);
    await delay(400);
    write(NOTEBOOK, TRAIN);
    setLimits("beatSeconds: 1, lateSeconds: 15, suspectSeconds: 20, lostSeconds: 25");
    write("configs/eda.yaml", "engine:\n  threads: 1\njobs:\n  pollSeconds: 0.5\n");
    host = await openTestHost(workspace.folder, { env });
    for (const stage of ["capture", "ingest", "staging", "curation", "datasets"] as const) {
      const summary = await host.run(stage);
      expect(summary, JSON.stringify(summary.error)).toMatchObject({ state: "succeeded" });
    }
  }, TEST_TIMEOUT_MS);
  afterEach(async () => {
    for (const close of open.splice(0).reverse()) await close();
  });
  afterAll(async () => {
    await host?.stop();
    await server?.close();
    workspace?.remove();
    rmSync(root, { recursive: true, force: true, maxRetries: 5 });
  });

  const write = (path: string, text: string) => writeFileSync(join(workspace.folder, path), text);
  function setLimits(limits: string): void {
    const text = readFileSync(join(workspace.folder, PROJECT_FILE), "utf8");
    const modeling = `modeling:\n  notebook: ${NOTEBOOK}\n  dataset: vendas\n  trainer: colab-drive\n  accelerator: T4\n  limits: { ${limits} }\n`;
    write(PROJECT_FILE, text.replace(/modeling:[\s\S]*?(?=deploy:)/u, modeling));
  }
  const QUICK = "beatSeconds: 0.3, lateSeconds: 4, suspectSeconds: 6, lostSeconds: 8";
  /** Of what lies at a path in the owner's My Drive. */
  const idOf = (path: string) => idAt(server, path);
  const onDrive = (path: string) => server.state.content(idOf(path) as string);
  const view = (job: string): Promise<JobView> => call(host.rpc.sendRequest(JobViewOf, { job }));

  interface Started {
    readonly job: string;
    readonly end: Promise<RunSummary>;
    readonly sync: SyncingFolder;
    readonly runtime: JobRuntime;
    /** Stands for My Drive. */
    readonly mounted: string;
  }

  /** A job whose notebook has arrived where a person opens it. */
  async function start(options: Partial<SyncingFolderOptions> & { readonly gpu?: string } = {}): Promise<Started> {
    const { gpu = "Tesla T4 (stand-in)", ...syncing } = options;
    const stateFolder = mkdtempSync(join(root, "runtime-"));
    const local = join(stateFolder, "MyDrive");
    mkdirSync(join(local, "eda"), { recursive: true });
    const sync = openSyncingFolder({ server, path: "eda", local, delay: [100, 600], ...syncing });
    open.push(() => sync.stop());
    const runtime = await openJobRuntime({ python, mounted: local, stateFolder, gpu });
    open.push(() => runtime.stop());
    const [job] = (await host.startRun("modeling", { force: true })) as [string];
    // One that a failed test leaves behind would hold up the next.
    open.push(async () => void (await host.cancel(job)));
    const end = host.endOf(job);
    end.catch(() => undefined);
    await untilState(job, end, "waiting");
    for (const name of ["notebook.ipynb", "eda_job.py", "job.json"]) await sync.arrived(`eda/jobs/${job}/${name}`);
    return { job, end, sync, runtime, mounted: local };
  }

  /** Fails when the run ends before. */
  async function untilState(job: string, end: Promise<RunSummary>, ...states: string[]): Promise<JobView> {
    let ended: RunSummary | undefined;
    void end.then(
      (summary) => {
        ended = summary;
      },
      () => undefined,
    );
    for (;;) {
      const now = await view(job);
      if (states.includes(now.status.state)) return now;
      if (ended !== undefined)
        throw new Error(`the run ended as ${ended.state} before its job was ${states}: ${JSON.stringify(ended.error)}`);
      await delay(100);
    }
  }

  it(
    "trains on a runtime that sees everything 2 to 10 seconds late and out of order; results are registered and committed",
    async () => {
      const changes: JobView[] = [];
      host.rpc.onNotification(JobChanged, (changed) => void changes.push(changed));
      const { job, end, sync, runtime } = await start({ delay: [2_000, 10_000] });
      const waiting = await view(job);
      expect(waiting.openUrl).toBe(`https://colab.research.google.com/drive/${idOf(`eda/jobs/${job}/notebook.ipynb`)}`);
      expect(waiting).toMatchObject({ wanted: "T4", trainer: expect.stringMatching(/^Google Drive .*, Colab$/u) });
      expect(await runtime.runAll(job)).toBe("");
      const summary = await end;
      expect(summary, JSON.stringify(summary.error)).toMatchObject({ state: "succeeded" });

      const beats = sync.uploaded.filter((path) => path.includes("/beats/"));
      expect(beats).not.toEqual([...beats].sort());
      const done = await view(job);
      undisturbed = done.metrics;
      expect(done).toMatchObject({
        accelerator: "Tesla T4 (stand-in), Jupyter",
        status: { state: "succeeded", attempts: [{ done: { step: EPOCHS } }] },
        commitAfter: summary.commitAfter,
      });
      expect(done.outputs.map(({ name }) => name)).toEqual(["metrics.json", "model.json"]);
      expect(done.inputs.map(({ name }) => name)).toContain("vendas/train");
      expect(workspace.commits().at(-1)).toMatchObject({
        subject: "feat: pipeline de modelagem no Colab com GPU",
        trailers: { Acelerador: "Tesla T4 (stand-in), Jupyter" },
      });

      // Every client is told of it on the way, and reads curves and log.
      const told = () => changes.filter((each) => each.job === job).map(({ status }) => status.state);
      await expect.poll(told, { timeout: 10_000 }).toEqual(expect.arrayContaining(["waiting", "running", "succeeded"]));
      const series = await call(host.rpc.sendRequest(JobSeriesOf, { job }));
      expect(series.points.flatMap(({ steps }) => steps)).toEqual(Array.from({ length: EPOCHS }, (_, index) => index + 1));
      expect(series.points[0]?.values.mae).toHaveLength(EPOCHS);
      expect(series.readings[0]).toMatchObject({ utilization: expect.arrayContaining([87]), powerW: expect.arrayContaining([65.5]) });
      const more = await call(host.rpc.sendRequest(JobSeriesOf, { job, cursor: series.cursor }));
      expect(more).toMatchObject({ isWhole: false, points: [] });
      const log = await call(host.rpc.sendRequest(JobLogOf, { job, bytes: 100_000 }));
      expect(log.text).toContain(`epoch ${EPOCHS}`);
      const tail = await call(host.rpc.sendRequest(JobLogOf, { job, bytes: 20 }));
      expect(tail).toMatchObject({ isCut: true, text: log.text.slice(-20) });
      expect((await call(host.rpc.sendRequest(JobViews, { project: "lojas" }))).map((each) => each.job)).toContain(job);
      expect((await host.verify()).problems).toEqual([]);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    "is late, suspect and lost when its kernel is killed at 60 %; resumed from its last good checkpoint it ends with the same metrics, though the host was killed too",
    async () => {
      setLimits(QUICK);
      const { job, end, runtime, mounted } = await start();
      const folder = join(mounted, "eda", "jobs", job);
      let pid = 0;
      const first = runtime.runAll(job, (kernel) => {
        pid = kernel;
      });
      while (!(await beatsIn(folder)).some(({ step }) => (step ?? 0) >= EPOCHS * 0.6)) await delay(50);
      process.kill(pid, "SIGKILL");
      expect(await first).toMatch(/kernel died/u);
      // What was being written when it died: the newest checkpoint is cut off.
      const newest = readdirSync(join(folder, "checkpoints")).sort().at(-1) as string;
      truncateSync(join(folder, "checkpoints", newest, "state.pickle"), 40);
      for (const state of ["late", "suspect"]) await untilState(job, end, state);
      // The job outlives the host.
      await host.kill();
      host = await openTestHost(workspace.folder, { env });
      const again = host.endOf(job);
      const lost = await untilState(job, again, "lost");
      expect(lost.status.reason.code).toBe("lost-with-checkpoint");

      expect((await call(host.rpc.sendRequest(ResumeJob, { job }))).status.state).toBe("resuming");
      expect(await runtime.runAll(job)).toBe("");
      const summary = await again;
      expect(summary, JSON.stringify(summary.error)).toMatchObject({ state: "succeeded" });
      const done = await view(job);
      expect(done.status.attempts).toHaveLength(2);
      expect(done.status.attempts[1]?.done?.resumedFrom?.step).toBe(Number(newest.split("-")[2]) - 1);
      const { text } = await call(host.rpc.sendRequest(JobLogOf, { job, bytes: 100_000 }));
      expect(text).toContain(`Checkpoint ${newest} is skipped`);
      expect(done.metrics).toEqual(undisturbed);
      // Exported once by their content: the second job sent none of them.
      const datasets = server.state.children(idOf("eda/datasets") as string);
      expect(datasets.map(({ name }) => name).sort()).toEqual(done.inputs.map(({ sha256 }) => sha256).sort());
    },
    TEST_TIMEOUT_MS,
  );

  it(
    "refuses another accelerator, saying where to change it",
    async () => {
      setLimits(QUICK);
      const { job, end, runtime } = await start({ gpu: "NVIDIA L4 (stand-in)" });
      expect(await runtime.runAll(job)).toContain("The job wants a T4");
      const summary = await end;
      expect(summary).toMatchObject({
        state: "failed",
        error: { code: "accelerator-missing", todo: expect.stringContaining("Change runtime type, T4 GPU") },
      });
      expect(await view(job)).toMatchObject({ status: { state: "failed" }, accelerator: "NVIDIA L4 (stand-in), Jupyter", outputs: [] });
    },
    TEST_TIMEOUT_MS,
  );

  it(
    "refuses a dataset that was changed on Drive, and exports it again for the next job",
    async () => {
      setLimits(QUICK);
      const { job, end, runtime, sync, mounted } = await start();
      const [dataset] = (await view(job)).inputs as [JobView["inputs"][number]];
      const path = `eda/datasets/${dataset.sha256}`;
      for (const { sha256 } of (await view(job)).inputs) await sync.arrived(`eda/datasets/${sha256}`);
      const whole = readFileSync(join(mounted, path));
      const broken = Buffer.from(whole);
      broken[10] = (broken[10] as number) ^ 1;
      writeFileSync(join(mounted, path), broken);
      await expect.poll(() => onDrive(path), { timeout: 10_000 }).toEqual(broken);
      expect(await runtime.runAll(job)).toContain("has another content");
      expect(await end).toMatchObject({
        state: "failed",
        error: { code: "input-changed", todo: expect.stringContaining("exported again") },
      });
      const next = await start();
      expect(onDrive(path)).toEqual(whole);
      await host.cancel(next.job);
      expect(await next.end).toMatchObject({ state: "cancelled" });
    },
    TEST_TIMEOUT_MS,
  );

  it(
    "is lost, saying what to look at, when Drive is full; cancelling the job cancels its run",
    async () => {
      setLimits(QUICK);
      let isFull = false;
      const { job, end, runtime } = await start({ upload: (_path, bytes) => (isFull ? undefined : bytes) });
      const training = runtime.runAll(job);
      await untilState(job, end, "running");
      isFull = true;
      const lost = await untilState(job, end, "lost");
      expect(lost.status.reason.code).toMatch(/^lost-|^done-missing$/u);
      await call(host.rpc.sendRequest(CancelJob, { job }));
      expect(await end).toMatchObject({ state: "cancelled" });
      expect(await view(job)).toMatchObject({ status: { state: "cancelled" } });
      expect(idOf(`eda/jobs/${job}/CANCEL`)).toBeDefined();
      await training;
    },
    TEST_TIMEOUT_MS,
  );

  it(
    "is not prepared on a Drive that is full already: the run says so",
    async () => {
      const used = 1;
      server.state.setQuota(OWNER, used);
      try {
        expect(await host.run("modeling", { force: true })).toMatchObject({
          state: "failed",
          error: { kind: "terminal", message: expect.stringMatching(/storage|full|quota/iu) },
        });
      } finally {
        server.state.setQuota(OWNER, null);
      }
    },
    TEST_TIMEOUT_MS,
  );

  it(
    "fails, saying so, when somebody deletes its folder on Drive",
    async () => {
      setLimits(QUICK);
      const { job, end } = await start();
      server.state.trash(idOf(`eda/jobs/${job}`) as string);
      expect(await end).toMatchObject({
        state: "failed",
        error: { code: "job-folder-missing", todo: expect.stringContaining("run the stage again") },
      });
    },
    TEST_TIMEOUT_MS,
  );
});
