/** Serving code-server on loopback with the extension installed, until Ctrl-C. */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { VSIX } from "./project.mjs";
import { CACHE, say, step } from "./shell.mjs";
import { hashOf, once } from "./stamp.mjs";

const FIRST_PORT = 8080;
const home = join(CACHE, "code-server-home");
const START_TIMEOUT_MS = 60_000;

/** What keeps the screen quiet; the person's own changes are kept. */
const SETTINGS = {
  "workbench.startupEditor": "none",
  "workbench.secondarySideBar.defaultVisibility": "hidden",
  "chat.disableAIFeatures": true,
  "telemetry.telemetryLevel": "off",
  "extensions.autoUpdate": false,
};

export async function serve({ codeServer, workspace, env, port: wanted, stopHost }) {
  prepareHome();
  await once(
    "extension-installed",
    hashOf([".cache/eda.vsix"]),
    () => existsSync(join(home, "extensions")),
    () =>
      step({
        name: "extension",
        title: "Installing the extension",
        command: codeServer.node,
        args: [codeServer.entry, ...folders(), "--install-extension", VSIX, "--force"],
        env: quiet(env),
      }),
  );
  const port = wanted ?? (await freePort(FIRST_PORT));
  const args = [
    codeServer.entry,
    ...folders(),
    "--bind-addr",
    `127.0.0.1:${port}`,
    "--auth",
    "none",
    "--disable-telemetry",
    "--disable-update-check",
  ];
  args.push("--disable-workspace-trust", "--disable-getting-started-override", workspace);
  const child = spawn(codeServer.node, args, { env: quiet(env), detached: true, stdio: ["ignore", "ignore", "inherit"] });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const stopped = new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, resolve);
  });
  try {
    await Promise.race([ready(port), ended.then(() => Promise.reject(new Error("code-server ended before it served.")))]);
    say(`\nVS Code with eda: http://127.0.0.1:${port}/?folder=${encodeURIComponent(workspace)}\nCtrl-C ends it.`);
    await Promise.race([stopped, ended]);
    say("\nStopping …");
  } finally {
    endGroup(child);
    await ended;
    await stopHost();
  }
}

function prepareHome() {
  const user = join(home, "user", "User");
  mkdirSync(user, { recursive: true });
  const settings = join(user, "settings.json");
  if (!existsSync(settings)) writeFileSync(settings, `${JSON.stringify(SETTINGS, null, 2)}\n`);
  const config = join(home, "config.yaml");
  if (!existsSync(config)) writeFileSync(config, "");
}

function folders() {
  return ["--config", join(home, "config.yaml"), "--user-data-dir", join(home, "user"), "--extensions-dir", join(home, "extensions")];
}

/** No gallery to reach, and nothing of an editor or shell this may be started from. */
function quiet(env) {
  const { VSCODE_IPC_HOOK_CLI: _hook, PASSWORD: _password, PORT: _port, ...rest } = env;
  return { ...rest, EXTENSIONS_GALLERY: '{"serviceUrl":""}' };
}

async function ready(port) {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < deadline) {
    const answer = await fetch(`http://127.0.0.1:${port}/healthz`, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined);
    if (answer?.ok) return;
    await delay(200);
  }
  throw new Error(`code-server did not answer on port ${port} in time.`);
}

function endGroup(child) {
  try {
    process.kill(-child.pid, "SIGTERM");
  } catch {
    // Gone already.
  }
}

async function freePort(from) {
  for (let port = from; port < from + 100; port += 1) if (await isFree(port)) return port;
  throw new Error(`No free port between ${from} and ${from + 99}; choose one with --port.`);
}

function isFree(port) {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
  });
}
