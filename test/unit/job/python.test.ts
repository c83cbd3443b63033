/** The tests of notebooks/*.py, which are Python. They run with pytest as well: `python -m pytest test/python`. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";
import { describeWithPython } from "../../support/python.ts";

const FOLDER = join(import.meta.dirname, "..", "..", "python");

describeWithPython("eda_job.py", (python) => {
  it.each([
    ["an attempt, what it refuses, its accelerator, checkpoints and ends", "test_eda_job", 37],
    ["the templates", "test_templates", 3],
    ["the folder on Cloud Storage", "test_eda_job_gcs", 11],
  ])("%s", (_, module, tests) => {
    const env = { ...process.env, PYTHONDONTWRITEBYTECODE: "1" };
    const ran = spawnSync(python, ["-m", "unittest", "-b", module], { cwd: FOLDER, env, encoding: "utf8", timeout: 110_000 });
    expect(ran.stderr, ran.stderr).toMatch(new RegExp(`\\nRan ${tests} tests in [^\\n]+\\n\\nOK\\n$`, "u"));
    expect(ran.status).toBe(0);
  });
});
