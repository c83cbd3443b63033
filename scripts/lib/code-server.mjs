/** code-server (VS Code in the browser) with its native parts compiled, in `.cache/code-server`. */
import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ensureNodeWithHeaders, withNode } from "./node.mjs";
import { CACHE, step } from "./shell.mjs";
import { once } from "./stamp.mjs";

/** VS Code 1.139. */
const VERSION = "4.139.1";
const folder = join(CACHE, "code-server");
const server = join(folder, "node_modules", "code-server");
const vscode = join(server, "lib", "vscode");
/** kerberos stays unbuilt: it is only for proxies. */
const NATIVE = ["@vscode/spdlog", "node-pty", "@vscode/native-watchdog", "@parcel/watcher", "@vscode/sqlite3"];
const INSTALL = ["install", "--ignore-scripts", "--no-fund", "--no-audit"];

/** @returns {Promise<{ node: string, entry: string, folder: string }>} the Node that runs it and its entry file */
export async function ensureCodeServer() {
  const node = await ensureNodeWithHeaders();
  const entry = join(server, "out", "node", "entry.js");
  await once(
    "code-server",
    VERSION,
    () => existsSync(entry),
    () => install(node),
  );
  return { node, entry, folder };
}

async function install(node) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), '{ "name": "eda-code-server", "private": true }\n');
  // Headers of this Node, not the system's.
  const env = withNode(node, { ...process.env, npm_config_nodedir: dirname(dirname(node)) });
  const npm = (name, title, args, cwd) => step({ name: `code-server-${name}`, title, command: "npm", args, cwd, env });
  await npm("package", "Fetching code-server", [...INSTALL, `code-server@${VERSION}`], folder);
  await npm("vscode", "Fetching the parts of VS Code", [...INSTALL, "--omit=dev"], vscode);
  await npm("native", "Compiling native parts of VS Code", ["rebuild", "--foreground-scripts", ...NATIVE], vscode);
  await npm("extensions", "Fetching VS Code's own extensions", [...INSTALL, "--omit=dev"], join(vscode, "extensions"));
  link("code-linux.sh", join(vscode, "bin", "remote-cli", "code-server"));
  link("browser-linux.sh", join(vscode, "bin", "helpers", "browser.sh"));
}

function link(target, path) {
  rmSync(path, { force: true });
  symlinkSync(target, path);
}
