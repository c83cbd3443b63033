/**
 * `projects.locations.notebookExecutionJobs` of aiplatform v1 and its operations:
 * https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.notebookExecutionJobs
 */
import { z } from "zod";
import { type Answer, json, Refusal, rpcError } from "./answers.ts";

/** What may be asked for; output-only fields are none of it. */
const requestSchema = z.strictObject({
  displayName: z.string().min(1).max(128),
  customEnvironmentSpec: z.strictObject({
    machineSpec: z
      .strictObject({
        machineType: z.string(),
        acceleratorType: z.enum(["NVIDIA_TESLA_T4", "NVIDIA_L4", "NVIDIA_TESLA_V100", "NVIDIA_TESLA_A100"]).optional(),
        acceleratorCount: z.int().positive().optional(),
      })
      .refine(({ acceleratorType, acceleratorCount }) => (acceleratorType === undefined) === (acceleratorCount === undefined)),
  }),
  directNotebookSource: z.strictObject({ content: z.base64() }),
  gcsOutputUri: z.string().regex(/^gs:\/\/[^/]+(?:\/.+)?$/u),
  executionTimeout: z
    .string()
    .regex(/^\d+(?:\.\d{1,9})?s$/u)
    .optional(),
  serviceAccount: z.email(),
  labels: z.record(z.string().regex(/^[a-z][a-z0-9_-]{0,62}$/u), z.string().regex(/^[a-z0-9_-]{0,63}$/u)).optional(),
});

export type ExecutionRequest = z.infer<typeof requestSchema>;
export type JobState =
  | "JOB_STATE_QUEUED"
  | "JOB_STATE_RUNNING"
  | "JOB_STATE_SUCCEEDED"
  | "JOB_STATE_FAILED"
  | "JOB_STATE_CANCELLED"
  | "JOB_STATE_EXPIRED";

export interface RpcStatus {
  readonly code: number;
  readonly message: string;
}

/** How one ended. */
export interface Outcome {
  readonly state: JobState;
  readonly status?: RpcStatus;
}

export interface FakeExecution {
  readonly id: string;
  /** `projects/p/locations/l/notebookExecutionJobs/<id>` */
  readonly name: string;
  readonly operation: string;
  readonly request: ExecutionRequest;
  readonly createTime: string;
  /** Ends the runtime. */
  readonly abort: AbortController;
  state: JobState;
  status: RpcStatus | undefined;
  isDeleted: boolean;
}

/** Plays the runtime until it ends or is aborted. */
export type Runtime = (execution: FakeExecution) => Promise<Outcome>;

export class FakeExecutions {
  /** All that ever were, the deleted ones too. */
  readonly all: FakeExecution[] = [];
  readonly running = new Set<Promise<void>>();
  private readonly parent: string;
  private readonly runtime: Runtime;

  constructor(parent: string, runtime: Runtime) {
    this.parent = parent;
    this.runtime = runtime;
  }

