/** The Trainer contract on a real Jupyter server and kernel. */
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import { identify } from "../../src/adapters/jupyter/processes.ts";
import { openJupyterTrainer } from "../../src/adapters/jupyter/trainer.ts";
import { type JobRun, jobFolderIn, runJob } from "../support/jupyter-jobs.ts";
import { type TestCell, WRITE_METRICS } from "../support/notebooks.ts";
import { standInNvidiaSmi } from "../support/nvidia-smi.ts";
import { describeWithPython } from "../support/python.ts";

/** A server and a kernel start in some seconds; on a loaded machine in many more. */
const TEST_TIMEOUT_MS = 120_000;

describeWithPython("the Jupyter trainer", (python) => {
  let root: string;
  let folder: string;

  beforeEach(async () => {
    root = join(await mkdtemp(join(tmpdir(), "eda-trainer-")), "área de trabalho");
    await mkdir(root);
    folder = jobFolderIn(join(root, ".eda"));
  });
  afterEach(() => rm(join(root, ".."), { recursive: true, force: true, maxRetries: 5 }));

  function train(cells: readonly (string | TestCell)[], run: JobRun = {}, env: NodeJS.ProcessEnv = {}) {
    const stateFolder = join(root, ".eda");
    const trainer = openJupyterTrainer({ stateFolder, env: { ...process.env, EDA_PYTHON: python, ...env } });
    return runJob(trainer, stateFolder, cells, run);
  }

  const serversLeft = () => readdir(join(root, ".eda", "jupyter")).catch(() => []);
  /** The kernel's pid, which the first cell of a notebook wrote to a file. */
  const kernelPid = async () => Number(await readFile(join(folder, "pid"), "utf8"));
  const WRITE_PID = 'import os; open(job.folder / "pid", "w").write(str(os.getpid()))';

  it(
    "runs the cells in order with injected parameters and leaves metrics, artefacts and the executed notebook",
    async () => {
      const { result, error, log, executed } = await train(
        [
          { source: "depth = 1\ncity = 'x'\neda_data_dir = 'elsewhere'", tags: ["parameters"] },
          "print(f'{depth + 1} {city}')\ndepth",
          "import os\nos.makedirs('results/modelo')\nopen('results/modelo/ação.txt', 'w').write(eda_data_dir)",
          'import json; json.dump({"auc": 0.75, "by": {"class": [1, 2]}}, open("results/metrics.json", "w"))',
        ],
        { parameters: { depth: 41, city: "São João d'Água \\ \u2028" } },
      );
      expect(error).toBeUndefined();
      expect(result).toEqual({
        accelerator: "cpu, jupyter local",
        metrics: { auc: 0.75, by: { class: [1, 2] } },
        artefacts: ["metrics.json", "modelo/ação.txt"],
      });
      expect(log).toContain("42 São João d'Água \\ \u2028\n");
      expect(executed.cells.map((cell) => cell.execution_count)).toEqual([1, 2, 3, 4, 5, 6, 7]);
      expect(executed.cells[2]?.metadata.tags).toEqual(["injected-parameters"]);
      expect(executed.cells[3]?.outputs[0]?.text?.join("")).toBe("42 São João d'Água \\ \u2028\n");
      const [attempt] = await readdir(join(folder, "results"));
      expect(await readFile(join(folder, "results", attempt as string, "modelo", "ação.txt"), "utf8")).toBe("data");
      expect(await serversLeft()).toEqual([]);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    "ends at the first cell that raises, naming it, with the traceback's last lines and the outputs so far",
    async () => {
      const { error, executed } = await train(["print('before')", "", "def half(x):\n    return x / 0\nhalf(3)", "print('never')"]);
      expect(error).toMatchObject({
        kind: "terminal",
        code: "notebook-failed",
        message: "Code cell 2 of 3 raised ZeroDivisionError: division by zero",
      });
      expect(error?.findings?.map((finding) => finding.message).join("\n")).toContain("return x / 0");
      expect(executed.cells.slice(2).map((cell) => cell.outputs.map((output) => output.ename ?? output.text?.join("")))).toEqual([
        ["before\n"],
        [],
        ["ZeroDivisionError"],
        [],
        [],
      ]);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    "kills the kernel when it is cancelled, and keeps what it had put out",
    async () => {
      const controller = new AbortController();
      const watch = (async () => {
        while (!existsSync(join(folder, "started"))) await delay(100);
        controller.abort();
      })();
      const endless =
        "import time\nprint('em andamento', flush=True)\ntime.sleep(2)\nopen(job.folder / 'started', 'w').close()\nwhile True:\n    try:\n        time.sleep(60)\n    except KeyboardInterrupt: pass";
      const { error, executed } = await train([WRITE_PID, endless], { signal: controller.signal });
      await watch;
      expect(error).toMatchObject({ kind: "cancelled" });
      expect(identify(await kernelPid())).toBeUndefined();
      expect(executed.cells[3]?.outputs[0]?.text).toEqual(["em andamento\n"]);
      expect(await serversLeft()).toEqual([]);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    "stops a notebook that runs over its time",
    async () => {
      const { error, executed } = await train([WRITE_PID, "print('slow', flush=True)\nimport time; time.sleep(600)"], { timeoutMs: 4_000 });
      expect(error).toMatchObject({ kind: "terminal", code: "training-timeout" });
      expect(identify(await kernelPid())).toBeUndefined();
      expect(executed.cells[3]?.outputs[0]?.text).toEqual(["slow\n"]);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    "bounds what a flood of output takes from memory, disk and log",
    async () => {
      const { result, executed, log } = await train(["for i in range(400_000): print('x' * 20, i)", WRITE_METRICS]);
      expect(result?.metrics).toEqual({ auc: 0.5 });
      const text = executed.cells[2]?.outputs[0]?.text?.join("") ?? "";
      expect(text).toMatch(/\[eda\] further output of this cell was left out\n$/u);
      expect(text.length).toBeLessThan(1.1 * 1024 * 1024);
      expect(log.length).toBeLessThan(4 * 1024 * 1024);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    "says that the kernel died when its process is killed from inside",
    async () => {
      const { error } = await train(["import os, signal; os.kill(os.getpid(), signal.SIGKILL)", WRITE_METRICS]);
      expect(error).toMatchObject({ kind: "terminal", code: "kernel-died" });
      expect(await serversLeft()).toEqual([]);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    "refuses a machine without the T4 that was asked for",
    async () => {
      const bin = await standInNvidiaSmi(join(root, "bin"), "NVIDIA A100-SXM4-40GB (stand-in)");
      const { told, error } = await train([WRITE_METRICS], { accelerator: "T4" }, { PATH: `${bin}:${process.env.PATH}` });
      expect(error).toMatchObject({ code: "notebook-failed" });
      expect(told).toMatchObject({
        type: "accelerator-missing",
        message: "The job wants a T4, and this runtime has NVIDIA A100-SXM4-40GB (stand-in).",
      });
    },
    TEST_TIMEOUT_MS,
  );

  it(
    "records the T4 that nvidia-smi shows",
    async () => {
      const bin = await standInNvidiaSmi(join(root, "bin"));
      const { result } = await train([WRITE_METRICS], { accelerator: "T4" }, { PATH: `${bin}:${process.env.PATH}` });
      expect(result?.accelerator).toBe("Tesla T4 (stand-in), jupyter local");
    },
    TEST_TIMEOUT_MS,
  );

  it(
    "does not show the host's secrets to the notebook",
    async () => {
      const { result } = await train(
        [
          'import os, json; json.dump({"found": [n for n in os.environ if "SECRET" in n or n.startswith("EDA_")]}, open("results/metrics.json", "w"))',
        ],
        {},
        { EDA_DATABASE_URL: "postgres://x", MY_SECRET: "y" },
      );
      expect(result?.metrics).toEqual({ found: [] });
    },
    TEST_TIMEOUT_MS,
  );

  it.each([
    ["NaN", 'open("results/metrics.json", "w").write(\'{"auc": NaN}\')'],
    ["a list", 'open("results/metrics.json", "w").write("[1]")'],
  ])(
    "refuses metrics that are %s, saying what to write",
    async (_what, cell) => {
      const { told, result } = await train([cell]);
      expect(result).toBeUndefined();
      expect(told).toMatchObject({ message: expect.stringContaining("metrics.json"), todo: "Write an object whose numbers are finite." });
    },
    TEST_TIMEOUT_MS,
  );
});
