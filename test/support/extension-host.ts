/** Mocha tests inside the extension host of a real code-server, where the `vscode` API is the real one. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { type HostedResult, RESULT_MARK } from "../extension/results.ts";
import { launchBrowser } from "./browser.ts";
import { startCodeServer } from "./code-server.ts";
import { ROOT } from "./host.ts";
import { gitIdentity, temporaryFolder } from "./small-project.ts";

const TIMEOUT_MS = 300_000;

/**
 * Runs the suite with the extension of this checkout on a workspace, and ends everything it started but the workspace's host.
 * @param entry source file that exports `run()`, as VS Code expects of `extensionTestsPath`
 */
export async function runInExtensionHost(entry: string, workspace: string): Promise<readonly HostedResult[]> {
  const suite = await bundle(entry);
  const server = await startCodeServer({ env: gitIdentity(), arguments: ["--vscode-option", "enable-smoke-test-driver"] });
  const browser = await launchBrowser();
  try {
    const { page } = browser;
    const results: HostedResult[] = [];
    const printed: string[] = [];
    const ended = Promise.withResolvers<void>();
    const timeout = setTimeout(() => ended.reject(new Error(`the suite did not end:\n${printed.join("\n")}`)), TIMEOUT_MS);
    await page.exposeFunction("codeAutomationExit", () => ended.resolve());
    await page.exposeFunction("codeAutomationLog", (_type: string, values: unknown[]) => {
      const line = values.map(String).join(" ");
      if (line.startsWith(RESULT_MARK)) results.push(JSON.parse(line.slice(RESULT_MARK.length)));
      else printed.push(line);
    });
    // The authority must be the page's own.
    const uri = (path: string) => `vscode-remote://127.0.0.1:${server.port}${path}`;
    const payload = [
      ["extensionDevelopmentPath", uri(ROOT)],
      ["extensionTestsPath", uri(suite)],
    ];
    await page.goto(`${server.url}/?folder=${encodeURIComponent(workspace)}&payload=${encodeURIComponent(JSON.stringify(payload))}`);
    await ended.promise.finally(() => clearTimeout(timeout));
    if (results.length === 0) throw new Error(`no test ran:\n${printed.join("\n")}`);
    return results;
  } finally {
    await browser.close();
    await server.stop();
    rmSync(suite, { force: true });
  }
}

async function bundle(entry: string): Promise<string> {
  const outfile = join(temporaryFolder("suite"), "index.cjs");
  await build({ entryPoints: [entry], outfile, bundle: true, platform: "node", format: "cjs", external: ["vscode"], logLevel: "error" });
  return outfile;
}
