/** The files that a job folder begins with, apart from its data. */
import { EdaError } from "../errors.ts";
import { type JsonObject, sha256Hex } from "../json.ts";
import {
  codeCell,
  hasTag,
  INJECTED_TAG,
  injectParameters,
  type Notebook,
  type NotebookCell,
  notebookText,
  parseNotebook,
  pythonLiteral,
} from "../notebook.ts";
import { JOB_FILES, type JobDocument, jobDocumentSchema } from "./format.ts";
import { sealedText } from "./seal.ts";

const FETCH_TAG = "eda-job-fetch";
const BEGIN_TAG = "eda-job-begin";
const END_TAG = "eda-job-end";
const JOB_TAGS = [FETCH_TAG, BEGIN_TAG, END_TAG];
const END_SOURCE = `# eda: hands over what lies in results/, unless a cell above did.
import eda_job

eda_job.current().finish()`;
/** Where a notebook finds its data and leaves its results, relative to the folder that eda_job.py goes to. */
export const JOB_PARAMETERS = { eda_data_dir: "data", eda_results_dir: "results" } as const;

export interface JobRequest extends Omit<JobDocument, "format" | "version" | "notebook" | "helper" | "parameters"> {
  readonly parameters: JsonObject;
  /** Governed path and text of the notebook. */
  readonly notebook: { readonly path: string; readonly text: string };
  /** Text of eda_job.py. */
  readonly helper: string;
  /** Where the folder lies below My Drive or a shared drive, when it does: `eda/jobs/20261124-153012-k3f9qz`. */
  readonly drivePath?: string;
  /** Python, where the runtime does not see the folder by itself. */
  readonly carrier?: JobCarrier;
}

/** Carries the folder to the runtime and back. */
export interface JobCarrier {
  /** Of a first cell, which sets EDA_JOB_FOLDER. */
  readonly fetch: string;
  /** Takes back what is there, at the end of the last cell. */
  readonly flush: string;
}

/**
 * Text by name in the folder. Write `job.json` last: who finds it finds the rest.
 * @throws EdaError `precondition` `invalid-notebook` or `invalid-job`
 */
export function jobFiles(request: JobRequest): Readonly<Record<"notebook.ipynb" | "eda_job.py" | "job.json", string>> {
  const { notebook, helper, drivePath, carrier, ...rest } = request;
  const parameters = { ...request.parameters, ...JOB_PARAMETERS };
  const prepared = notebookText(
    preparedNotebook(parseNotebook(notebook.path, notebook.text), {
      ...rest,
      parameters,
      helperSha256: sha256Hex(helper),
      drivePath,
      carrier,
    }),
  );
  const document = jobDocumentSchema.safeParse({
    format: "eda-job",
    version: 1,
    ...rest,
    parameters,
    notebook: { path: notebook.path, sha256: sha256Hex(notebook.text), prepared: sha256Hex(prepared) },
    helper: { sha256: sha256Hex(helper) },
  });
  if (!document.success) {
    const issue = document.error.issues[0];
    throw new EdaError("precondition", "invalid-job", `The job cannot be prepared: ${issue?.path.join(".")} ${issue?.message}.`, {
      cause: document.error,
    });
  }
  return { [JOB_FILES.notebook]: prepared, [JOB_FILES.helper]: helper, [JOB_FILES.job]: sealedText(document.data) };
}

/** A cell of a prepared notebook that no person wrote. */
export function isMadeByEda(cell: NotebookCell): boolean {
  return [...JOB_TAGS, INJECTED_TAG].some((tag) => hasTag(cell, tag));
}

interface NotebookJob {
  readonly job: string;
  readonly parameters: JsonObject;
  readonly accelerator: JobDocument["accelerator"];
  readonly helperSha256: string;
  readonly drivePath: string | undefined;
  readonly carrier: JobCarrier | undefined;
}

/**
 * The notebook as a runtime executes it: metadata that preselect the accelerator, a first cell that finds the folder and begins an attempt (after
 * one that brings the folder, where there is a carrier),
 * the parameters where papermill puts them, and a last cell that ends it. The person's cells are untouched; a notebook that was prepared
 * before is prepared anew.
 */
