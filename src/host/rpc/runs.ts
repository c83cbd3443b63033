/** Requests about runs: start, watch, cancel, list, log. */
import type { MessageConnection } from "vscode-jsonrpc/node";
import { EdaError, toEdaError } from "../../domain/errors.ts";
import { assertProjectName } from "../../domain/names.ts";
import { isTerminal, type LogLine, type RunEvent, type RunRecord, type RunSummary, summaryOf } from "../../domain/run.ts";
import { isStageId, type StageId } from "../../domain/stage.ts";
import { workTreeSource } from "../../pipeline/code-source.ts";
import { readProject } from "../../pipeline/plan-run.ts";
import { CancelRun, ListRuns, ReadLog, RunEvents, ShowRun, StartRun, WatchRun } from "../../protocol/messages.ts";
import type { Host } from "../host.ts";
import { refuseChangedStores } from "../stores/read.ts";
import type { Registrar } from "./register.ts";
import { tell } from "./tell.ts";

const LOG_PAGE = 10_000;

export function registerRuns(registrar: Registrar, rpc: MessageConnection, host: Host): void {
  const { services, board, runs } = host;
  const { inventory, runLog } = services;

  registrar.handle(StartRun, async (params) => {
    assertProjectName(params.project);
    if (params.stage !== "all" && !isStageId(params.stage)) {
      throw new EdaError("usage", "unknown-stage", `There is no stage "${String(params.stage)}".`);
    }
    // A mistake that can be known now is told now, before anything is queued.
    host.tools.refresh();
    refuseChangedStores(host);
    await readProject(params.project, workTreeSource(services.workspace));
    await services.repository.preflight();
    return { runs: await runs.start(params) };
  });

  registrar.handle(WatchRun, async ({ run, withLog }, signal) => {
    const send = (event: RunEvent) => tell(() => rpc.sendNotification(RunEvents, event));
    return watch(run, withLog, send, signal);
  });

  registrar.handle(CancelRun, ({ run }) => runs.cancel(run));
  registrar.handle(ShowRun, ({ run }) => knownRun(run));
  registrar.handle(ListRuns, ({ project, stage, states, limit, cursor }) =>
    inventory.listRuns({
      limit: Math.min(Math.max(limit, 1), 1000),
      ...(project === undefined ? {} : { project }),
      ...(stage === undefined ? {} : { stage }),
      ...(states === undefined ? {} : { states }),
      ...(cursor === undefined ? {} : { cursor }),
    }),
  );
  registrar.handle(ReadLog, async ({ run, after, limit }) => {
    await knownRun(run);
    await board.flush();
    return runLog.read(run, after, Math.min(Math.max(limit, 1), LOG_PAGE));
  });

  async function knownRun(run: string): Promise<RunRecord> {
    const record = await inventory.getRun(run);
    if (record === undefined) throw new EdaError("usage", "unknown-run", `There is no run ${run}.`, { todo: "List them with: eda runs" });
    return record;
  }

  /** Log lines so far, the state now, then events until the summary. */
  function watch(run: string, withLog: boolean, send: (event: RunEvent) => void, signal: AbortSignal): Promise<RunSummary> {
    return new Promise((resolve, reject) => {
      let sent = 0;
      let replaying = true;
      const held: RunEvent[] = [];
      const deliver = (event: RunEvent) => {
        if (event.type === "summary") {
          stop();
          resolve(event);
        } else if (event.type === "log") {
          if (!withLog || event.line.sequence <= sent) return;
          sent = event.line.sequence;
          send(event);
        } else send(event);
      };
      const stop = board.watch(run, (event) => (replaying ? held.push(event) : deliver(event)));
      signal.addEventListener("abort", () => {
        stop();
        reject(new EdaError("cancelled", "watch-ended", "The watch was ended; the run goes on."));
      });
      const replay = async () => {
        const record = await knownRun(run);
        for (let page = withLog ? await linesSoFar(run, 0) : []; page.length > 0; page = await linesSoFar(run, sent)) {
          for (const line of page) deliver({ type: "log", runId: run, line });
        }
        const now = board.now(run);
        if (now === undefined && isTerminal(record.state)) return deliver({ type: "summary", ...summaryOf(record) });
        const state = now?.state ?? record.state;
        const message = state === "waiting" ? await whoHolds(record.project, record.stage, run) : undefined;
        deliver({ type: "state", runId: run, stage: record.stage, state, ...(message === undefined ? {} : { message }) });
        if (now?.progress !== undefined) deliver({ type: "progress", runId: run, stage: record.stage, progress: now.progress });
        replaying = false;
        for (const event of held.splice(0)) deliver(event);
      };
      replay().catch((error: unknown) => {
        stop();
        reject(error);
      });
    });
  }

  /** A run can be watched while the store of its log is away or refuses the host: what comes is seen, and what was before is missing. */
  function linesSoFar(run: string, after: number): Promise<readonly LogLine[]> {
    return runLog.read(run, after, LOG_PAGE).catch((error: unknown) => {
      const { kind, message } = toEdaError(error);
      if (kind === "terminal") throw error;
      host.logger.warn({ run, reason: message }, "earlier log lines cannot be shown");
      return [];
    });
  }

  async function whoHolds(project: string, stage: StageId, run: string): Promise<string | undefined> {
    const active = await inventory.listRuns({
      project,
      stage,
      states: ["planning", "committing-before", "executing", "publishing", "committing-after"],
      limit: 10,
    });
    const holder = active.items.find((record) => record.run !== run);
    return holder === undefined
      ? undefined
      : `waiting for run ${holder.run}, started by ${holder.actor} at ${holder.startedAt ?? holder.requestedAt}`;
  }
}
