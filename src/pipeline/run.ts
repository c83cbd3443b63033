/** The life of a run: plan, commit before, execute, publish, commit after. Every phase is a checkpoint; see docs/architecture.md. */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { AuditHead } from "../domain/audit.ts";
import { EdaError, type ErrorDocument, toEdaError } from "../domain/errors.ts";
import { STATE_FOLDER } from "../domain/governed.ts";
import { type Manifest, manifestSha256, manifestText } from "../domain/manifest.ts";
import type { RunRecord, RunRequest, RunState } from "../domain/run.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { type CodeSource, commitSource, workTreeSource } from "./code-source.ts";
import { assertPlannedCode, type PlannedRun, planRun, readProject } from "./plan-run.ts";
import { removeRunObjects } from "./rollback.ts";
import { commitAfter, commitBefore, discardPlan } from "./run-commits.ts";
import type { RunObserver } from "./run-observer.ts";
import { plannedManifest, seal } from "./seal.ts";
import type { Services, StageContext, StageDefinition, UnitResult } from "./stage-definition.ts";

export interface RunDependencies {
  readonly services: Services;
  readonly stage: StageDefinition;
  readonly checkpoint: Checkpoint;
  readonly observer: RunObserver;
  /** Fires when a person cancels. */
  readonly signal: AbortSignal;
  /** Commits of one repository are made one at a time. */
  readonly commitLock: <T>(work: () => Promise<T>) => Promise<T>;
}

/** How far a run came: what undoing and recording it depends on. */
interface Reached {
  commitBefore?: string;
  planned?: PlannedRun;
  published?: true;
}

type Outcome = Pick<RunRecord, "state"> & Partial<RunRecord>;

/** Runs one stage to its end, whatever that is; throws only when the run could not even be recorded. */
export async function runStage(request: RunRequest, deps: RunDependencies): Promise<void> {
  const { services, checkpoint } = deps;
  const reached: Reached = {};
  let outcome: Outcome;
  try {
    outcome = await live(request, deps, reached);
  } catch (error) {
    outcome = await fail(request, deps, reached, toEdaError(error));
  }
  await checkpoint("finish", async () => {
    await services.inventory.updateRun(request.run, { ...outcome, finishedAt: new Date().toISOString() });
    await rm(runFolder(services, request), { recursive: true, force: true });
  });
  deps.observer.state(outcome.state);
}

async function live(
  request: RunRequest,
  deps: RunDependencies,
  reached: Reached,
): Promise<Outcome> {
  const { services, stage, checkpoint, observer, signal } = deps;
  const durations: Record<string, number> = {};
  /** A checkpoint that a cancelled run does not enter any more, and whose time is measured. */
  const phase = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    const { value, milliseconds } = await checkpoint(name, async () => {
      if (signal.aborted) throw new EdaError("cancelled", "cancelled", "The run was cancelled.");
      const start = performance.now();
      return { value: await work(), milliseconds: Math.round(performance.now() - start) };
    });
    durations[name] = milliseconds;
    return value;
  };
  const enter = async (state: RunState) => {
    observer.state(state);
    await services.inventory.updateRun(request.run, { state });
  };

  const { planned, requestedAt } = await phase("plan", async () => {
    await enter("planning");
    const requested = (await services.inventory.getRun(request.run))?.requestedAt ?? new Date().toISOString();
    await services.inventory.updateRun(request.run, { startedAt: new Date().toISOString() });
    await services.repository.preflight();
    await services.inventory.ensureProject(request.project);
    const context = await contextFor(request, deps, workTreeSource(services.workspace), "plan");
    const result = await planRun(stage, context);
    if (result.kind === "planned") for (const notice of result.plan.notices ?? []) observer.log("warn", notice);
    return { planned: result, requestedAt: requested };
  });
  if (planned.kind === "unchanged") {
    observer.log("info", `Nothing to do: inputs and code are unchanged since ${planned.since === "" ? "the last capture" : `run ${planned.since}`}.`);
    return { state: "unchanged", fingerprint: planned.fingerprint };
  }
  reached.planned = planned;

  const before = await phase("commit-before", async () => {
    await enter("committing-before");
    const commit = await deps.commitLock(() => commitBefore(services, plannedManifest(request, planned, requestedAt)));
    await assertPlannedCode(planned.code, commitSource(services.repository, commit));
    await services.inventory.updateRun(request.run, { commitBefore: commit, state: "executing" });
    return commit;
  });
  reached.commitBefore = before;
  const source = commitSource(services.repository, before);

  observer.state("executing");
  const results: Record<string, UnitResult> = {};
  for (const [index, unit] of planned.plan.units.entries()) {
    observer.progress({ done: index, total: planned.plan.units.length, unit: "steps", label: unit.label });
    results[unit.id] = await phase(`execute:${unit.id}`, async () => {
      const context = await contextFor(request, deps, source, unit.id);
      return stage.execute(unit, results, context);
    });
  }
  refuseFailures(results);

  const sealed = await phase("seal", async () => {
    const context = await contextFor(request, deps, source, "seal");
    return seal({ stage, planned, results, commitBefore: before, requestedAt, durations: { ...durations } }, context);
  });
  const head = await phase("publish", async () => {
    await enter("publishing");
    const { audit } = sealed.publication;
    return services.inventory.publish({ ...sealed.publication, audit: { ...audit, at: new Date().toISOString() } });
  });
  reached.published = true;

  await checkpoint("settle", async () => {
    const context = await contextFor(request, deps, source, "settle");
    await stage.settle?.(results, context, (unit) => unitFolder(services, request, unit));
  });
  observer.state("committing-after");
  const after = await checkpoint("commit-after", async () => {
    await services.inventory.updateRun(request.run, { state: "committing-after" });
    return deps.commitLock(() => commitAfter(services, sealed.manifest, head));
  });
  return { state: "succeeded", commitAfter: after, totals: sealed.manifest.totals, details: sealed.manifest.details };
}

