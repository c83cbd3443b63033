/** A browser on code-server, driven as a person would: palette, side bar, notifications. */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { chromium, type Locator, type Page } from "playwright-core";
import { testChromium } from "./code-server.ts";
import { ROOT } from "./host.ts";
import { temporaryFolder } from "./small-project.ts";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const SCREENSHOTS = join(ROOT, "test-results", "screenshots");

export interface Window {
  readonly page: Page;
  /** Opens the eda side bar and waits for the first row of its first view. */
  showEda(): Promise<void>;
  /** Runs a palette command by its title. */
  command(title: string): Promise<void>;
  /** Picks a row of the quick pick that is open. */
  pick(label: string): Promise<void>;
  /** Rows of one eda view, by its title. */
  rows(view: string): Locator;
  row(view: string, text: string | RegExp): Locator;
  /** Rows by what a screen reader says of them. */
  spoken(view: string, text: string): Locator;
  /** Collapses or expands a view. */
  expandView(view: string): Promise<void>;
  notification(text: string | RegExp): Locator;
  screenshot(name: string): Promise<void>;
  close(): Promise<void>;
}

export interface BrowserOptions {
  readonly width?: number;
  readonly height?: number;
}

export interface WindowOptions extends BrowserOptions {
  readonly url: string;
  readonly workspace: string;
}

export interface Browser {
  readonly page: Page;
  close(): Promise<void>;
}

/** A browser of its own, without a past. */
export async function launchBrowser({ width = 1280, height = 1000 }: BrowserOptions = {}): Promise<Browser> {
  const profile = temporaryFolder("chromium");
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: testChromium as string,
    args: FLAGS,
    viewport: { width, height },
  });
  const page = context.pages()[0] ?? (await context.newPage());
  page.setDefaultTimeout(60_000);
  return {
    page,
    close: async () => {
      await context.close();
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

export async function openWindow(options: WindowOptions): Promise<Window> {
  const { page, close } = await launchBrowser(options);
  await page.goto(`${options.url}/?folder=${encodeURIComponent(options.workspace)}`);
  await page.locator(".monaco-workbench").waitFor();

  const pane = (view: string) => page.locator(".pane", { has: page.locator(`.pane-header[aria-label^="${view}"]`) });
  const header = (view: string) => page.locator(`.pane-header[aria-label^="${view}"]`);
  const input = page.locator(".quick-input-widget input.input");
  const list = page.locator(".quick-input-list .monaco-list-row");

  return {
    page,
    showEda: async () => {
      const tab = page.locator('.activitybar a.action-label[aria-label^="eda"]');
      await tab.waitFor();
      if ((await page.locator('.sidebar .composite.title:has-text("eda")').count()) === 0) await tab.click();
      await pane("Pipeline").waitFor();
    },
    command: async (title) => {
      await page.keyboard.press("F1");
      await input.waitFor();
      await input.fill(`>eda: ${title}`);
      await list.filter({ hasText: title }).first().waitFor();
      await page.keyboard.press("Enter");
    },
    pick: async (label) => {
      await list.filter({ hasText: label }).first().click();
    },
    rows: (view) => pane(view).locator(".monaco-list-row"),
    row: (view, text) => pane(view).locator(".monaco-list-row", { hasText: text }).first(),
    spoken: (view, text) => pane(view).locator(`.monaco-list-row[aria-label*="${text}"]`),
    expandView: async (view) => {
      if ((await header(view).getAttribute("aria-expanded")) === "false") await header(view).click();
    },
    notification: (text) => page.locator(".notification-list-item", { hasText: text }).first(),
    screenshot: async (name) => {
      mkdirSync(SCREENSHOTS, { recursive: true });
      await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`) });
    },
    close,
  };
}
