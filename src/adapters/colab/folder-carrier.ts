/** The cell that carries a job folder between Cloud Storage and a runtime: eda_job_gcs.py itself, because the runtime has nothing but the notebook. */
import type { JobCarrier } from "../../domain/job/prepare.ts";
import { pythonLiteral } from "../../domain/notebook.ts";

/** News go back at most this late. */
const LONGEST_EXCHANGE_SECONDS = 10;

export interface CarriedFolder {
  readonly bucket: string;
  readonly prefix: string;
  readonly job: string;
  readonly beatSeconds: number;
}

/** @param source text of eda_job_gcs.py, which holds no `'''` */
export function folderCarrier(source: string, { bucket, prefix, job, beatSeconds }: CarriedFolder): JobCarrier {
  const seconds = Math.min(LONGEST_EXCHANGE_SECONDS, beatSeconds / 2);
  // A module of its own: nothing of it is in the person's way.
  return {
    fetch: `# eda: brings the folder of job ${job} here from Cloud Storage, and takes back what the attempt writes into it.
def _eda_fetch(source):
    import sys, types
    earlier = sys.modules.get("eda_job_gcs")
    module = types.ModuleType("eda_job_gcs")
    exec(compile(source, "eda_job_gcs.py", "exec"), module.__dict__)
    if earlier is not None and earlier.Folder.current is not None:
        earlier.Folder.current.close()
    sys.modules["eda_job_gcs"] = module
    module.bring(${[bucket, prefix, job, seconds].map(pythonLiteral).join(", ")})

_eda_fetch(r'''
${source}''')`,
    flush: `import eda_job_gcs

eda_job_gcs.Folder.current.flush()`,
  };
}
