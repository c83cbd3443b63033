/**
 * `npm run bench:monitor -- [--rounds 3] [--write]`: the job monitor's built page in headless Chromium. First paint, drawing 100,000 points, 60
 * messages a second while a person types, and the page's heap over ten simulated minutes of them. `--write` puts the table into docs/benchmarks.md.
 */
import { parseArgs } from "node:util";
import type { CDPSession, Page } from "playwright-core";
import { launchBrowser } from "../test/support/browser.ts";
import { jobView } from "../test/support/job-views.ts";
import { type MonitorPage, openMonitorPage } from "../test/support/monitor-page.ts";
import { writeSection } from "./report.ts";

const POINTS = 100_000;
const JOBS = 100;
const LIVE_SECONDS = 10;
const RATE = 60;
const SIMULATED_SECONDS = 600;
const JOB = "20261124-120000-k3f9qz";

const { values } = parseArgs({ options: { rounds: { type: "string", default: "3" }, write: { type: "boolean", default: false } } });

interface Round {
  /** Milliseconds from navigation to the first picture with jobs. */
  readonly firstPaint: number;
  /** Milliseconds from the message with the points to the next frame after they are drawn. */
  readonly drawn: number;
  /** Longest wait of a key press for its handler while points come, milliseconds, and how many were lost. */
  readonly slowestKey: number;
  readonly lostKeys: number;
  /** Heap after a collection, MB: once the page has all its points, and after ten minutes of beats for another job. */
  readonly heapBefore: number;
  readonly heapAfter: number;
}

const rounds: Round[] = [];
for (let round = 0; round < Number(values.rounds); round += 1) {
  rounds.push(await measure());
  console.error(`round ${round + 1}: ${JSON.stringify(rounds.at(-1))}`);
}
const worst = (of: (round: Round) => number) => Math.max(...rounds.map(of));
const table = [
  "| what | worst of the rounds | bar |",
  "|---|---|---|",
  `| first paint with ${JOBS} jobs | ${worst((each) => each.firstPaint).toFixed(0)} ms | 500 ms |`,
  `| ${POINTS.toLocaleString("en")} points of three metrics drawn | ${worst((each) => each.drawn).toFixed(0)} ms | 200 ms |`,
  `| key press answered while ${RATE} points a second come | ${worst((each) => each.slowestKey).toFixed(0)} ms, ${worst((each) => each.lostKeys)} lost | none lost |`,
  `| heap after ten more minutes of beats | ${worst((each) => each.heapAfter).toFixed(1)} MB, before ${worst((each) => each.heapBefore).toFixed(1)} MB | steady |`,
].join("\n");
console.log(table);
if (values.write) writeSection("monitor", rounds.length, table, `headless Chromium without a GPU, ${rounds.length} round(s)`);

async function measure(): Promise<Round> {
  const browser = await launchBrowser();
  try {
    const jobs = Array.from({ length: JOBS }, (_, index) => jobView({ job: index === 0 ? JOB : `${JOB}-${index}` }));
    await browser.page.addInitScript(watchFirstPaint);
    const monitor = await openMonitorPage(browser.page, { jobs });
    const firstPaint = await browser.page.evaluate(() => (globalThis as unknown as PageScope).firstPaint);
    await monitor.post({ type: "select", job: JOB });
    const drawn = await timeOfPoints(browser.page, () => monitor.addPoints(JOB, POINTS));
    const { slowest, lost } = await typeWhileLive(browser.page, monitor);
    const session = await browser.page.context().newCDPSession(browser.page);
    const heapBefore = await heap(session);
    await beats(browser.page);
    return { firstPaint, drawn, slowestKey: slowest, lostKeys: lost, heapBefore, heapAfter: await heap(session) };
  } finally {
    await browser.close();
  }
}

