/** The extension as a person meets it: the packaged `.vsix` in code-server, in a real browser, on real workspaces. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openWindow, type Window } from "../support/browser.ts";
import { canTestExtension, type CodeServer, startCodeServer, testVsix } from "../support/code-server.ts";
import { openTestHost } from "../support/host.ts";
import { gitIdentity, SMALL_DRIVE, temporaryFolder } from "../support/small-project.ts";
import { createWorkspace, type TestWorkspace, workspaceAt } from "../support/workspace.ts";

const PROJECT_FILE = "configs/projects/lojas.yaml";
const RUN_TIMEOUT_MS = 120_000;
const TEST_TIMEOUT_MS = 240_000;
/** A run of modeling that is neither waiting nor ended. */
const AT_WORK = /Modeling.*(executing|running|step|%)/u;

describe.skipIf(!canTestExtension())("the extension in a browser", { timeout: TEST_TIMEOUT_MS }, () => {
  let server: CodeServer;
  let workspace: TestWorkspace;
  let window: Window | undefined;

  const open = async (options: { readonly folder?: string; readonly width?: number } = {}): Promise<Window> => {
    window = await openWindow({ url: server.url, workspace: options.folder ?? workspace.folder, ...options });
    return window;
  };
  const close = async () => {
    await window?.close();
    window = undefined;
  };
  const edit = (path: string, change: (text: string) => string) => {
    const file = join(workspace.folder, path);
    writeFileSync(file, change(readFileSync(file, "utf8")));
  };

  beforeAll(async () => {
    workspace = createWorkspace("browser");
    server = await startCodeServer({ vsix: testVsix, env: gitIdentity(), settings: { "workbench.colorTheme": "Default Light Modern" } });
  });

  afterAll(async () => {
    await close();
    await server?.stop();
    const host = await openTestHost(workspace.folder);
    await host.stop();
    workspace.remove();
  });

  it("offers a start in a folder that is no workspace yet, and initialises it", async () => {
    const folder = temporaryFolder("empty");
    const { page, ...view } = await open({ folder });
    await view.showEda();
    await page.mouse.move(900, 400);
    await page.getByRole("button", { name: "Create Demo Project" }).waitFor();
    await view.screenshot("empty-folder");
    await page.getByRole("button", { name: "Initialise Workspace" }).click();
    await page.locator(".quick-input-widget", { hasText: "Name of the first project" }).waitFor();
    await page.keyboard.press("Enter");
    await expect.poll(() => existsSync(join(folder, "configs", "eda.yaml")), { timeout: RUN_TIMEOUT_MS }).toBe(true);
    await expect
      .poll(() =>
        workspaceAt(folder)
          .commits()
          .map(({ subject }) => subject),
      )
      .toEqual([expect.stringMatching(/^init: /u)]);
    await close();
    await (await openTestHost(folder)).stop();
  });

  it("runs all stages from the palette, and shows what they made", async () => {
    const { page, ...view } = await open();
    await view.showEda();
    await view.row("Pipeline", "1 · Capture").waitFor();
    await view.command("Run All Stages");
    await view.notification(/eda · lojas/u).waitFor();
    await view.row("Pipeline", /2 · Ingest.*(executing|%|step|publishing|commit)/u).waitFor();
    await view.screenshot("running");
    await expect.poll(() => view.rows("Pipeline").filter({ hasText: "up to date" }).count(), { timeout: RUN_TIMEOUT_MS }).toBe(7);
    const subjects = workspace.commits().map(({ subject }) => subject);
    expect(subjects.filter((subject) => subject.startsWith("feat: "))).toHaveLength(7);
    expect(workspace.status()).toEqual([]);
    await view.row("Buckets", "staging-data").click();
    await view.row("Buckets", "lojas").waitFor();
    await view.row("Inventories", "Staging").click();
    await view.row("Inventories", "pedidos").waitFor();
    await expect.poll(() => view.spoken("Runs", ", succeeded").count()).toBe(7);
    await page.mouse.move(900, 400);
    await view.screenshot("after-all-stages");
    await close();
  });

  it("says that there is nothing to do when nothing changed", async () => {
    const view = await open();
    await view.showEda();
    await view.row("Pipeline", "1 · Capture").waitFor();
    const before = workspace.commits().length;
    await view.command("Run Staging");
    await view.notification(/nothing/iu).waitFor({ timeout: RUN_TIMEOUT_MS });
    expect(workspace.commits()).toHaveLength(before);
    await close();
  });

  it("goes on with a run when the browser is closed, and shows it live when it is opened again", async () => {
    edit(PROJECT_FILE, (text) => text.replace("wait_seconds: 0", "wait_seconds: 25"));
    const first = await open();
    await first.showEda();
    await first.row("Pipeline", "6 · Modeling").waitFor();
    await first.command("Run Modeling");
    await first.row("Runs", AT_WORK).waitFor({ timeout: RUN_TIMEOUT_MS });
    await close();
    const again = await open();
    await again.showEda();
    await again.row("Runs", AT_WORK).waitFor();
    await again.notification(/eda · lojas/u).waitFor();
    await again.screenshot("reopened-during-a-run");
    const succeeded = again.spoken("Runs", "Modeling, succeeded");
    await expect.poll(() => succeeded.count(), { timeout: RUN_TIMEOUT_MS }).toBe(2);
    await expect.poll(() => workspace.commits().at(-1)?.subject).toBe("feat: pipeline de modelagem no Colab com GPU");
    await close();
  });

  it("shows a failed run with what to do, and leaves a commit that says so", async () => {
    writeFileSync(join(workspace.folder, SMALL_DRIVE, "pedidos.csv"), "pedido;loja;valor\n1;A;1,5\n");
    const view = await open();
    await view.showEda();
    await view.row("Pipeline", "1 · Capture").waitFor();
    await view.command("Run All Stages");
    const message = view.notification(/dia/u);
    await message.waitFor({ timeout: RUN_TIMEOUT_MS });
    await message.getByRole("button", { name: "Show Log" }).waitFor();
    await expect.poll(() => view.rows("Runs").filter({ hasText: "waiting" }).count()).toBe(0);
    await view.screenshot("failed-run");
    await expect.poll(() => workspace.commits().at(-1)?.subject).toBe("docs: falha registrada na etapa staging do projeto lojas");
    await close();
  });

  it("puts a mistake of the project file into the Problems panel, at its line", async () => {
    const text = readFileSync(join(workspace.folder, PROJECT_FILE), "utf8");
    edit(PROJECT_FILE, (old) => old.replace("format: csv", "format: cvs"));
    const { page, ...view } = await open();
    await view.showEda();
    await view.row("Pipeline", "lojas").waitFor();
    await page.keyboard.press("Control+Shift+M");
    const problem = page.locator(".markers-panel .monaco-list-row", { hasText: "format" }).first();
    await problem.waitFor();
    expect(await problem.textContent()).toMatch(/Ln 9/u);
    await view.screenshot("problems");
    await close();
    edit(PROJECT_FILE, () => text);
  });

  it("keeps to a narrow window", async () => {
    const view = await open({ width: 560 });
    await view.showEda();
    await view.row("Pipeline", "1 · Capture").waitFor();
    expect(await view.row("Pipeline", "1 · Capture").isVisible()).toBe(true);
    await view.screenshot("narrow");
    await close();
  });
});

describe.skipIf(!canTestExtension())("the extension in the dark", () => {
  it("reads as well as in the light", { timeout: TEST_TIMEOUT_MS }, async () => {
    const workspace = createWorkspace("browser-dark");
    const server = await startCodeServer({
      vsix: testVsix,
      env: gitIdentity(),
      settings: { "workbench.colorTheme": "Default Dark Modern" },
    });
    try {
      const view = await openWindow({ url: server.url, workspace: workspace.folder });
      try {
        await view.showEda();
        await view.row("Pipeline", "1 · Capture").waitFor();
        expect(await view.page.locator("body.vs-dark, .monaco-workbench.vs-dark").count()).toBeGreaterThan(0);
        await view.screenshot("dark");
      } finally {
        await view.close();
      }
    } finally {
      await server.stop();
      await (await openTestHost(workspace.folder)).stop();
      workspace.remove();
    }
  });
});
