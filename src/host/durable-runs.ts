/**
 * Runs as DBOS workflows on the inventory's PostgreSQL: each checkpoint is a step, a killed host goes on where it was, and a queue
 * partitioned by project and stage lets one run of a stage at a time through. https://docs.dbos.dev/typescript
 */
import { DBOS } from "@dbos-inc/dbos-sdk";
import pLimit from "p-limit";
import type { Logger } from "pino";
import { EdaError, toEdaError } from "../domain/errors.ts";
import { isTerminal, newRunId, requestedRecord, type RunRecord, type RunRequest, type RunState, summaryOf } from "../domain/run.ts";
import { STAGES, type StageId } from "../domain/stage.ts";
import { abandonRun } from "../pipeline/abandon.ts";
import { findAuditEntry } from "../pipeline/rollback.ts";
import { HOST_STOPS } from "../pipeline/jobs/train.ts";
import { runStage } from "../pipeline/run.ts";
import { runFolder } from "../pipeline/scratch.ts";
import type { Services, StageDefinition } from "../pipeline/stage-definition.ts";
import type { StartRunParams } from "../protocol/messages.ts";
import { createDurableSteps, replay } from "./durable-steps.ts";
import { faultPointsFor } from "./fault-points.ts";
import { createPusher } from "./pusher.ts";
import type { RunBoard } from "./run-board.ts";

/**
 * Version of the workflow's step sequence. Raised when the order or names of checkpoints change, so that a new build never replays an
 * old run's steps; a change elsewhere in the code must not strand interrupted runs.
 */
const WORKFLOW_VERSION = "2";
const QUEUE = "stages";
const POLL_MS = 100;
/** Kernels and queries need a moment to end when the host stops. */
const STOP_GRACE_MS = 4_000;

export interface DurableRuns {
  /** Records and enqueues; answers run ids in order. */
  start(params: StartRunParams): Promise<readonly string[]>;
  cancel(run: string): Promise<{ readonly state: RunState; readonly accepted: boolean }>;
  /** Ids of the runs that wait or work, oldest first. */
  active(): Promise<readonly string[]>;
  /** Runs recorded as unfinished whose workflow no longer exists, or ended by an error of its own: closed with a word. */
  closeOrphans(): Promise<readonly string[]>;
  /**
   * Goes through an ended run once more, to do what could not be done at its end: files into place, and the commit after it. What its
   * checkpoints remember is not done again.
   * @returns the run's record afterwards
   */
  complete(record: RunRecord): Promise<RunRecord>;
  /** Runs at work stop where they are and go on at the next start. */
  stop(): Promise<void>;
}

export interface DurableRunsOptions {
  readonly databaseUrl: string;
  readonly services: Services;
  readonly stages: Readonly<Record<StageId, StageDefinition>>;
  readonly board: RunBoard;
  readonly logger: Logger;
  /** One commit at a time: shared with recovery and with laying out a workspace. */
  readonly commitLock: CommitLock;
  /** The database is away: no run can go on, and the process has to end. */
  readonly onLost: (error: unknown) => void;
}

export type CommitLock = <T>(work: () => Promise<T>) => Promise<T>;

export function createCommitLock(): CommitLock {
  return pLimit(1);
}

