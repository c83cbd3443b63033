/** A Python environment with a Jupyter server, a kernel and scikit-learn, in `.cache/python`. */
import { execFileSync } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { CACHE, ROOT, step } from "./shell.mjs";
import { hashOf, once } from "./stamp.mjs";

const REQUIREMENTS = "scripts/python/requirements-demo.txt";
const OLDEST = [3, 11];
const folder = join(CACHE, "python");
const python = join(folder, "bin", "python");

/** @returns {Promise<string>} path of its `python` */
export async function ensurePython() {
  await once(
    "python",
    hashOf([REQUIREMENTS]),
    () => existsSync(python),
    async () => {
      const base = findBase();
      rmSync(folder, { recursive: true, force: true });
      await makeEnvironment(base);
      await step({
        name: "python-packages",
        title: "Installing Jupyter and scikit-learn",
        command: python,
        args: ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", join(ROOT, REQUIREMENTS)],
      });
    },
  );
  return python;
}

async function makeEnvironment(base) {
  try {
    await step({ name: "python", title: "Making a Python environment", command: base, args: ["-m", "venv", folder] });
  } catch {
    // Debian splits venv's pip off into a package of its own; virtualenv carries what it needs.
    const tool = join(CACHE, "virtualenv");
    rmSync(folder, { recursive: true, force: true });
    await step({
      name: "virtualenv",
      title: "Fetching virtualenv",
      command: base,
      args: ["-m", "pip", "install", "--quiet", "--target", tool, "virtualenv"],
    });
    await step({
      name: "python",
      title: "Making a Python environment",
      command: base,
      args: ["-m", "virtualenv", "--quiet", folder],
      env: { ...process.env, PYTHONPATH: tool },
    });
  }
}

function findBase() {
  for (const candidate of ["python3", "python3.13", "python3.12", "python3.11"]) {
    try {
      const version = execFileSync(candidate, ["-c", "import sys; print(*sys.version_info[:2])"], {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      });
      const [major, minor] = version.trim().split(" ").map(Number);
      if (major === OLDEST[0] && minor >= OLDEST[1]) return candidate;
    } catch {
      // Not on this machine.
    }
  }
  throw new Error("No Python 3.11 or later was found. Install one (for instance: apt-get install python3) and run again.");
}
