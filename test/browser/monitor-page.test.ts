/** The job monitor's page by itself: what it shows, asks and keeps. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ViewState } from "../../src/protocol/monitor-messages.ts";
import { at } from "../support/job-documents.ts";
import { jobView, jobViews, STATUSES } from "../support/job-views.ts";
import { type Browser, launchBrowser } from "../support/browser.ts";
import { canTestExtension } from "../support/code-server.ts";
import { openMonitorPage } from "../support/monitor-page.ts";

const NOW = at(42.5);

describe.skipIf(!canTestExtension())("the page of the job monitor", () => {
  let browser: Browser;
  beforeEach(async () => {
    browser = await launchBrowser();
  });
  afterEach(() => browser.close());

  it("shows the newest job, with what its state means and what to do", async () => {
    const { page, showJobs, sent } = await openMonitorPage(browser.page, { now: NOW });
    await showJobs(jobViews());
    await page.getByText("Waiting for a runtime to start the notebook.").waitFor();
    await page.getByText("open the notebook and choose Runtime, Run all").waitFor();
    expect(await page.locator(".jobs li").count()).toBe(Object.keys(STATUSES).length);
    expect((await sent()).at(-1)).toEqual({ type: "watch", jobs: [jobViews()[0]?.job] });
  });

  it("asks to resume a lost job and to cancel a running one, and offers neither otherwise", async () => {
    const { page, showJobs, sent } = await openMonitorPage(browser.page, { now: NOW });
    await showJobs([jobView({ job: "lost", status: STATUSES.lost })]);
    await page.getByText("Resume the job: a new attempt continues from step 300.").waitFor();
    await page.locator("vscode-button", { hasText: "Resume" }).click();
    await showJobs([jobView({ job: "running" })]);
    await page.locator("vscode-button", { hasText: "Cancel" }).click();
    const asked = (await sent()).filter(({ type }) => type === "resume" || type === "cancel");
    expect(asked).toEqual([
      { type: "resume", job: "lost" },
      { type: "cancel", job: "running" },
    ]);
    await showJobs([jobView({ job: "done", status: STATUSES.succeeded })]);
    await page.getByText("Trained by attempt 1 on Tesla T4, Colab; results verified.").waitFor();
    expect(await page.locator("vscode-button", { hasText: /Resume|Cancel/u }).count()).toBe(0);
  });

  it("draws curves as they grow, and says them to a screen reader", async () => {
    const { page, showJobs, addPoints } = await openMonitorPage(browser.page, { now: NOW });
    await showJobs([jobView({ job: "running" })]);
    await page.getByText("No metric has come yet.").waitFor();
    await addPoints("running", 500);
    const loss = page.locator("eda-chart .plot").first();
    await loss.waitFor();
    const before = await loss.getAttribute("aria-label");
    expect(before).toMatch(/^loss\. loss: now [\d.]+, lowest [\d.]+, highest [\d.]+\. val_loss/u);
    const picture = await loss.screenshot();
    await addPoints("running", 5_000, { from: 500 });
    await expect.poll(() => loss.getAttribute("aria-label")).not.toBe(before);
    expect(picture.equals(await loss.screenshot())).toBe(false);
  });

  it("zooms by keyboard and shows all of it again", async () => {
    const { page, showJobs, addPoints } = await openMonitorPage(browser.page, { now: NOW });
    await showJobs([jobView({ job: "running" })]);
    await addPoints("running", 5_000);
    const loss = page.locator("eda-chart .plot").first();
    await loss.focus();
    const whole = await loss.screenshot();
    await page.keyboard.press("+");
    await page.locator("eda-chart vscode-button", { hasText: "Whole" }).waitFor();
    expect(whole.equals(await loss.screenshot())).toBe(false);
    await page.keyboard.press("0");
    await expect.poll(() => page.locator("eda-chart vscode-button", { hasText: "Whole" }).count()).toBe(0);
  });

  it("compares jobs: the best marked, what differs marked, curves asked for all of them", async () => {
    const { page, showJobs, sent, state } = await openMonitorPage(browser.page, { now: NOW });
    const jobs = [
      jobView({ job: "one", metrics: { loss: 0.3, auc: 0.7 }, parameters: { seed: 1, rate: 0.1 } }),
      jobView({ job: "two", metrics: { loss: 0.2, auc: 0.6 }, parameters: { seed: 1, rate: 0.2 } }),
    ];
    await showJobs(jobs);
    for (const index of [0, 1]) await page.locator(".jobs vscode-checkbox").nth(index).click();
    await page.getByText("2 jobs compared").waitFor();
    expect(await page.locator("td.marked").allTextContents()).toEqual(["★ 0.7", "★ 0.2", "0.1", "0.2"]);
    expect((await sent()).at(-1)).toEqual({ type: "watch", jobs: ["one", "two"] });
    expect((await state())?.compared).toEqual(["one", "two"]);
    await page.locator("vscode-button", { hasText: "End comparison" }).click();
    await page.getByText("Attempts and checkpoints").waitFor();
  });

  it("comes back as it was after a reload", async () => {
    const state = { selected: "two", compared: [], axis: "time", smoothing: 0.5, filter: "two" } satisfies ViewState;
    const { page, showJobs } = await openMonitorPage(browser.page, { now: NOW, state });
    await showJobs([jobView({ job: "one" }), jobView({ job: "two" })]);
    await page.locator("main h1", { hasText: "two" }).waitFor();
    expect(await page.locator(".jobs li").count()).toBe(1);
  });

  it("hands charts and metrics over to be saved", async () => {
    const { page, showJobs, addPoints, sent } = await openMonitorPage(browser.page, { now: NOW });
    await showJobs([jobView({ job: "running" })]);
    await addPoints("running", 50);
    await page.locator("eda-chart vscode-toolbar-button").nth(0).click();
    await page.locator("eda-chart vscode-toolbar-button").nth(1).click();
    await page.locator("vscode-button", { hasText: "Save metrics as CSV" }).click();
    const saved = (await sent()).filter((message) => message.type === "save");
    expect(saved.map(({ name }) => name)).toEqual([
      "projeto_voos running loss.png",
      "projeto_voos running loss.svg",
      "projeto_voos running.csv",
    ]);
    expect(
      Buffer.from(saved[0]?.data ?? "", "base64")
        .subarray(1, 4)
        .toString(),
    ).toBe("PNG");
    expect(saved[1]?.data).toMatch(/^<svg .*<\/svg>$/su);
    expect(saved[2]?.data.split("\r\n")).toHaveLength(52);
  });

  it("shows what a runtime wrote as text, whatever it is", async () => {
    const { page, showJobs, post } = await openMonitorPage(browser.page, { now: NOW });
    const attack = '<img src=x onerror="document.title=1">';
    await showJobs([jobView({ job: "evil", project: attack, parameters: { note: attack }, accelerator: attack })]);
    await post({ type: "log", job: "evil", attempt: null, text: attack, isCut: false });
    await page.locator("pre", { hasText: attack }).waitFor();
    expect(await page.title()).not.toBe("1");
    expect(await page.locator("img").count()).toBe(0);
  });

  it("says what went wrong and what to do, and when there is no job yet", async () => {
    const { page, showJobs, post } = await openMonitorPage(browser.page, { now: NOW });
    await showJobs([]);
    await page.getByText("No training job yet.").waitFor();
    await post({ type: "failure", failure: { message: "The eda host went away.", todo: "Start it again." } });
    await page.getByRole("alert").getByText("The eda host went away.").waitFor();
  });

  it("speaks Portuguese when the editor does", async () => {
    const { page, showJobs, post } = await openMonitorPage(browser.page, { now: NOW });
    const { default: strings } = await import("../../l10n/bundle.l10n.pt-br.json", { with: { type: "json" } });
    await post({ type: "language", locale: "pt-br", strings });
    await showJobs([jobView({ job: "perdido", status: STATUSES.lost })]);
    await page.getByText("Retome o trabalho: uma nova tentativa continua do passo 300.").waitFor();
    await page.locator("vscode-button", { hasText: "Retomar" }).waitFor();
  });
});
