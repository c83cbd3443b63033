/** Remembering that a step was done for exactly these inputs, so that the next call can skip it. */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { CACHE, ROOT } from "./shell.mjs";

/**
 * Hash over the contents of files and folders.
 * @param {string[]} paths inside the checkout
 */
export function hashOf(paths, extra = "") {
  const hash = createHash("sha256").update(extra);
  for (const file of paths.flatMap((path) => filesBelow(join(ROOT, path)))) {
    hash
      .update(`${relative(ROOT, file)}\0`)
      .update(readFileSync(file))
      .update("\0");
  }
  return hash.digest("hex");
}

/** Does the work unless it was done for the same inputs and its result is still there. */
export async function once(name, inputs, isThere, work) {
  const file = join(CACHE, "stamps", name);
  if (isThere() && read(file) === inputs) return false;
  await work();
  mkdirSync(join(CACHE, "stamps"), { recursive: true });
  writeFileSync(file, inputs);
  return true;
}

function read(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

function filesBelow(path) {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return [];
  if (stats.isFile()) return [path];
  return readdirSync(path)
    .sort()
    .flatMap((name) => filesBelow(join(path, name)));
}