async function fail(
  request: RunRequest,
  deps: RunDependencies,
  reached: Reached,
  failure: EdaError,
): Promise<Outcome> {
  const { services, checkpoint, observer } = deps;
  const state = failure.kind === "cancelled" ? "cancelled" : "failed";
  observer.log("error", failure.message);
  if (reached.published === true) {
    const error: ErrorDocument = {
      ...failure.toDocument(),
      code: "after-commit-pending",
      message: `The results are published, but the commit after the run could not be made: ${failure.message}`,
      todo: `${failure.todo ?? "Correct the cause."} Then run: eda recover`,
    };
    return { state: "failed", error };
  }
  await checkpoint("rollback", async () => {
    const removed = await removeRunObjects(services, request.project, request.run);
    if (removed > 0) observer.log("info", `Rolled back: ${removed} object version(s) removed.`);
    await deps.commitLock(() => discardPlan(services, request));
  });
  const { commitBefore: before, planned } = reached;
  if (before === undefined || planned === undefined) return { state, error: failure.toDocument() };
  const commit = await checkpoint("commit-failure", () => recordFailure(request, deps, planned, before, failure)).catch((error: unknown) => {
    observer.log("error", `The failure could not be committed: ${toEdaError(error).message}`);
    return null;
  });
  return { state, error: failure.toDocument(), commitAfter: commit };
}

/** A failed run is part of the history too: its manifest says why, the subject says that it failed. */
async function recordFailure(
  request: RunRequest,
  deps: RunDependencies,
  planned: PlannedRun,
  before: string,
  failure: EdaError,
): Promise<string> {
  const { inventory } = deps.services;
  const record = await inventory.getRun(request.run);
  const manifest: Manifest = {
    ...plannedManifest(request, planned, record?.requestedAt ?? ""),
    state: failure.kind === "cancelled" ? "cancelled" : "failed",
    error: { code: failure.code, message: failure.message, ...(failure.todo === undefined ? {} : { todo: failure.todo }) },
  };
  const head: AuditHead = await inventory.appendAudit({
    event: failure.kind === "cancelled" ? "run.cancelled" : "run.failed",
    project: request.project,
    stage: request.stage,
    run: request.run,
    actor: request.actor,
    at: new Date().toISOString(),
    payload: { commitBefore: before, code: failure.code, message: failure.message, manifest: manifestSha256(manifestText(manifest)) },
  });
  return deps.commitLock(() => commitAfter(deps.services, manifest, head));
}

function refuseFailures(results: Readonly<Record<string, UnitResult>>): void {
  const failures = Object.values(results).flatMap((result) => result.failures ?? []);
  if (failures.length === 0) return;
  throw new EdaError("terminal", "files-failed", `${failures.length} file(s) failed: ${failures.map((failure) => failure.name).slice(0, 5).join(", ")}`, {
    todo: "See the findings, correct the files or exclude them, and run again. Nothing was published.",
    findings: failures.map(({ name, message }) => ({ message: `${name}: ${message}` })),
  });
}

async function contextFor(request: RunRequest, deps: RunDependencies, source: CodeSource, unit: string): Promise<StageContext> {
  const { services, observer, signal } = deps;
  const workDir = unitFolder(services, request, unit);
  await rm(workDir, { recursive: true, force: true });
  await mkdir(workDir, { recursive: true });
  return {
    services,
    request,
    project: await readProject(request.project, source),
    signal,
    log: (level, message) => observer.log(level, message),
    progress: (progress) => observer.progress(progress),
    ...source,
    workDir,
  };
}

function runFolder(services: Services, request: RunRequest): string {
  return join(services.workspace, STATE_FOLDER, "work", request.run);
}

function unitFolder(services: Services, request: RunRequest, unit: string): string {
  return join(runFolder(services, request), unit);
}
