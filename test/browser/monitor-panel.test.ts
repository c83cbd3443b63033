/**
 * Training on a Colab T4 as a person lives it in code-server: the job waits, is watched in the monitor while its notebook runs, and ends. Drive is
 * the fake one over HTTP, the runtime a real Jupyter kernel that sees the job folder late; no GPU is there: nvidia-smi is a stand-in.
 */
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FrameLocator } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openWindow, type Window } from "../support/browser.ts";
import { canTestExtension, type CodeServer, startCodeServer, testVsix } from "../support/code-server.ts";
import { type DriveServer, startDriveServer } from "../support/drive-server/server.ts";
import { openTestHost, type TestHost } from "../support/host.ts";
import { type JobRuntime, openJobRuntime } from "../support/job-runtime.ts";
import { notebookOf } from "../support/notebooks.ts";
import { describeWithPython } from "../support/python.ts";
import { fillDrive } from "../support/real-stores.ts";
import { gitIdentity, SMALL_DRIVE } from "../support/small-project.ts";
import { openSyncingFolder, type SyncingFolder } from "../support/syncing-folder.ts";
import { createWorkspace, type TestWorkspace } from "../support/workspace.ts";

const OWNER = "ana@example.com";
const NOTEBOOK = "notebooks/lojas/media.ipynb";
const PROJECT_FILE = "configs/projects/lojas.yaml";
const EPOCHS = 40;
const TIMEOUT_MS = 300_000;
const TRAIN = notebookOf(
  { source: `epochs = ${EPOCHS}\npause = 0.4`, tags: ["parameters"] },
  `import math, time, eda_job
job = eda_job.current()
for epoch in range(1, epochs + 1):
    job.log_metrics(step=epoch, total=epochs, loss=math.exp(-epoch / 12), val_loss=0.1 + math.exp(-epoch / 15), auc=0.9 - 0.4 * math.exp(-epoch / 10))
    print("epoch", epoch, flush=True)
    time.sleep(pause)
job.save_model({"mean": 1.0}, "model.json")
job.save_result({"loss": math.exp(-epochs / 12)}, "metrics.json")`,
);

