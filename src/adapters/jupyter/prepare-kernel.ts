/** The first thing a kernel runs, unseen by the notebook: it goes to the job's folder and says what machine it is on. */
import { z } from "zod";
import { EdaError } from "../../domain/errors.ts";
import { pythonLiteral } from "../../domain/notebook.ts";
import type { TrainingJob } from "../../ports/trainer.ts";
import type { KernelSession } from "./kernel.ts";

const factsSchema = z.object({ pid: z.int().positive(), gpus: z.array(z.string()) });

export interface KernelFacts {
  readonly pid: number;
  /** As `cpu` or `Tesla T4`. */
  readonly accelerator: string;
}

/**
 * @throws EdaError `precondition` `job-folder-not-shared` when the kernel does not see the folder, `terminal` `accelerator-missing` when a
 *   T4 is wanted and is not there
 */
export async function prepareKernel(kernel: KernelSession, folder: string, wanted: TrainingJob["accelerator"]): Promise<KernelFacts> {
  let printed = "";
  const outcome = await kernel.execute(
    preparation(folder, wanted),
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
  const { pid, gpus } = factsSchema.parse(JSON.parse(printed.trim().split("\n").at(-1) as string));
  if (wanted === "cpu") return { pid, accelerator: "cpu" };
  const found = gpus.find((name) => new RegExp(String.raw`\b${wanted}\b`, "u").test(name));
  if (found !== undefined) return { pid, accelerator: found };
  throw new EdaError("terminal", "accelerator-missing", `The job wants a ${wanted}, and its machine has ${gpus.join(", ") || "no GPU"}.`, {
    todo: "Use a machine that has one (jupyter.url in configs/eda.yaml), or set modeling.accelerator to cpu in the project file.",
  });
}

/** A job that asks for the CPU gets it: a GPU that is there is hidden, so that what is recorded is what trained. */
function preparation(folder: string, wanted: TrainingJob["accelerator"]): string {
  return `
def _eda_prepare(folder, hide_gpu):
    import json, os, subprocess
    os.chdir(folder)
    os.stat("notebook.ipynb")
    if hide_gpu:
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    try:
        command = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
        names = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout.split("\\n")
    except (OSError, subprocess.SubprocessError):
        names = []
    print(json.dumps({"pid": os.getpid(), "gpus": [name.strip() for name in names if name.strip()]}))

_eda_prepare(${pythonLiteral(folder)}, ${pythonLiteral(wanted === "cpu")})
del _eda_prepare
`;
}