export function preparedNotebook(source: Notebook, job: NotebookJob): Notebook {
  const own = source.cells.filter((cell) => !JOB_TAGS.some((tag) => hasTag(cell, tag)));
  const parameterized = injectParameters({ ...source, cells: own }, job.parameters);
  const begin = codeCell(parameterized, BEGIN_TAG, beginSource(job));
  const { carrier } = job;
  const fetch = carrier === undefined ? [] : [codeCell(parameterized, FETCH_TAG, carrier.fetch)];
  const end = codeCell(parameterized, END_TAG, carrier === undefined ? END_SOURCE : `${END_SOURCE}\n${carrier.flush}`);
  return {
    ...parameterized,
    metadata: acceleratorMetadata(source.metadata, job.accelerator.wanted),
    cells: [...fetch, begin, ...parameterized.cells, end],
  };
}

/** What Colab goes by when it opens a notebook. */
function acceleratorMetadata(metadata: Notebook["metadata"], wanted: JobDocument["accelerator"]["wanted"]): Notebook["metadata"] {
  const { accelerator: _, colab, ...rest } = metadata;
  const { gpuType: __, ...colabRest } = typeof colab === "object" && colab !== null ? (colab as Record<string, unknown>) : {};
  if (wanted === "T4") return { ...rest, accelerator: "GPU", colab: { ...colabRest, gpuType: "T4" } };
  return { ...rest, ...(colab === undefined ? {} : { colab: colabRest }) };
}

/**
 * Finds the folder before eda_job.py can be imported from it, and takes that file only when it is the one that the job was prepared with:
 * whole, and unchanged.
 */
function beginSource(job: NotebookJob): string {
  return `# eda: begins an attempt of job ${job.job}; running it again resumes from the last good checkpoint.
eda_job_folder = ""  # @param {type:"string"}
# Only needed when the job's folder was moved. Everything below is made by eda.

def _eda_begin(job, drive_path, helper_sha256, folder):
    import hashlib, importlib.util, os, sys, time
    earlier = getattr(getattr(sys.modules.get("eda_job"), "Job", None), "current", None)
    places = [folder, os.environ.get("EDA_JOB_FOLDER", ""), os.getcwd(), str(earlier.folder) if earlier else ""]
    roots = []
    # Mounting asks a person: not where the folder was brought to the runtime.
    if not any(place and os.path.isfile(os.path.join(place, "job.json")) for place in places):
        try:
            from google.colab import drive
        except ImportError:
            pass
        else:
            drive.mount("/content/drive")
            shared = "/content/drive/Shareddrives"
            names = sorted(os.listdir(shared)) if os.path.isdir(shared) else []
            roots = ["/content/drive/MyDrive"] + [os.path.join(shared, name) for name in names]
    places += [os.path.join(root, drive_path) for root in roots if drive_path]
    places = [place for place in places if place]
    for attempt in range(30):
        for place in places:
            helper = os.path.join(place, "eda_job.py")
            if os.path.isfile(helper) and os.path.isfile(os.path.join(place, "job.json")):
                with open(helper, "rb") as file:
                    if hashlib.sha256(file.read()).hexdigest() == helper_sha256:
                        spec = importlib.util.spec_from_file_location("eda_job", helper)
                        module = importlib.util.module_from_spec(spec)
                        sys.modules["eda_job"] = module
                        spec.loader.exec_module(module)
                        return module, module.start(place, job=job)
        if attempt == 0:
            print("Waiting for the folder of job", job, "to be there and whole …")
        time.sleep(2 if attempt else 0)
    raise RuntimeError(
        "The folder of job " + job + " was not found, or its eda_job.py is not the one it was prepared with. Looked in: "
        + ", ".join(places) + ". Enter its path as eda_job_folder above, or prepare the job anew.")

eda_job, job = _eda_begin(${[job.job, job.drivePath ?? "", job.helperSha256].map(pythonLiteral).join(", ")}, eda_job_folder)`;
}
