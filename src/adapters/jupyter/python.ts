/** Finding a Python that can run a Jupyter server and a kernel. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { EdaError } from "../../domain/errors.ts";

const run = promisify(execFile);
/** A first import on a cold disk takes many seconds. */
const PROBE_TIMEOUT_MS = 90_000;
const PROBE = "import jupyter_server, ipykernel, sys; print(sys.executable); print(jupyter_server.__version__)";

export interface Python {
  readonly executable: string;
  readonly jupyterVersion: string;
}

/**
 * The configured Python (`python`, else `EDA_PYTHON`), else `python3` or `python` on the PATH. A configured one that does not
 * do is an error: training silently with another one would be worse.
 * @throws EdaError `precondition` `jupyter-missing`
 */
export async function findPython(configured: string | undefined, env: NodeJS.ProcessEnv): Promise<Python> {
  const chosen = configured ?? (env.EDA_PYTHON === "" ? undefined : env.EDA_PYTHON);
  const candidates = chosen === undefined ? ["python3", "python"] : [chosen];
  const reasons: string[] = [];
  for (const candidate of candidates) {
    try {
      const { stdout } = await run(candidate, ["-c", PROBE], { timeout: PROBE_TIMEOUT_MS, env });
      const [executable, jupyterVersion] = stdout.trim().split(/\r?\n/u).slice(-2);
      if (executable && jupyterVersion) return { executable, jupyterVersion };
      reasons.push(`${candidate}: no answer`);
    } catch (error) {
      reasons.push(`${candidate}: ${lastLine(error)}`);
    }
  }
  throw new EdaError("precondition", "jupyter-missing", `No Python with Jupyter was found (${reasons.join("; ")}).`, {
    todo: "Install it with: python3 -m pip install jupyter-server ipykernel, and name that Python in EDA_PYTHON, or set jupyter.url in configs/eda.yaml.",
  });
}

function lastLine(error: unknown): string {
  const stderr = typeof error === "object" && error !== null && "stderr" in error ? String(error.stderr) : "";
  const text = stderr.trim() || (error instanceof Error ? error.message : String(error));
  return text.split(/\r?\n/u).at(-1) as string;
}
