/**
 * Runs as DBOS workflows on the inventory's PostgreSQL: each checkpoint is a step, a killed host goes on where it was, and a queue
 * partitioned by project and stage lets one run of a stage at a time through. https://docs.dbos.dev/typescript
 */
import { DBOS } from "@dbos-inc/dbos-sdk";
import pLimit from "p-limit";
import type { Logger } from "pino";
import { EdaError, type ErrorDocument, errorFromDocument, toEdaError } from "../domain/errors.ts";
import { isTerminal, newRunId, type RunRecord, type RunRequest, type RunState, summaryOf } from "../domain/run.ts";
import { STAGES, type StageId } from "../domain/stage.ts";
import type { Checkpoint } from "../pipeline/checkpoint.ts";
import { runStage } from "../pipeline/run.ts";
import type { Services, StageDefinition } from "../pipeline/stage-definition.ts";
import type { StartRunParams } from "../protocol/messages.ts";
import { faultPointsFor } from "./fault-points.ts";
import type { RunBoard } from "./run-board.ts";

/**
 * Version of the workflow's step sequence. Raised when the order or names of checkpoints change, so that a new build never replays an
 * old run's steps; a change elsewhere in the code must not strand interrupted runs.
 */
const WORKFLOW_VERSION = "1";
const QUEUE = "stages";
const POLL_MS = 100;
const TRANSIENT_RETRIES = 4;

export interface DurableRuns {
  /** Records and enqueues; answers run ids in order. */
  start(params: StartRunParams): Promise<readonly string[]>;
  cancel(run: string): Promise<{ readonly state: RunState; readonly accepted: boolean }>;
  /** Runs recorded as unfinished whose workflow no longer exists: closed with a word. */
  closeOrphans(): Promise<readonly string[]>;
  stop(): Promise<void>;
}

export interface DurableRunsOptions {
  readonly databaseUrl: string;
  readonly services: Services;
  readonly stages: Readonly<Record<StageId, StageDefinition>>;
  readonly board: RunBoard;
  readonly logger: Logger;
  /** Waits for the first commit lock holder and so on: shared with recovery. */
  readonly commitLock: ReturnType<typeof createCommitLock>;
}

export type CommitLock = <T>(work: () => Promise<T>) => Promise<T>;

export function createCommitLock(): CommitLock {
  return pLimit(1);
}

/** A checkpointed result: errors are values, so that they come back typed after a restart. */
type StepResult<T> = { readonly value: T } | { readonly error: ErrorDocument };

export async function launchDurableRuns(options: DurableRunsOptions): Promise<DurableRuns> {
  const { services, board, logger } = options;
  const { inventory } = services;
  const controllers = new Map<string, AbortController>();

  const runWorkflow = DBOS.registerWorkflow(
    async (request: RunRequest): Promise<RunState> => {
      const record = await inventory.getRun(request.run);
      if (record !== undefined && isTerminal(record.state)) return record.state;
      const controller = new AbortController();
      controllers.set(request.run, controller);
      if (record?.details.cancelRequested === true) controller.abort();
      const observer = await board.open(request.run, request.stage);
      const faults = faultPointsFor(request.stage, process.env);
      try {
        await runStage(request, {
          services: faults?.wrapServices(services) ?? services,
          stage: options.stages[request.stage],
          checkpoint: faults?.wrapCheckpoint(checkpoint) ?? checkpoint,
          observer,
          signal: controller.signal,
          commitLock: options.commitLock,
        });
      } finally {
        controllers.delete(request.run);
      }
      const finished = (await inventory.getRun(request.run)) as RunRecord;
      await board.close(request.run, summaryOf(finished));
      if (finished.commitAfter !== null) void push(services, logger);
      return finished.state;
    },
    { name: "run-stage" },
  );

  const enqueue = (request: RunRequest) =>
    DBOS.startWorkflow(runWorkflow, {
      workflowID: request.run,
      queueName: QUEUE,
      enqueueOptions: { queuePartitionKey: `${request.project}/${request.stage}` },
    })(request);

  const pipelineWorkflow = DBOS.registerWorkflow(
    async (requests: readonly RunRequest[]): Promise<void> => {
      let stopped: string | undefined;
      for (const request of requests) {
        if (stopped !== undefined) {
          const reason = stopped;
          await checkpoint(`skip:${request.stage}`, () => closeUnstarted(services, board, request, reason));
          continue;
        }
        const handle = await enqueue(request);
        const state = await handle.getResult({ pollingIntervalMs: POLL_MS });
        if (state !== "succeeded" && state !== "unchanged") stopped = `stage ${request.stage} ended as ${state}`;
      }
    },
    { name: "run-pipeline" },
  );

  DBOS.setConfig({
    name: "eda",
    systemDatabaseUrl: options.databaseUrl,
    applicationVersion: WORKFLOW_VERSION,
    executorID: "host",
    logger: {
      info: (entry) => logger.debug({ dbos: entry }),
      debug: () => undefined,
      warn: (entry) => logger.warn({ dbos: entry }),
      error: (entry) => logger.error({ dbos: entry }),
    },
  });
  await DBOS.launch();
  await DBOS.registerQueue(QUEUE, { partitionConcurrency: 1, minPollingIntervalMs: POLL_MS, onConflict: "always_update" });

  return {
    async start({ project, stage, force, actor }) {
      const stages = stage === "all" ? STAGES.map((each) => each.id) : [stage];
      const now = new Date();
      const requests = stages.map((each): RunRequest => ({ run: newRunId(now), project, stage: each, force, actor }));
      // A millisecond apart, so that the stages of one pipeline are listed in their order.
      for (const [index, request] of requests.entries()) {
        await inventory.recordRequest(newRecord(request, new Date(now.getTime() + index)));
      }
      const [first] = requests;
      if (requests.length === 1 && first !== undefined) await enqueue(first);
      else await DBOS.startWorkflow(pipelineWorkflow, { workflowID: `${first?.run}-all` })(requests);
      return requests.map((request) => request.run);
    },
    async cancel(run) {
      const record = await inventory.getRun(run);
      if (record === undefined) throw new EdaError("usage", "unknown-run", `There is no run ${run}.`, { todo: "List them with: eda runs" });
      if (isTerminal(record.state)) return { state: record.state, accepted: false };
      const state = board.now(run)?.state ?? record.state;
      if (state === "publishing" || state === "committing-after") return { state, accepted: false };
      await inventory.updateRun(run, { details: { ...record.details, cancelRequested: true } });
      controllers.get(run)?.abort();
      if (board.now(run) === undefined) await closeUnstarted(services, board, record, "cancelled while waiting");
      return { state, accepted: true };
    },
    async closeOrphans() {
      const closed: string[] = [];
      const active = await inventory.listRuns({ states: ACTIVE_STATES, limit: 1000 });
      for (const record of active.items) {
        if ((await DBOS.getWorkflowStatus(record.run)) !== null || (await hasParent(record.run, active.items))) continue;
        await closeUnstarted(services, board, record, "the host was stopped before it started");
        closed.push(record.run);
      }
      return closed;
    },
    async stop() {
      await DBOS.shutdown();
    },
  };
}