  create(query: URLSearchParams, body: unknown): Answer {
    known(query, ["notebookExecutionJobId"]);
    const id = query.get("notebookExecutionJobId") ?? "";
    if (!/^[a-z]([a-z0-9-]{0,126}[a-z0-9])?$/u.test(id)) throw refuse("INVALID_ARGUMENT", `The id "${id}" is not valid.`);
    const parsed = requestSchema.safeParse(body);
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      throw refuse("INVALID_ARGUMENT", `Invalid JSON payload received. ${issue?.path.join(".")}: ${issue?.message}`);
    }
    if (this.all.some((each) => each.id === id)) throw refuse("ALREADY_EXISTS", `The NotebookExecutionJob ${id} already exists.`);
    const name = `${this.parent}/notebookExecutionJobs/${id}`;
    const execution: FakeExecution = {
      id,
      name,
      operation: `${name}/operations/${1000 + this.all.length}`,
      request: parsed.data,
      createTime: new Date().toISOString(),
      abort: new AbortController(),
      state: "JOB_STATE_QUEUED",
      status: undefined,
      isDeleted: false,
    };
    this.all.push(execution);
    const run = this.run(execution).finally(() => this.running.delete(run));
    this.running.add(run);
    return json(operationOf(execution));
  }

  list(query: URLSearchParams): Answer {
    known(query, ["filter", "pageSize", "pageToken", "orderBy", "view"]);
    const filter = query.get("filter");
    const [, displayName] = /^displayName="([^"]+)"$/u.exec(filter ?? "") ?? [];
    if (filter !== null && displayName === undefined) throw refuse("INVALID_ARGUMENT", `This fake does not know the filter ${filter}.`);
    const found = this.all.filter((each) => !each.isDeleted && (displayName === undefined || each.request.displayName === displayName));
    const start = Number(query.get("pageToken") ?? 0);
    const size = Math.min(Number(query.get("pageSize") ?? 100), 2);
    const page = found.slice(start, start + size);
    return json({
      ...(page.length === 0 ? {} : { notebookExecutionJobs: page.map(basicView) }),
      ...(found.length > start + size ? { nextPageToken: String(start + size) } : {}),
    });
  }

  get(id: string): Answer {
    const execution = this.find(id);
    return json({ ...basicView(execution), directNotebookSource: execution.request.directNotebookSource });
  }

  delete(id: string): Answer {
    const execution = this.find(id);
    execution.isDeleted = true;
    execution.abort.abort();
    return json({ name: `${execution.name}/operations/${9000 + this.all.length}`, done: true, response: {} });
  }

  operations(id: string): Answer {
    return json({ operations: [operationOf(this.find(id))] });
  }

  operation(name: string): Answer {
    return json(operationOf(this.made(name)));
  }

  cancel(name: string): Answer {
    const execution = this.made(name);
    if (isOver(execution)) throw refuse("FAILED_PRECONDITION", "The operation is done already.");
    execution.abort.abort();
    return json({});
  }

  private async run(execution: FakeExecution): Promise<void> {
    execution.state = "JOB_STATE_RUNNING";
    const { state, status } = await this.runtime(execution);
    execution.state = execution.abort.signal.aborted ? "JOB_STATE_CANCELLED" : state;
    execution.status = execution.abort.signal.aborted ? { code: 1, message: "CANCELLED" } : status;
  }

  private find(id: string): FakeExecution {
    const execution = this.all.find((each) => each.id === id && !each.isDeleted);
    if (execution === undefined) throw refuse("NOT_FOUND", `The NotebookExecutionJob ${id} does not exist.`);
    return execution;
  }

  private made(operation: string): FakeExecution {
    const execution = this.all.find((each) => each.operation === operation);
    if (execution === undefined) throw refuse("NOT_FOUND", `The operation ${operation} does not exist.`);
    return execution;
  }
}

export function isOver({ state }: FakeExecution): boolean {
  return state !== "JOB_STATE_QUEUED" && state !== "JOB_STATE_RUNNING";
}

/** Without the notebook. */
function basicView({ name, request, state, status, createTime }: FakeExecution): object {
  const { directNotebookSource: _, ...told } = request;
  return { name, ...told, jobState: state, createTime, updateTime: createTime, ...(status === undefined ? {} : { status }) };
}

function operationOf(execution: FakeExecution): object {
  const metadata = {
    "@type": "type.googleapis.com/google.cloud.aiplatform.v1.CreateNotebookExecutionJobOperationMetadata",
    genericMetadata: { createTime: execution.createTime, updateTime: execution.createTime },
  };
  const { operation: name, state, status } = execution;
  if (!isOver(execution)) return { name, metadata };
  return state === "JOB_STATE_SUCCEEDED"
    ? { name, metadata, done: true, response: basicView(execution) }
    : { name, metadata, done: true, error: status ?? { code: 13, message: state } };
}

function known(query: URLSearchParams, names: readonly string[]): void {
  const unknown = [...query.keys()].find((name) => !names.includes(name));
  if (unknown !== undefined) throw refuse("INVALID_ARGUMENT", `Invalid JSON payload received. Unknown name "${unknown}".`);
}

function refuse(status: Parameters<typeof rpcError>[0], message: string): Refusal {
  return new Refusal(rpcError(status, message));
}
