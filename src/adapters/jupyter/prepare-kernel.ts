/** The first thing a kernel runs, unseen by the notebook: it goes to the job's folder and says which process it is. */
import { z } from "zod";
import { EdaError } from "../../domain/errors.ts";
import { pythonLiteral } from "../../domain/notebook.ts";
import type { KernelSession } from "./kernel.ts";

const pidSchema = z.int().positive();

/**
 * @returns the kernel's process id
 * @throws EdaError `precondition` `job-folder-not-shared` when the kernel does not see the folder
 */
export async function prepareKernel(kernel: KernelSession, folder: string): Promise<number> {
  let printed = "";
  const outcome = await kernel.execute(
    preparation(folder),
    (message) => {
      if (message.header.msg_type === "stream") printed += (message.content as { readonly text: string }).text;
    },
    { silent: true },
  );
  if (outcome.status === "error") {
    throw new EdaError("precondition", "job-folder-not-shared", `The kernel cannot use the job's folder ${folder}: ${outcome.value}`, {
      todo: "Let the Jupyter server see the workspace under the same path, or remove jupyter.url from configs/eda.yaml to use a local one.",
    });
  }
  return pidSchema.parse(Number(printed.trim().split("\n").at(-1)));
}

function preparation(folder: string): string {
  return `
def _eda_prepare(folder):
    import os
    os.chdir(folder)
    os.stat("notebook.ipynb")
    print(os.getpid())

_eda_prepare(${pythonLiteral(folder)})
del _eda_prepare
`;
}