export async function launchDurableRuns(options: DurableRunsOptions): Promise<DurableRuns> {
  const { services, board, logger, commitLock } = options;
  const { inventory } = services;
  const controllers = new Map<string, AbortController>();
  const steps = createDurableSteps(options.onLost);
  const pusher = createPusher(services, logger);

  const runWorkflow = DBOS.registerWorkflow(
    async (request: RunRequest): Promise<RunState> => {
      // Before the record is read: a cancellation that is recorded after that finds the controller.
      const controller = new AbortController();
      controllers.set(request.run, controller);
      const record = await steps.reach(() => inventory.getRun(request.run));
      if (record !== undefined && isTerminal(record.state)) {
        controllers.delete(request.run);
        return record.state;
      }
      if (record?.details.cancelRequested === true) controller.abort();
      const faults = faultPointsFor(request, process.env);
      // A copy: the tools of a run stay the same when the settings change meanwhile.
      const own: Services = { ...services };
      const checkpoint = steps.checkpointIn(runFolder(services.workspace, request.run));
      try {
        await runStage(request, {
          services: faults?.wrapServices(own) ?? own,
          stage: options.stages[request.stage],
          checkpoint: faults?.wrapCheckpoint(checkpoint) ?? checkpoint,
          observer: await steps.reach(() => board.open(request.run, request.stage, record?.state ?? "planning")),
          signal: controller.signal,
          commitLock,
        });
      } catch (error) {
        logger.error({ run: request.run, error: toEdaError(error).message, stack: (error as Error)?.stack }, "run ended unexpectedly");
        await steps.reach(() => abandonRun(services, commitLock, request, toEdaError(error)));
      } finally {
        controllers.delete(request.run);
      }
      const finished = (await steps.reach(() => inventory.getRun(request.run))) as RunRecord;
      await board.close(request.run, summaryOf(finished));
      if (finished.commitAfter !== null) pusher.push();
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
          const skip = steps.checkpointIn(runFolder(services.workspace, request.run));
          await skip(`skip:${request.stage}`, () => closeUnstarted(services, board, request, reason));
          continue;
        }
        const handle = await steps.reach(() => enqueue(request));
        const state = await steps.reach(() => handle.getResult({ pollingIntervalMs: POLL_MS }));
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

  const activeRecords = async (): Promise<readonly RunRecord[]> => (await inventory.listRuns({ states: ACTIVE_STATES, limit: 1000 })).items;

  return {
    async start({ project, stage, force, actor }) {
      const stages = stage === "all" ? STAGES.map((each) => each.id) : [stage];
      const now = new Date();
      const requests = stages.map((each): RunRequest => ({ run: newRunId(now), project, stage: each, force, actor }));
      // A millisecond apart, so that the stages of one pipeline are listed in their order.
      for (const [index, request] of requests.entries()) {
        await inventory.recordRequest(requestedRecord(request, new Date(now.getTime() + index).toISOString()));
        board.announce(request.run, "waiting");
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
      // A resumed run passes through its former states again; what is recorded is how far it came.
      const state = isPastCancelling(record.state) ? record.state : (board.now(run)?.state ?? record.state);
      if (isPastCancelling(state)) return { state, accepted: false };
      await inventory.updateRun(run, { details: { ...record.details, cancelRequested: true } });
      const controller = controllers.get(run);
      if (controller === undefined) await closeUnstarted(services, board, record, "cancelled while waiting");
      else controller.abort();
      return { state, accepted: true };
    },
    active: async () => (await activeRecords()).map((record) => record.run).reverse(),
    async closeOrphans() {
      const closed: string[] = [];
      const queued = await DBOS.listWorkflows({ workflowName: "run-pipeline", status: ["PENDING", "ENQUEUED"] });
      const inPipeline = new Set(queued.flatMap(({ input }) => ((input?.[0] ?? []) as readonly RunRequest[]).map(({ run }) => run)));
      for (const record of await activeRecords()) {
        const status = (await DBOS.getWorkflowStatus(record.run))?.status;
        if (status === "PENDING" || status === "ENQUEUED" || status === "DELAYED" || (status === undefined && inPipeline.has(record.run)))
          continue;
        if (status === undefined && record.state === "waiting") {
          await closeUnstarted(services, board, record, "the host was stopped before it started");
        } else {
          await abandonRun(
            services,
            commitLock,
            record,
            new EdaError("terminal", "run-lost", `The run was lost (${status ?? "no workflow"}).`, { todo: "Run the stage again." }),
          );
        }
        closed.push(record.run);
      }
      return closed;
    },
    async complete(record) {
      const { run, stage } = record;
      const isPublished = (await findAuditEntry(inventory, run, "run.published")) !== undefined;
      const observer = await board.open(run, stage, record.state);
      try {
        await runStage(record, {
          services: { ...services },
          stage: options.stages[stage],
          checkpoint: replay((await DBOS.listWorkflowSteps(run)) ?? [], isPublished, runFolder(services.workspace, run)),
          observer,
          signal: new AbortController().signal,
          commitLock,
        });
      } finally {
        await board.close(run, summaryOf((await inventory.getRun(run)) as RunRecord));
      }
      const completed = (await inventory.getRun(run)) as RunRecord;
      if (completed.commitAfter !== null) pusher.push();
      return completed;
    },
    async stop() {
      steps.stopping();
      pusher.stop();
      await DBOS.shutdown();
      // Nothing can be recorded any more, so that ending the work now leaves the runs as a kill would: to be resumed.
      for (const controller of controllers.values()) controller.abort(HOST_STOPS);
      await steps.settled(STOP_GRACE_MS);
    },
  };
}

const ACTIVE_STATES: readonly RunState[] = ["waiting", "planning", "committing-before", "executing", "publishing", "committing-after"];

function isPastCancelling(state: RunState): boolean {
  return state === "publishing" || state === "committing-after";
}

/** A run that will never start is recorded as cancelled, with the reason. */
async function closeUnstarted(services: Services, board: RunBoard, request: RunRequest, reason: string): Promise<void> {
  const { inventory } = services;
  if (isTerminal((await inventory.getRun(request.run))?.state ?? "waiting")) return;
  const error = new EdaError("cancelled", "not-started", `Not started: ${reason}.`).toDocument();
  await inventory.updateRun(request.run, { state: "cancelled", error, finishedAt: new Date().toISOString() });
  await board.close(request.run, summaryOf((await inventory.getRun(request.run)) as RunRecord));
}
