/** The peer: `dvc add`, from PyPI, in an environment of its own below `.cache/`. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

const VERSION = "dvc==3.67.1";

/** @returns path of the program */
export function ensureDvc(cache: string): string {
  const folder = join(cache, "dvc");
  const program = join(folder, "bin", "dvc");
  if (existsSync(program)) return program;
  console.error("· Fetching dvc …");
  execFileSync("python3", ["-m", "venv", folder]);
  execFileSync(join(folder, "bin", "python"), ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", VERSION], {
    stdio: "inherit",
  });
  return program;
}
