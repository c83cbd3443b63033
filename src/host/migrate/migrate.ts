/**
 * Moving a workspace from the embedded stores to those that are configured. Objects and logs first, which nobody reads without an inventory;
 * then the database in one transaction, with the audit entry that says that all is moved. Until then the stores of before are the true ones,
 * and they are not changed.
 */
import { inGroups } from "../../domain/groups.ts";
import type { Logger } from "pino";
import { transferDatabase } from "../../adapters/postgres/transfer.ts";
import { type AuditContent, formatAuditHead } from "../../domain/audit.ts";
import type { JsonObject } from "../../domain/json.ts";
import type { RunProgress } from "../../domain/run.ts";
import { openJobDesk } from "../../pipeline/jobs/desk.ts";
import { verify } from "../../pipeline/verify.ts";
import type { Endpoint } from "../../protocol/endpoint.ts";
import type { MigrationEvent, MigrationReport } from "../../protocol/migrate-stores.ts";
import { withMigratedVersions } from "../stores/migrated-objects.ts";
import { readConfiguration } from "../stores/read.ts";
import { openToolBox } from "../tools.ts";
import { refuseEmbedded } from "./checks.ts";
import { commitSettings } from "./commit-settings.ts";
import { allRuns, copyLogs } from "./copy-logs.ts";
import { copyObjects } from "./copy-objects.ts";
import { MOVED, type MovePayload } from "./past-moves.ts";
import { type MovePlan, planMove } from "./plan.ts";
import { openSides, type Sides } from "./sides.ts";
import { noteFinished, noteUnfinished } from "./unfinished.ts";

/** Between two reports of progress. */
const PROGRESS_MS = 200;
/** Executions mirrored together. */
const MIRRORED_TOGETHER = 200;

export interface MigrationOptions {
  readonly endpoint: Endpoint;
  /** Folder of the installation. */
  readonly home: string;
  readonly env: NodeJS.ProcessEnv;
  readonly logger: Logger;
  /** Who asked. */
  readonly actor: string;
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
  readonly onEvent: (event: MigrationEvent) => void;
}

/**
 * In the place of the workspace's host. Can be repeated, after an interruption as after an end.
 * @throws EdaError `precondition` when it may not begin, `unavailable` when a store is away, `cancelled`, `terminal`
 */
export async function migrate(options: MigrationOptions): Promise<MigrationReport> {
  const { endpoint, env, logger } = options;
  const lost = new AbortController();
  const closers: (() => Promise<unknown>)[] = [];
  const configuration = readConfiguration(endpoint.workspace, env);
  refuseEmbedded(configuration);
  const signal = AbortSignal.any([options.signal, lost.signal]);
  try {
    const sides = await openSides({
      ...options,
      configuration,
      onClose: (closer) => closers.push(closer),
      onLost: (error) => lost.abort(error),
    });
    return await move(sides, { ...options, signal });
  } finally {
    for (const close of closers.reverse()) {
      await close().catch((error: unknown) => logger.error({ error: String(error) }, "a store could not be closed"));
    }
  }
}

async function move(sides: Sides, options: MigrationOptions): Promise<MigrationReport> {
  const { target } = sides;
  const { dryRun, signal, endpoint, onEvent } = options;
  const step = (message: string) => onEvent({ type: "step", message });
  step("looking at both sides");
  const plan = await planMove(sides, signal);
  const moved = { objects: plan.objects && withoutSurvey(plan.objects), inventory: plan.inventory, runLog: plan.runLog };
  const isMoving = Object.values(moved).some((store) => store !== null);
  const headBefore = formatAuditHead(await sides.source.inventory.auditHead());
  if (dryRun) {
    return { state: isMoving ? "planned" : "nothing-to-do", ...moved, audit: headBefore, verification: null, commit: null, notes: [] };
  }
  if (isMoving) {
    noteUnfinished(endpoint.stateFolder, target.configuration);
    await carryOver(sides, plan, { ...moved, head: headBefore }, options, step);
  }
  noteFinished(endpoint.stateFolder);

  step("verifying what was moved");
  const { workspace, stateFolder } = endpoint;
  const isGoogleDrive = target.configuration.drive.kind === "google";
  const tools = openToolBox({ home: options.home, workspace, stateFolder, env: options.env, drive: target.drive, isGoogleDrive });
  tools.refresh();
  const objects = withMigratedVersions(target.plainObjects, target.migratedVersions);
  // Nothing is trained here.
  const services = { ...target, objects, ...tools.current(), workspace, jobs: openJobDesk("") };
  const verification = await verify(services, { signal, onProgress: progressOf(onEvent), isActive: () => false });
  const audit = formatAuditHead(await target.inventory.auditHead());
  const { commit, note } = isMoving ? await commitSettings(services.repository, audit) : { commit: null, note: undefined };
  return {
    state: isMoving ? "moved" : "nothing-to-do",
    ...moved,
    audit,
    verification,
    commit,
    notes: note === undefined ? [] : [note],
  };
}

/** What was brought over by an interrupted move is found there, and not brought again. */
async function carryOver(
  { source, target, targetPool, movesDatabase }: Sides,
  plan: MovePlan,
  payload: MovePayload,
  { signal, actor, onEvent }: MigrationOptions,
  step: (message: string) => void,
): Promise<void> {
  const report = progressOf(onEvent);
  if (plan.objects !== null && source.objects !== undefined) {
    const { count, bytes, copiedBytes } = plan.objects;
    step(`copying ${count} object versions`);
    let done = copiedBytes;
    await copyObjects({
      source: source.objects,
      target: target.plainObjects,
      signal,
      record: (versions) => target.migratedVersions.record(versions),
      onBytes(more, label) {
        done += more;
        report({ done: Math.min(done, bytes), total: bytes, unit: "bytes", label });
      },
    });
  }
  const { runMirror, runLogCondition } = target;
  if (plan.runLog !== null && source.runLog !== undefined && runMirror !== undefined && runLogCondition !== undefined) {
    step(`copying ${plan.runLog.count} log lines`);
    for await (const runs of inGroups(allRuns(source.inventory), MIRRORED_TOGETHER)) await runMirror.recordExecutions(runs);
    await copyLogs({ inventory: source.inventory, source: source.runLog, target: target.runLog, condition: runLogCondition, signal });
  }
  const entry: AuditContent = {
    event: MOVED,
    project: null,
    stage: null,
    run: null,
    actor,
    at: new Date().toISOString(),
    payload: payload as unknown as JsonObject,
  };
  if (!movesDatabase) {
    await target.inventory.appendAudit(entry);
    return;
  }
  step(`copying ${plan.inventory?.count ?? 0} rows`);
  await transferDatabase({
    source: source.pool,
    target: targetPool,
    except: plan.except,
    entry,
    signal,
    onRows: (done, total, label) => report({ done, total, unit: "rows", label }),
  });
}

function withoutSurvey({ from, to, count, bytes }: NonNullable<MovePlan["objects"]>) {
  return { from, to, count, bytes };
}

/** Now and then, and always the last. */
function progressOf(onEvent: MigrationOptions["onEvent"]): (progress: RunProgress) => void {
  let last = 0;
  return (progress) => {
    const now = performance.now();
    if (progress.done < progress.total && now - last < PROGRESS_MS) return;
    last = now;
    onEvent({ type: "progress", progress });
  };
}
