/** The runtime of an execution: a real Jupyter kernel, whose metadata server and Cloud Storage are the fake's, and a stand-in for nvidia-smi. */
import { mkdir, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { runAttempt } from "../../../src/adapters/jupyter/attempt.ts";
import { findPython } from "../../../src/adapters/jupyter/python.ts";
import { startLocalServer } from "../../../src/adapters/jupyter/server.ts";
import type { EdaError } from "../../../src/domain/errors.ts";
import { standInNvidiaSmi } from "../nvidia-smi.ts";
import type { Runtime } from "./executions.ts";
import { BUCKET, type VertexServer } from "./server.ts";

export interface KernelRuntimeOptions {
  readonly python: string;
  /** Absolute, for the machines that are made. */
  readonly folder: string;
  /** What nvidia-smi tells; a T4 when absent. */
  readonly gpu?: () => string | undefined;
  /** Gets the kernel's process id. */
  readonly onKernel?: (pid: number) => void;
}

export function kernelRuntime({ python, folder, gpu = () => undefined, onKernel = () => undefined }: KernelRuntimeOptions) {
  return (server: VertexServer): Runtime =>
    async ({ id, request, abort }) => {
      await mkdir(folder, { recursive: true });
      // Without what a runtime's machine would not have either: the notebook alone is there.
      const machine = await mkdtemp(join(folder, "machine-"));
      await writeFile(join(machine, "notebook.ipynb"), Buffer.from(request.directNotebookSource.content, "base64"));
      const bin = await standInNvidiaSmi(join(machine, "bin"), gpu() ?? "Tesla T4 (stand-in)");
      const env = {
        ...process.env,
        EDA_PYTHON: python,
        PATH: `${bin}${delimiter}${process.env.PATH}`,
        GCE_METADATA_HOST: new URL(server.url).host,
        STORAGE_EMULATOR_HOST: server.url,
      };
      const seconds = Number.parseFloat(request.executionTimeout ?? "86400");
      try {
        await runAttempt({
          folder: machine,
          timeoutMs: seconds * 1_000,
          signal: abort.signal,
          openServer: async () => {
            const options = { stateFolder: machine, job: id, rootFolder: machine, env, signal: abort.signal };
            const jupyter = await startLocalServer({ ...options, python: await findPython(undefined, env) });
            const registerKernel = (pid: number) => {
              jupyter.registerKernel(pid);
              onKernel(pid);
            };
            return { address: jupyter, sessionPath: "notebook.ipynb", registerKernel, stop: jupyter.stop };
          },
        });
        return { state: "JOB_STATE_SUCCEEDED" };
      } catch (error) {
        const { code, message } = error as EdaError;
        if (code === "training-timeout") return { state: "JOB_STATE_EXPIRED", status: { code: 4, message } };
        return { state: "JOB_STATE_FAILED", status: { code: 3, message: `Execution failed: ${message}` } };
      } finally {
        const output = request.gcsOutputUri.replace(`gs://${BUCKET}/`, "");
        const executed = await readFile(join(machine, "executed.ipynb")).catch(() => undefined);
        if (executed !== undefined) server.objects.put(`${output}/notebook.ipynb`, executed);
      }
    };
}
