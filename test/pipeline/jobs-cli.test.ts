/** A modeling run whose trainer is Google's `colab` program, as the host composes it from the project file; the program is a stand-in on the PATH. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { settingsSchema } from "../../src/domain/settings.ts";
import { openTrainers } from "../../src/host/trainers.ts";
import { captureStage } from "../../src/pipeline/stages/capture.ts";
import { curationStage } from "../../src/pipeline/stages/curation.ts";
import { datasetsStage } from "../../src/pipeline/stages/datasets.ts";
import { ingestStage } from "../../src/pipeline/stages/ingest.ts";
import { modelingStage } from "../../src/pipeline/stages/modeling.ts";
import { stagingStage } from "../../src/pipeline/stages/staging.ts";
import { type ColabStandIn, colabStandIn } from "../support/colab-cli.ts";
import { ROOT } from "../support/host.ts";
import { notebookOf } from "../support/notebooks.ts";
import { describeWithPython } from "../support/python.ts";
import { openTestServices, type TestRunOptions, type TestServices } from "../support/services.ts";
import { createWorkspace, type TestWorkspace } from "../support/workspace.ts";

const PROJECT_FILE = "configs/projects/lojas.yaml";
const NOTEBOOK = "notebooks/lojas/media.ipynb";
const TEST_TIMEOUT_MS = 120_000;
const TRAIN = notebookOf(
  "import pandas as pd\nvalues = pd.read_parquet(job.data / 'train.parquet')['valor'].astype(float)\njob.log_metrics(step=1, total=1, mean=values.mean())",
  "job.save_model({'mean': values.mean()}, 'model.json')\njob.save_result({'mae': 0.5}, 'metrics.json')",
);

describeWithPython("modeling through the colab program (stand-in)", (python) => {
  let root: string;
  let workspace: TestWorkspace;
  let test: TestServices;
  let colab: ColabStandIn;

  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), "eda-jobs-cli-"));
    colab = await colabStandIn(join(root, "home"), python);
    workspace = createWorkspace("jobs-cli");
    const project = join(workspace.folder, PROJECT_FILE);
    const modeling = `modeling:\n  notebook: ${NOTEBOOK}\n  dataset: vendas\n  trainer: colab-cli\n  accelerator: T4\n  timeoutMinutes: 90\n  limits: { beatSeconds: 1 }\n`;
    writeFileSync(project, readFileSync(project, "utf8").replace(/modeling:[\s\S]*?(?=deploy:)/u, modeling));
    writeFileSync(join(workspace.folder, NOTEBOOK), TRAIN);
    test = await openTestServices(workspace);
    for (const stage of [captureStage, ingestStage, stagingStage, curationStage, datasetsStage]) {
      expect(await test.run(stage)).toMatchObject({ state: "succeeded" });
    }
  }, TEST_TIMEOUT_MS);
  afterAll(async () => {
    await test?.close();
    workspace?.remove();
    rmSync(root, { recursive: true, force: true, maxRetries: 5 });
  });

  function run(options: TestRunOptions = {}) {
    const trainer = openTrainers({
      stateFolder: join(workspace.folder, ".eda"),
      home: ROOT,
      env: colab.env,
      drive: test.services.drive,
      isGoogleDrive: false,
      settings: settingsSchema.parse({ jobs: { pollSeconds: 0.2 } }),
    });
    return test.run(modelingStage, { services: { ...test.services, trainer }, force: true, ...options });
  }

  it(
    "registers and commits what the T4 runtime made, and leaves neither runtime nor job folder",
    async () => {
      const log: string[] = [];
      const record = await run({ onLog: (line) => void log.push(line) });
      expect(record, JSON.stringify(record.error)).toMatchObject({
        state: "succeeded",
        details: { accelerator: "Tesla T4 (stand-in), Jupyter", trainer: "Colab, colab program", attempts: 1, artefacts: 2 },
      });
      expect(workspace.commits().at(-1)).toMatchObject({
        subject: "feat: pipeline de modelagem no Colab com GPU",
        trailers: { Acelerador: "Tesla T4 (stand-in), Jupyter" },
      });
      expect(await test.services.inventory.job(record.run)).toMatchObject({ metrics: { mae: 0.5 }, state: "succeeded" });
      expect(log).toContainEqual(expect.stringMatching(/compute units, which must be paid ones.* 24 hours/u));
      expect(
        colab
          .calls()
          .find((argv) => argv[0] === "exec" && String(argv[4]).endsWith(".ipynb"))
          ?.slice(-2),
      ).toEqual(["--timeout", "5460"]);
      expect([colab.count("assigned"), colab.count("unassigned")]).toEqual([1, 1]);
      for (const name of ["folder", "colab"]) expect(existsSync(join(workspace.folder, ".eda", "jobs", record.run, name))).toBe(false);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    "fails when Colab gives no T4, asking once and saying what can be done",
    async () => {
      const before = colab.calls().filter(([command]) => command === "new").length;
      await colab.faults({ new: "refused" });
      const record = await run();
      await colab.faults({});
      expect(record).toMatchObject({
        state: "failed",
        error: { kind: "precondition", code: "colab-accelerator-refused", todo: expect.stringContaining("colab-drive") },
      });
      expect(colab.calls().filter(([command]) => command === "new")).toHaveLength(before + 1);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    "releases the runtime when its run is cancelled",
    async () => {
      await colab.faults({ slow: 1 });
      const controller = new AbortController();
      const made = colab.count("assigned");
      const ended = run({ signal: controller.signal });
      while (colab.count("assigned") === made) await delay(50);
      controller.abort();
      expect(await ended).toMatchObject({ state: "cancelled" });
      expect(await colab.runtimes()).toEqual([]);
      expect(colab.count("unassigned")).toBe(colab.count("assigned"));
    },
    TEST_TIMEOUT_MS,
  );
});
