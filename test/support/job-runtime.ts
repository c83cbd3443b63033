/** A runtime as Colab's: a real Jupyter kernel that sees the job folder through a folder that syncs, and a stand-in for nvidia-smi. */
import { readFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { type KernelSession, openKernel } from "../../src/adapters/jupyter/kernel.ts";
import { findPython } from "../../src/adapters/jupyter/python.ts";
import { startLocalServer } from "../../src/adapters/jupyter/server.ts";
import { isCode, parseNotebook, sourceText } from "../../src/domain/notebook.ts";
import { standInNvidiaSmi } from "./nvidia-smi.ts";

export interface JobRuntime {
  /**
   * Opens the job's notebook and runs all its cells, until one raises.
   * @param onKernel gets the kernel's process id
   * @returns what was raised; empty when nothing was
   */
  runAll(job: string, onKernel?: (pid: number) => void): Promise<string>;
  stop(): Promise<void>;
}

/** @param mounted stands for My Drive @param gpu what nvidia-smi tells; undefined for a machine without one */
export async function openJobRuntime(options: {
  readonly python: string;
  readonly mounted: string;
  readonly stateFolder: string;
  readonly gpu?: string;
}): Promise<JobRuntime> {
  const { python, mounted, stateFolder, gpu } = options;
  const bin = gpu === undefined ? undefined : await standInNvidiaSmi(join(stateFolder, "bin"), gpu);
  const env = { ...process.env, EDA_PYTHON: python, ...(bin === undefined ? {} : { PATH: `${bin}${delimiter}${process.env.PATH}` }) };
  const server = await startLocalServer({
    stateFolder,
    job: "runtime",
    rootFolder: mounted,
    python: await findPython(undefined, env),
    env,
    signal: new AbortController().signal,
  });
  return {
    async runAll(job, onKernel = () => undefined) {
      const path = `eda/jobs/${job}/notebook.ipynb`;
      const notebook = parseNotebook("notebook.ipynb", await readFile(join(mounted, path), "utf8"));
      const kernel = await openKernel(server, path, "python3", () => undefined);
      try {
        onKernel(Number(await printed(kernel, "import os; print(os.getpid())")));
        for (const cell of notebook.cells.filter(isCode)) {
          const outcome = await kernel.execute(sourceText(cell), () => undefined);
          if (outcome.status === "error") return `${outcome.name}: ${outcome.value}`;
        }
        return "";
      } catch (error) {
        return (error as Error).message;
      } finally {
        await kernel.close();
      }
    },
    stop: () => server.stop(),
  };
}

async function printed(kernel: KernelSession, code: string): Promise<string> {
  let text = "";
  await kernel.execute(code, (message) => {
    if (message.header.msg_type === "stream") text += (message.content as { readonly text: string }).text;
  });
  return text;
}