const ACTIVE_STATES: readonly RunState[] = ["waiting", "planning", "committing-before", "executing", "publishing", "committing-after"];

const checkpoint: Checkpoint = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
  const outcome = await DBOS.runStep<StepResult<T>>(
    async () => {
      try {
        return { value: await work() };
      } catch (error) {
        const failure = toEdaError(error);
        const attempt = DBOS.stepStatus?.currentAttempt ?? 1;
        if (isRetryable(failure) && attempt <= TRANSIENT_RETRIES) throw failure;
        return { error: failure.toDocument() };
      }
    },
    { name, retriesAllowed: true, maxAttempts: TRANSIENT_RETRIES + 1, intervalSeconds: 1, backoffRate: 2, shouldRetry: isRetryable },
  );
  if ("error" in outcome) throw errorFromDocument(outcome.error);
  return outcome.value;
};

function isRetryable(error: unknown): boolean {
  return error instanceof EdaError && (error.kind === "transient" || error.kind === "unavailable");
}

function newRecord(request: RunRequest, now: Date): RunRecord {
  return {
    ...request,
    state: "waiting",
    commitBefore: null,
    commitAfter: null,
    totals: null,
    fingerprint: null,
    error: null,
    details: {},
    requestedAt: now.toISOString(),
    startedAt: null,
    finishedAt: null,
  };
}

/** A run that will never start is recorded as cancelled, with the reason. */
async function closeUnstarted(services: Services, board: RunBoard, request: RunRequest, reason: string): Promise<void> {
  const error = new EdaError("cancelled", "not-started", `Not started: ${reason}.`).toDocument();
  await services.inventory.updateRun(request.run, { state: "cancelled", error, finishedAt: new Date().toISOString() });
  await board.close(request.run, summaryOf((await services.inventory.getRun(request.run)) as RunRecord));
}

/** A later stage of a pipeline has no workflow of its own yet while its pipeline lives. */
async function hasParent(run: string, active: readonly RunRecord[]): Promise<boolean> {
  const record = active.find((each) => each.run === run);
  if (record === undefined) return false;
  const workflows = await DBOS.listWorkflows({ workflowName: "run-pipeline", status: ["PENDING", "ENQUEUED"] });
  return workflows.some((workflow) => JSON.stringify(workflow.input ?? []).includes(run));
}

async function push(services: Services, logger: Logger): Promise<void> {
  try {
    const result = await services.repository.push();
    if (result === "diverged") logger.warn("the remote has moved on: merge it (eda never rebases governed commits)");
  } catch (error) {
    logger.warn({ error: toEdaError(error).message }, "push failed; it is tried again after the next run");
  }
}