describeWithPython("the job monitor in VS Code", (python) => {
  const canTest = canTestExtension();
  let root: string;
  let drive: DriveServer;
  let server: CodeServer;
  let workspace: TestWorkspace;
  let host: TestHost;
  let runtime: JobRuntime;
  let sync: SyncingFolder;
  let window: Window;

  beforeAll(async () => {
    if (!canTest) return;
    root = realpathSync(mkdtempSync(join(tmpdir(), "eda-monitor-")));
    drive = await startDriveServer({ accounts: [OWNER], visibilityDelayMs: 300 });
    const env = {
      ...gitIdentity(),
      EDA_DRIVE: "google",
      EDA_GOOGLE_ACCOUNT: OWNER,
      EDA_GOOGLE_CREDENTIALS_FILE: await drive.writeServiceAccount(root, "eda@fake-drive.iam.gserviceaccount.com", [OWNER]),
      EDA_GOOGLE_API_ROOT: drive.url,
      EDA_GOOGLE_OAUTH_ROOT: drive.url,
    };
    workspace = createWorkspace("monitor");
    fillDrive(drive, workspace.folder, SMALL_DRIVE);
    layOutTraining(workspace.folder);
    const mounted = join(root, "MyDrive");
    mkdirSync(join(mounted, "eda"), { recursive: true });
    sync = openSyncingFolder({ server: drive, path: "eda", local: mounted, delay: [500, 2_000] });
    runtime = await openJobRuntime({ python, mounted, stateFolder: root, gpu: "Tesla T4 (stand-in)" });
    host = await openTestHost(workspace.folder, { env });
    for (const stage of ["capture", "ingest", "staging", "curation", "datasets"] as const) {
      const summary = await host.run(stage);
      expect(summary, JSON.stringify(summary.error)).toMatchObject({ state: "succeeded" });
    }
    server = await startCodeServer({ vsix: testVsix, env });
    window = await openWindow({ url: server.url, workspace: workspace.folder, width: 1400, height: 1000 });
  }, TIMEOUT_MS);

  afterAll(async () => {
    await window?.close();
    await server?.stop();
    await runtime?.stop();
    await sync?.stop();
    await host?.stop();
    await drive?.close();
    workspace?.remove();
    if (root !== undefined) rmSync(root, { recursive: true, force: true, maxRetries: 5 });
  }, TIMEOUT_MS);

  /** Opens a step of the walkthrough and presses what it offers. */
  const follow = async (step: string, button: string) => {
    const page = window.page.locator(".gettingStartedContainer:visible");
    const row = page.locator(".getting-started-step", { hasText: step });
    await row.waitFor();
    if (!((await row.getAttribute("class")) ?? "").includes("expanded")) await row.click();
    await row.locator("a, button", { hasText: button }).first().click();
  };
  const monitor = (): FrameLocator => window.page.frameLocator("iframe.webview.ready").frameLocator("iframe#active-frame");

  it.skipIf(!canTest)(
    "trains on a T4 step by step: the job waits, is opened, watched live, and its results are registered",
    async () => {
      await window.showEda();
      await window.row("Pipeline", "6 · Modeling").waitFor();
      await window.command("Train on a Colab T4");
      await follow("Ask for a T4", "Open Project File");
      await window.page.locator(".editor-instance", { hasText: "trainer: colab-drive" }).first().waitFor();
      await window.command("Train on a Colab T4");
      await window.screenshot("training-walkthrough");
      await follow("Prepare the job", "Run Modeling");
      const waiting = window.notification("Waiting for a runtime to start the notebook.");
      await waiting.waitFor();
      await waiting.getByRole("button", { name: "Open in Colab" }).waitFor();
      await window.row("Runs", "waiting for a runtime").waitFor();

      await follow("Open it in Colab, and watch", "Open Job Monitor");
      await monitor().getByText("open the notebook and choose Runtime, Run all").waitFor();
      await window.screenshot("monitor-waiting");
      const job = (await monitor().locator("main h1 small").textContent()) as string;
      for (const name of ["notebook.ipynb", "eda_job.py", "job.json"]) await sync.arrived(`eda/jobs/${job}/${name}`);
      const executed = runtime.runAll(job);

      const loss = monitor().locator("eda-chart .plot").first();
      await loss.waitFor({ timeout: TIMEOUT_MS });
      const first = await loss.getAttribute("aria-label");
      await expect.poll(() => loss.getAttribute("aria-label"), { timeout: 60_000 }).not.toBe(first);
      await monitor()
        .getByText(/Attempt 1 is training on Tesla T4/u)
        .waitFor();
      await window.screenshot("monitor-running");

      // The browser is reloaded in the middle: the monitor comes back by itself.
      await window.page.reload();
      await monitor().locator("main h1 small", { hasText: job }).waitFor();
      expect(await executed).toBe("");
      await monitor()
        .getByText(/results verified/u)
        .waitFor({ timeout: TIMEOUT_MS });
      await monitor().getByRole("cell", { name: "model.json", exact: true }).waitFor();
      await window.screenshot("monitor-succeeded");
      expect(workspace.commits().at(-1)).toMatchObject({
        subject: "feat: pipeline de modelagem no Colab com GPU",
        trailers: { Acelerador: expect.stringContaining("Tesla T4 (stand-in)") },
      });
    },
    TIMEOUT_MS,
  );
});

function layOutTraining(folder: string): void {
  const projectFile = join(folder, PROJECT_FILE);
  const modeling = `modeling:\n  notebook: ${NOTEBOOK}\n  dataset: vendas\n  trainer: colab-drive\n  accelerator: T4\n  limits: { beatSeconds: 1, lateSeconds: 30, suspectSeconds: 60, lostSeconds: 90 }\n`;
  writeFileSync(projectFile, readFileSync(projectFile, "utf8").replace(/modeling:[\s\S]*?(?=deploy:)/u, modeling));
  writeFileSync(join(folder, NOTEBOOK), TRAIN);
  writeFileSync(join(folder, "configs/eda.yaml"), "engine:\n  threads: 1\njobs:\n  pollSeconds: 0.5\n");
}
