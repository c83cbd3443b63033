/** The command line of this process: its arguments, streams and installation. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { openTerminal } from "./output/terminal.ts";
import { runCli } from "./program.ts";

// `eda runs | head`: whoever read has read enough. Runs go on in the host.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit();
  });
}

/** From `dist/cli/command-line.js` as from `src/cli/command-line.ts`: two folders up. */
const home = process.env.EDA_HOME ?? join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const { version } = JSON.parse(readFileSync(join(home, "package.json"), "utf8")) as { version: string };

process.exitCode = await runCli(
  {
    cwd: process.cwd(),
    env: process.env,
    home,
    version,
    terminal: openTerminal(process.stdout, process.stderr, process.env),
    outcome: { exitCode: 0 },
  },
  process.argv.slice(2),
);
