/** The scikit-learn template, prepared as a job, on a real Jupyter kernel; the GPU alone is a stand-in. */
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type KernelSession, openKernel } from "../../src/adapters/jupyter/kernel.ts";
import { findPython } from "../../src/adapters/jupyter/python.ts";
import { type LocalServer, startLocalServer } from "../../src/adapters/jupyter/server.ts";
import { checkArtefacts } from "../../src/domain/job/artefacts.ts";
import { jobLimitsSchema } from "../../src/domain/job/limits.ts";
import { jobFiles } from "../../src/domain/job/prepare.ts";
import { reduceJob } from "../../src/domain/job/reduce.ts";
import { type JobEvent, type JobStatus, preparedJob } from "../../src/domain/job/status.ts";
import { type JsonObject, sha256Hex } from "../../src/domain/json.ts";
import { isCode, type NotebookCell, parseNotebook, sourceText } from "../../src/domain/notebook.ts";
import { beatsIn, doneIn, filesIn } from "../support/job-folder.ts";
import { standInNvidiaSmi } from "../support/nvidia-smi.ts";
import { describeWithPython } from "../support/python.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const LIMITS = jobLimitsSchema.parse({ beatSeconds: 0.2, lateSeconds: 5, suspectSeconds: 15, lostSeconds: 30 });
const EPOCHS = 30;
const TEST_TIMEOUT_MS = 240_000;
/** Two classes that a line nearly separates. */
const MAKE_DATA = `
import sys, numpy as np, pandas as pd
rng = np.random.default_rng(0)
for split, rows in (("train", 8000), ("validation", 2000)):
    x = rng.normal(size=(rows, 6))
    y = (x @ np.arange(1, 7) + rng.normal(scale=3, size=rows) > 0).astype(int)
    pd.DataFrame(x, columns=list("abcdef")).assign(target=y).to_parquet(f"{sys.argv[1]}/{split}.parquet")
`;

