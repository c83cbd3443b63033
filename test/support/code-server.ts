/** A code-server of a test's own: loopback, free port, throw-away folders; ended by its own process group. */
import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { ROOT } from "./host.ts";
import { temporaryFolder } from "./small-project.ts";
import { testPython } from "./python.ts";
import { freePort } from "./ports.ts";

const START_TIMEOUT_MS = 60_000;
const folder = process.env.EDA_CODE_SERVER ?? join(ROOT, ".cache", "code-server");
const entry = join(folder, "node_modules", "code-server", "out", "node", "entry.js");
/** The Node that its native parts are compiled for. */
const node = join(ROOT, ".cache", "node", "bin", "node");

/** Chromium's program, or undefined. */
export const testChromium = [process.env.EDA_CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser"].find(
  (path) => path !== undefined && path !== "" && existsSync(path),
);

/** The packaged extension. */
export const testVsix = join(ROOT, ".cache", "eda.vsix");

/** Whether tests of the extension can run; says why not. With `EDA_TEST_REQUIRE_TOOLS` a missing tool is an error. */
export function canTestExtension(): boolean {
  const missing = [
    existsSync(entry) ? "" : "code-server",
    testChromium === undefined ? "Chromium" : "",
    existsSync(testVsix) ? "" : "eda.vsix",
  ].filter((name) => name !== "");
  if (missing.length === 0) return true;
  const message = `${missing.join(" and ")} missing: npm test fetches it`;
  if (process.env.EDA_TEST_REQUIRE_TOOLS === "1") throw new Error(message);
  console.warn(`skipped: ${message}`);
  return false;
}

export interface CodeServer {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  readonly port: number;
  stop(): Promise<void>;
}

export interface CodeServerOptions {
  /** `.vsix` to install first. */
  readonly vsix?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly arguments?: readonly string[];
}

/** What keeps the screen still. */
const QUIET_SETTINGS = {
  "workbench.startupEditor": "none",
  "workbench.enableExperiments": false,
  "workbench.secondarySideBar.defaultVisibility": "hidden",
  "workbench.tips.enabled": false,
  "chat.disableAIFeatures": true,
  "telemetry.telemetryLevel": "off",
  "extensions.autoUpdate": false,
  "extensions.ignoreRecommendations": true,
  "git.openRepositoryInParentFolders": "never",
  "security.workspace.trust.enabled": false,
};

export async function startCodeServer(options: CodeServerOptions = {}): Promise<CodeServer> {
  const home = temporaryFolder("code-server");
  mkdirSync(join(home, "user", "User"), { recursive: true });
  writeFileSync(join(home, "config.yaml"), "");
  writeFileSync(join(home, "user", "User", "settings.json"), JSON.stringify({ ...QUIET_SETTINGS, ...options.settings }));
  const folders = [
    "--config",
    join(home, "config.yaml"),
    "--user-data-dir",
    join(home, "user"),
    "--extensions-dir",
    join(home, "extensions"),
  ];
  const env = environment(home, options.env ?? {});
  if (options.vsix !== undefined) await finished(launch([...folders, "--install-extension", options.vsix], env, home));
  const port = await freePort();
  const quiet = [
    "--auth",
    "none",
    "--disable-telemetry",
    "--disable-update-check",
    "--disable-workspace-trust",
    "--disable-getting-started-override",
  ];
  const child = launch([...folders, "--bind-addr", `127.0.0.1:${port}`, ...quiet, ...(options.arguments ?? [])], env, home);
  const url = `http://127.0.0.1:${port}`;
  await ready(url, child);
  return {
    url,
    port,
    stop: async () => {
      await end(child);
      rmSync(home, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

function environment(home: string, extra: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { VSCODE_IPC_HOOK_CLI: _hook, PASSWORD: _password, PORT: _port, ...rest } = process.env;
  return {
    ...rest,
    HOME: home,
    EXTENSIONS_GALLERY: '{"serviceUrl":""}',
    EDA_HOME: ROOT,
    ...(testPython === undefined ? {} : { EDA_PYTHON: testPython }),
    ...extra,
  };
}

function launch(args: readonly string[], env: NodeJS.ProcessEnv, home: string): ChildProcess {
  const log = createWriteStream(join(home, `log-${readdirSync(home).length}.txt`));
  const child = spawn(node, [entry, ...args], { env, cwd: home, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  child.stdout?.pipe(log);
  child.stderr?.pipe(log);
  return child;
}

function finished(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => (code === 0 ? resolve() : reject(new Error(`code-server ended with ${code}`))));
  });
}

async function ready(url: string, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < deadline && child.exitCode === null) {
    const answer = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined);
    if (answer?.ok === true) return;
    await delay(100);
  }
  await end(child);
  throw new Error(`code-server did not start (exit ${child.exitCode})`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.pid === undefined) return;
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  process.kill(-child.pid, "SIGTERM");
  await Promise.race([gone, delay(10_000)]);
  try {
    // Extension hosts may outlive their parent for a moment.
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // The group is empty.
  }
}
