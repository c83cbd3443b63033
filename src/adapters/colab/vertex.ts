/**
 * Notebook executions of Vertex AI, which is what Colab Enterprise calls them in its API:
 * https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.notebookExecutionJobs
 */
import { z } from "zod";
import type { Cloud } from "./cloud.ts";
import { rpcStatusSchema } from "./cloud-failures.ts";

/** https://cloud.google.com/vertex-ai/docs/reference/rest/v1/JobState */
const OVER = ["JOB_STATE_SUCCEEDED", "JOB_STATE_FAILED", "JOB_STATE_CANCELLED", "JOB_STATE_EXPIRED", "JOB_STATE_PARTIALLY_SUCCEEDED"];

const executionSchema = z.object({
  /** `projects/p/locations/us-central1/notebookExecutionJobs/eda-job-1` */
  name: z.string(),
  /** Absent before it is anything. */
  jobState: z.string().default("JOB_STATE_UNSPECIFIED"),
  status: rpcStatusSchema.optional(),
  createTime: z.iso.datetime(),
});
const executionsSchema = z.object({ notebookExecutionJobs: z.array(executionSchema).default([]), nextPageToken: z.string().optional() });
const operationSchema = z.object({ name: z.string(), done: z.boolean().optional() });
const operationsSchema = z.object({ operations: z.array(operationSchema).default([]), nextPageToken: z.string().optional() });

export type Execution = z.infer<typeof executionSchema>;

export interface ExecutionRequest {
  readonly displayName: string;
  readonly customEnvironmentSpec: {
    readonly machineSpec: {
      readonly machineType: string;
      readonly acceleratorType?: "NVIDIA_TESLA_T4";
      readonly acceleratorCount?: number;
    };
  };
  readonly directNotebookSource: {
    /** base64 */
    readonly content: string;
  };
  /** `gs://bucket/prefix` */
  readonly gcsOutputUri: string;
  /** `3600s`; a day without it. */
  readonly executionTimeout?: string;
  readonly serviceAccount: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface Executions {
  /**
   * Asks for a runtime. May be asked for again: the id makes it the same one.
   * @returns the operation; undefined when there is one of this id already
   */
  create(id: string, request: ExecutionRequest, signal: AbortSignal): Promise<string | undefined>;
  /** Those with a display name. */
  list(displayName: string, signal: AbortSignal): Promise<readonly Execution[]>;
  /** Names of operations of an execution that are not done. */
  operations(execution: string, signal: AbortSignal): Promise<readonly string[]>;
  isDone(operation: string, signal: AbortSignal): Promise<boolean>;
  /** One that is done or gone is left as it is. */
  cancel(operation: string, signal: AbortSignal): Promise<void>;
  /** One that is gone already does not matter. */
  remove(execution: string, signal: AbortSignal): Promise<void>;
}

export function isOver({ jobState }: Execution): boolean {
  return OVER.includes(jobState);
}

/** Its own id: `eda-job-1`. */
export function executionId({ name }: Pick<Execution, "name">): string {
  return name.slice(name.lastIndexOf("/") + 1);
}

/** Executions live in a region, and its own address alone knows them. */
export function openExecutions(cloud: Cloud, { project, region }: { readonly project: string; readonly region: string }): Executions {
  const root = `https://${region}-aiplatform.googleapis.com/v1/`;
  const parent = `projects/${project}/locations/${region}`;
  const subject = `a notebook execution in ${project}, ${region}`;
  const url = (path: string, query: Readonly<Record<string, string>> = {}) => {
    const text = new URLSearchParams(query).toString();
    return `${root}${path}${text === "" ? "" : `?${text}`}`;
  };
  const get = { method: "GET", subject } as const;

  async function paged<T extends { readonly nextPageToken?: string | undefined }>(
    path: string,
    query: Readonly<Record<string, string>>,
    schema: z.ZodType<T>,
    signal: AbortSignal,
  ): Promise<T[]> {
    const pages: T[] = [];
    for (let pageToken: string | undefined = ""; pageToken !== undefined; pageToken = pages.at(-1)?.nextPageToken || undefined) {
      const page = await cloud.ask(
        { ...get, url: url(path, { ...query, ...(pageToken === "" ? {} : { pageToken }) }), signal, accept: [404] },
        schema,
      );
      if (page === undefined) break;
      pages.push(page);
    }
    return pages;
  }

  return {
    async create(id, request, signal) {
      const created = await cloud.ask(
        {
          method: "POST",
          url: url(`${parent}/notebookExecutionJobs`, { notebookExecutionJobId: id }),
          headers: { "content-type": "application/json" },
          body: JSON.stringify(request),
          signal,
          subject,
          accept: [409],
        },
        operationSchema,
      );
      return created?.name;
    },
    async list(displayName, signal) {
      const query = { filter: `displayName="${displayName}"`, pageSize: "100" };
      return (await paged(`${parent}/notebookExecutionJobs`, query, executionsSchema, signal)).flatMap(
        (page) => page.notebookExecutionJobs,
      );
    },
    async operations(execution, signal) {
      const pages = await paged(`${execution}/operations`, {}, operationsSchema, signal);
      return pages.flatMap(({ operations }) => operations.filter(({ done }) => done !== true).map(({ name }) => name));
    },
    async isDone(operation, signal) {
      return (await cloud.ask({ ...get, url: url(operation), signal, accept: [404] }, operationSchema))?.done !== false;
    },
    async cancel(operation, signal) {
      await cloud.ask({ method: "POST", url: url(`${operation}:cancel`), signal, subject, accept: [400, 404] }, z.unknown());
    },
    async remove(execution, signal) {
      await cloud.ask({ method: "DELETE", url: url(execution), signal, subject, accept: [404] }, operationSchema);
    },
  };
}