describeWithPython("a prepared notebook on a Jupyter kernel", (python) => {
  let root: string;
  let server: LocalServer;
  let undisturbed: JsonObject;

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), "eda-job-"));
    await mkdir(join(root, "data"));
    execFileSync(python, ["-c", MAKE_DATA, join(root, "data")]);
    const env = { ...process.env, EDA_PYTHON: python, PATH: `${await standInNvidiaSmi(join(root, "bin"))}${delimiter}${process.env.PATH}` };
    server = await startLocalServer({
      stateFolder: join(root, ".eda"),
      job: "test",
      rootFolder: root,
      python: await findPython(undefined, env),
      env,
      signal: new AbortController().signal,
    });
  }, TEST_TIMEOUT_MS);
  afterAll(async () => {
    await server?.stop();
    await rm(root, { recursive: true, force: true, maxRetries: 5 });
  });

  async function prepare(job: string, notebook?: string): Promise<string> {
    const folder = join(root, job);
    await mkdir(join(folder, "data"), { recursive: true });
    const inputs = await Promise.all(
      ["train", "validation"].map(async (split) => {
        const bytes = await readFile(join(root, "data", `${split}.parquet`));
        await writeFile(join(folder, "data", `${split}.parquet`), bytes);
        return { path: `data/${split}.parquet`, size: bytes.length, sha256: sha256Hex(bytes) };
      }),
    );
    const path = "notebooks/templates/sklearn.ipynb";
    const files = jobFiles({
      job,
      project: "p",
      run: job,
      createdAt: new Date().toISOString(),
      inputs,
      parameters: { epochs: EPOCHS, batch_rows: 64, seed: 5 },
      notebook: { path, text: notebook ?? (await readFile(join(ROOT, path), "utf8")) },
      helper: await readFile(join(ROOT, "notebooks", "eda_job.py"), "utf8"),
      commit: null,
      accelerator: { wanted: "T4", allowOthers: false },
      limits: LIMITS,
    });
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    return folder;
  }

  /** Runs cells until one raises. @returns what it raised */
  async function runAll(folder: string, onKernel: (kernel: KernelSession, pid: number) => void = () => undefined): Promise<string> {
    const job = folder.slice(root.length + 1);
    const notebook = parseNotebook("notebook.ipynb", await readFile(join(folder, "notebook.ipynb"), "utf8"));
    const kernel = await openKernel(server, `${job}/notebook.ipynb`, "python3", () => undefined);
    try {
      onKernel(kernel, Number(await printed(kernel, "import os; print(os.getpid())")));
      for (const cell of notebook.cells.filter(isCode)) {
        const outcome = await kernel.execute(sourceText(cell), () => undefined);
        if (outcome.status === "error") return `${outcome.name}: ${outcome.value}`;
      }
      return "";
    } finally {
      await kernel.close();
    }
  }

  it(
    "trains, is followed beat by beat, and hands over results that verify",
    async () => {
      const folder = await prepare("undisturbed");
      expect(await runAll(folder)).toBe("");
      const done = await doneIn(folder);
      expect(done).toMatchObject({
        job: "undisturbed",
        runtime: "Jupyter",
        accelerator: { kind: "gpu", name: "Tesla T4 (stand-in)" },
        step: EPOCHS,
        resumedFrom: null,
      });
      undisturbed = done?.metrics as JsonObject;
      expect(undisturbed["auc"]).toBeGreaterThan(0.9);
      expect(done?.artefacts.map((artefact) => [artefact.name, artefact.role])).toEqual([
        ["metrics.json", "metrics"],
        ["model.pickle", "model"],
      ]);
      expect(checkArtefacts(done as never, await filesIn(folder))).toEqual({ missing: [], findings: [] });
      const beats = await beatsIn(folder);
      expect(beats.flatMap((beat) => beat.points.map((point) => point.step))).toEqual(
        Array.from({ length: EPOCHS }, (_, epoch) => epoch + 1),
      );
      expect(beats.at(-1)?.gpus).toMatchObject([{ utilization: 87, memoryTotalMiB: 15_360, powerLimitW: 70 }]);
      const events: JobEvent[] = beats.map((beat) => ({ type: "beat", beat }));
      expect(stateAfter([...events, { type: "done", done: done as never }, { type: "verified", attempt: done?.attempt ?? "" }])).toBe(
        "succeeded",
      );
    },
    TEST_TIMEOUT_MS,
  );

  it(
    "goes on from its checkpoint after the kernel was killed, and ends with the metrics of an undisturbed run",
    async () => {
      const folder = await prepare("killed");
      let pid = 0;
      const attempt = runAll(folder, (_, kernel) => {
        pid = kernel;
      }).catch((error: Error) => error.message);
      while (!(await beatsIn(folder)).some((beat) => (beat.step ?? 0) >= EPOCHS * 0.6)) await delay(50);
      process.kill(pid, "SIGKILL");
      expect(await attempt).toMatch(/kernel died/u);
      expect(await doneIn(folder)).toBeUndefined();

      const firstBeats = await beatsIn(folder);
      const last = Date.parse(firstBeats.at(-1)?.at ?? "");
      let job = firstBeats.reduce<JobStatus>((status, beat) => reduceJob(status, { type: "beat", beat }, last, LIMITS), preparedJob(last));
      const silent = [0, 5, 15, 30].map((seconds) => reduceJob(job, { type: "tick" }, last + seconds * 1_000, LIMITS));
      expect(silent.map((status) => status.state)).toEqual(["running", "late", "suspect", "lost"]);
      expect(silent[3]?.reason).toMatchObject({ code: "lost-with-checkpoint" });
      job = reduceJob(silent[3] as JobStatus, { type: "resume-asked" }, last + 31_000, LIMITS);
      expect(job.state).toBe("resuming");

      expect(await runAll(folder)).toBe("");
      const done = await doneIn(folder);
      expect(done?.attempt).toMatch(/^002-/u);
      expect(done?.resumedFrom?.step).toBeGreaterThanOrEqual(EPOCHS * 0.6 - 2);
      expect(done?.metrics).toEqual(undisturbed);
      for (const beat of (await beatsIn(folder)).slice(firstBeats.length))
        job = reduceJob(job, { type: "beat", beat }, last + 40_000, LIMITS);
      job = reduceJob(job, { type: "done", done: done as never }, last + 40_000, LIMITS);
      expect(job).toMatchObject({ state: "finishing", winner: done?.attempt });
    },
    TEST_TIMEOUT_MS,
  );

  it(
    "begins a new attempt when its first cell is run again, and ends the one before",
    async () => {
      const folder = await prepare("again");
      const [begin, ...rest] = parseNotebook("n", await readFile(join(folder, "notebook.ipynb"), "utf8")).cells.filter(isCode);
      const kernel = await openKernel(server, "again/notebook.ipynb", "python3", () => undefined);
      try {
        for (const cell of [begin, begin, ...rest]) {
          expect(await kernel.execute(sourceText(cell as NotebookCell), () => undefined)).toMatchObject({ status: "ok" });
        }
      } finally {
        await kernel.close();
      }
      const last = new Map((await beatsIn(folder)).map((beat) => [beat.attempt.slice(0, 3), beat.phase]));
      expect(Object.fromEntries(last)).toEqual({ "001": "superseded", "002": "finishing" });
      expect((await doneIn(folder))?.metrics).toEqual(undisturbed);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    "records the exception of a cell, and what a notebook that knows nothing of jobs leaves behind",
    async () => {
      const cell = (id: string, source: string) => ({ id, cell_type: "code", metadata: {}, source, outputs: [], execution_count: null });
      const notebook = (...sources: string[]) =>
        JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata: {}, cells: sources.map((source, index) => cell(`c${index}`, source)) });
      const failing = await prepare("failing", notebook("print('so far')", "{}['weights']"));
      expect(await runAll(failing)).toBe("KeyError: 'weights'");
      const last = (await beatsIn(failing)).at(-1);
      expect(last).toMatchObject({ phase: "failed", error: { type: "KeyError", message: "'weights'" } });
      expect(stateAfter([{ type: "beat", beat: last as never }])).toBe("failed");

      const plain = await prepare(
        "plain",
        notebook(
          "import json, os\nassert sorted(os.listdir(eda_data_dir)) == ['train.parquet', 'validation.parquet']",
          "json.dump({'auc': 0.5}, open(eda_results_dir + '/metrics.json', 'w'))",
        ),
      );
      expect(await runAll(plain)).toBe("");
      expect(await doneIn(plain)).toMatchObject({ metrics: { auc: 0.5 }, artefacts: [{ name: "metrics.json" }] });
    },
    TEST_TIMEOUT_MS,
  );
});

function stateAfter(events: readonly JobEvent[]): string {
  const now = Date.now();
  return events.reduce<JobStatus>((job, event) => reduceJob(job, event, now, LIMITS), preparedJob(now)).state;
}

async function printed(kernel: KernelSession, code: string): Promise<string> {
  let text = "";
  await kernel.execute(code, (message) => {
    if (message.header.msg_type === "stream") text += (message.content as { readonly text: string }).text;
  });
  return text;
}