/** In the page: the time of the first frame that shows jobs, since the navigation began. */
function watchFirstPaint(): void {
  const scope = globalThis as unknown as PageScope;
  scope.firstPaint = new Promise((resolve) => {
    const look = () => {
      const item = scope.document.querySelector("eda-monitor")?.shadowRoot?.querySelector(".jobs li");
      if (item == null) scope.requestAnimationFrame(look);
      else scope.requestAnimationFrame(() => resolve(performance.now()));
    };
    look();
  });
}

/** The clock starts when the page takes the message, and stops two frames after the app has drawn it. */
async function timeOfPoints(page: Page, send: () => Promise<void>): Promise<number> {
  await page.evaluate(() => {
    const scope = globalThis as unknown as PageScope;
    scope.drawnAfter = new Promise((resolve) => {
      scope.addEventListener("message", ({ data }) => {
        if (data.type !== "series") return;
        const start = performance.now();
        const look = () => {
          const label = scope.document
            .querySelector("eda-monitor")
            ?.shadowRoot?.querySelector("eda-chart")
            ?.shadowRoot?.querySelector("canvas");
          if (label == null) scope.requestAnimationFrame(look);
          else scope.requestAnimationFrame(() => resolve(performance.now() - start));
        };
        look();
      });
    });
  });
  await send();
  return page.evaluate(() => (globalThis as unknown as PageScope).drawnAfter);
}

async function typeWhileLive(page: Page, monitor: MonitorPage): Promise<{ readonly slowest: number; readonly lost: number }> {
  const field = page.locator("nav vscode-textfield");
  await field.click();
  await page.evaluate(() => {
    const scope = globalThis as unknown as PageScope;
    scope.waits = [];
    scope.addEventListener("keydown", ({ timeStamp }) => scope.waits.push(performance.now() - timeStamp), { capture: true });
  });
  let from = POINTS;
  let isLive = true;
  const live = (async () => {
    for (; isLive; from += 1) {
      await monitor.addPoints(JOB, 1, { from });
      await page.waitForTimeout(1000 / RATE);
    }
  })();
  let pressed = 0;
  const end = performance.now() + LIVE_SECONDS * 1000;
  while (performance.now() < end) {
    await page.keyboard.press(pressed % 2 === 0 ? "a" : "Backspace");
    pressed += 1;
    await page.waitForTimeout(100);
  }
  isLive = false;
  await live;
  const waits = await page.evaluate(() => (globalThis as unknown as PageScope).waits);
  return { slowest: Math.max(...waits), lost: pressed - waits.length };
}

/** Ten minutes of messages for a job that nobody looks at, a second each, as fast as the page takes them. */
async function beats(page: Page): Promise<void> {
  const view = jobView({ job: `${JOB}-7` });
  await page.evaluate(
    async ({ view, seconds }) => {
      const scope = globalThis as unknown as PageScope;
      for (let second = 0; second < seconds; second += 1) {
        scope.postMessage({ type: "job", job: { ...view, createdAt: new Date(second).toISOString() } }, "*");
        await new Promise((resolve) => scope.requestAnimationFrame(resolve));
      }
    },
    { view: view as unknown as Readonly<Record<string, string>>, seconds: SIMULATED_SECONDS },
  );
}

async function heap(session: CDPSession): Promise<number> {
  await session.send("HeapProfiler.collectGarbage");
  return (await session.send("Runtime.getHeapUsage")).usedSize / 1e6;
}

/** The page's global scope, as far as it is used here. */
interface PageScope {
  firstPaint: Promise<number>;
  drawnAfter: Promise<number>;
  waits: number[];
  readonly document: { querySelector(selector: string): Element | null };
  addEventListener(type: "message", listener: (event: { readonly data: { readonly type: string } }) => void): void;
  addEventListener(
    type: "keydown",
    listener: (event: { readonly timeStamp: number }) => void,
    options: { readonly capture: boolean },
  ): void;
  requestAnimationFrame(callback: (time: unknown) => void): void;
  postMessage(message: unknown, origin: string): void;
}

interface Element {
  readonly shadowRoot?: { querySelector(selector: string): Element | null };
}
