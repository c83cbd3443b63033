/** The Python that tests train with: `EDA_PYTHON`, else the one `npm start` and `npm test` make in `.cache/python`. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe } from "vitest";

const cached = join(import.meta.dirname, "..", "..", ".cache", "python", "bin", "python");

/** Undefined when there is none with a Jupyter server and a kernel. */
export const testPython: string | undefined = [process.env.EDA_PYTHON, cached].find(
  (candidate) =>
    candidate !== undefined && candidate !== "" && (existsSync(candidate) || !candidate.includes("/")) && hasJupyter(candidate),
);

/** A suite that needs it: skipped with a word when it is missing, failing when `EDA_TEST_REQUIRE_TOOLS=1`. */
export function describeWithPython(name: string, suite: (python: string) => void): void {
  if (testPython !== undefined) {
    describe(name, () => suite(testPython as string));
    return;
  }
  if (process.env.EDA_TEST_REQUIRE_TOOLS === "1") {
    throw new Error(
      "no Python with jupyter_server and ipykernel: set EDA_PYTHON, or make .cache/python from scripts/python/requirements-demo.txt",
    );
  }
  describe.skip(`${name} (skipped: no Python with Jupyter, set EDA_PYTHON)`, () => suite("python3"));
}

function hasJupyter(python: string): boolean {
  try {
    execFileSync(python, ["-c", "import jupyter_server, ipykernel"], { stdio: "ignore", timeout: 90_000 });
    return true;
  } catch {
    return false;
  }
}
