import { it } from "vitest";
import { chromium } from "playwright-core";
import { startCodeServer, testChromium } from "../support/code-server.ts";
import { createWorkspace } from "../support/workspace.ts";
import { gitIdentity, temporaryFolder } from "../support/small-project.ts";
it("m", async () => {
  const workspace = createWorkspace("m");
  const server = await startCodeServer({ env: gitIdentity(), arguments: ["--vscode-option", "enable-smoke-test-driver"] });
  const context = await chromium.launchPersistentContext(temporaryFolder("c"), {
    executablePath: testChromium as string,
    args: ["--no-sandbox"],
  });
  const page = await context.newPage();
  const done = new Promise<void>((r) => void page.exposeFunction("codeAutomationExit", () => r()));
  await page.exposeFunction("codeAutomationLog", (_t: string, a: unknown[]) => console.log(...a));
  const uri = (p: string) => `vscode-remote://127.0.0.1:${server.port}${p}`;
  await page.goto(
    `${server.url}/?folder=${workspace.folder}&payload=${encodeURIComponent(
      JSON.stringify([
        ["extensionDevelopmentPath", uri("/tmp/team/H/w")],
        ["extensionTestsPath", uri("/tmp/team/H/w/suite-marks.cjs")],
      ]),
    )}`,
  );
  await done;
  await context.close();
  await server.stop();
}, 120000);
