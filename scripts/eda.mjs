/** `npm run -s eda -- ARGS`: the command line from a checkout. Builds when the sources changed; stdout is the command's own. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { withNode } from "./lib/node.mjs";
import { ensureBuild } from "./lib/project.mjs";
import { CACHE, ROOT, say } from "./lib/shell.mjs";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"];
const python = join(CACHE, "python", "bin", "python");

try {
  const node = await ensureBuild();
  const env = withNode(node, { EDA_HOME: ROOT, ...(existsSync(python) ? { EDA_PYTHON: python } : {}), ...process.env });
  const child = spawn(node, [join(ROOT, "dist", "cli", "main.js"), ...process.argv.slice(2)], {
    // Under `npm run`, where the person is, not where package.json is.
    cwd: process.env.INIT_CWD ?? process.cwd(),
    env,
    stdio: "inherit",
  });
  // The command decides what a signal means, and when it ends.
  for (const signal of SIGNALS) process.on(signal, () => child.kill(signal));
  child.once("error", fail);
  child.once("exit", (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
} catch (error) {
  fail(error);
}

function fail(error) {
  say(error instanceof Error ? error.message : String(error));
  process.exit(1);
}
