/** The checkout itself: dependencies, build, extension package. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ensureNode, withNode } from "./node.mjs";
import { CACHE, ROOT, step } from "./shell.mjs";
import { hashOf, once } from "./stamp.mjs";

const SOURCES = ["src", "webview", "schemas", "scripts/build.mjs", "package.json", "package-lock.json", "tsconfig.json"];
const PACKAGED = ["media", "l10n", "package.nls.json", "package.nls.pt-br.json", "README.md", "LICENSE", ".vscodeignore"];

/** Path of the packaged extension. */
export const VSIX = join(CACHE, "eda.vsix");

/** @returns {Promise<string>} the Node that runs the project */
export async function ensureDependencies() {
  const node = await ensureNode();
  await once(
    "dependencies",
    hashOf(["package-lock.json"]),
    () => existsSync(join(ROOT, "node_modules", ".package-lock.json")),
    () =>
      // Not `npm ci`: it refuses a lock without the packages of other platforms, which a registry may not carry.
      step({
        name: "dependencies",
        title: "Installing dependencies",
        command: "npm",
        args: ["install", "--no-save", "--no-fund", "--no-audit"],
        env: withNode(node),
      }),
  );
  return node;
}

/** @returns {Promise<string>} the Node that runs what was built */
export async function ensureBuild() {
  const node = await ensureDependencies();
  await once(
    "build",
    hashOf(SOURCES),
    () => existsSync(join(ROOT, "dist", "host", "main.js")),
    () => step({ name: "build", title: "Building", command: node, args: ["scripts/build.mjs"], env: withNode(node) }),
  );
  return node;
}

/** @returns {Promise<string>} path of the `.vsix` */
export async function ensureVsix() {
  const node = await ensureBuild();
  await once(
    "vsix",
    hashOf([...SOURCES, ...PACKAGED]),
    () => existsSync(VSIX),
    () =>
      step({
        name: "vsix",
        title: "Packaging the extension",
        command: node,
        args: ["node_modules/@vscode/vsce/vsce", "package", "--no-dependencies", "--out", VSIX],
        env: withNode(node),
      }),
  );
  return VSIX;
}
