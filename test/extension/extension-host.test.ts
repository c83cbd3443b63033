/** Runs the mocha suite of `suite/` inside code-server's extension host, as VS Code's own test runner would. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { canTestExtension, type CodeServer, startCodeServer, testChromium } from "../support/code-server.ts";
import { openTestHost, ROOT } from "../support/host.ts";
import { gitIdentity, temporaryFolder } from "../support/small-project.ts";
import { createWorkspace, type TestWorkspace } from "../support/workspace.ts";

const SUITE_TIMEOUT_MS = 300_000;
/** Test names of `suite/`, so that one that never ran is noticed. */
const EXPECTED = [
  "activates in milliseconds, before the host answers",
  "registers every command it contributes",
  "reaches the host of the workspace",
  "shows the project with its seven stages",
  "shows six buckets and five inventories",
  "keeps its tree nodes between refreshes",
  "runs a stage by its command and sees it end",
  "reports a mistake of the project file where it is, and takes it back",
];

describe.skipIf(!canTestExtension())("inside the extension host", () => {
  let workspace: TestWorkspace;
  let server: CodeServer;
  let lines: readonly string[];
  const bundle = join(ROOT, "test-results", "extension-suite.cjs");

  beforeAll(async () => {
    workspace = createWorkspace("extension-host");
    await build({
      entryPoints: [join(import.meta.dirname, "suite", "index.ts")],
      outfile: bundle,
      bundle: true,
      platform: "node",
      format: "cjs",
      external: ["vscode"],
      logLevel: "error",
    });
    server = await startCodeServer({ env: gitIdentity(), arguments: ["--vscode-option", "enable-smoke-test-driver"] });
    lines = await runSuite(server, workspace.folder, bundle);
  }, SUITE_TIMEOUT_MS);

  afterAll(async () => {
    await server?.stop();
    await (await openTestHost(workspace.folder)).stop();
    workspace.remove();
  });

  it.each(EXPECTED)("%s", (name) => {
    const line = lines.find((each) => each.includes(name));
    expect(line, `no result among:\n${lines.join("\n")}`).toMatch(/^PASS /u);
  });
});

/** @returns what the suite printed, `PASS …` and `FAIL …` among it */
async function runSuite(server: CodeServer, folder: string, suite: string): Promise<string[]> {
  const profile = temporaryFolder("chromium");
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: testChromium as string,
    args: ["--no-sandbox", "--disable-gpu"],
  });
  try {
    const page = context.pages()[0] ?? (await context.newPage());
    const printed: string[] = [];
    const ended = new Promise<void>((resolve, reject) => {
      setTimeout(() => reject(new Error(`the suite did not end:\n${printed.join("\n")}`)), SUITE_TIMEOUT_MS - 30_000).unref();
      void page.exposeFunction("codeAutomationExit", () => resolve());
    });
    await page.exposeFunction("codeAutomationLog", (_type: string, args: unknown[]) => printed.push(args.map(String).join(" ")));
    // The authority must be the page's own.
    const uri = (path: string) => `vscode-remote://127.0.0.1:${server.port}${path}`;
    const payload = JSON.stringify([
      ["extensionDevelopmentPath", uri(ROOT)],
      ["extensionTestsPath", uri(suite)],
    ]);
    await page.goto(`${server.url}/?folder=${encodeURIComponent(folder)}&payload=${encodeURIComponent(payload)}`);
    await ended;
    return printed;
  } finally {
    await context.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}
