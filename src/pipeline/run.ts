/** The life of a run: plan, commit before, execute, publish, commit after. Every phase is a checkpoint; see docs/architecture.md. */
import { access, mkdir, rm } from "node:fs/promises";
import { EdaError, throwIfAborted, toEdaError } from "../domain/errors.ts";
import { type Manifest, manifestSha256, manifestText } from "../domain/manifest.ts";
import type { RunRecord, RunRequest, RunState } from "../domain/run.ts";
import { AFTER_COMMIT_PENDING, afterCommitPending, commitPublished } from "./after-commit.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { type CodeSource, commitSource, workTreeSource } from "./code-source.ts";
import { assertPlannedCode, type PlannedRun, planRun, readProject } from "./plan-run.ts";
import { findAuditEntry, removeRunObjects, undoRun } from "./rollback.ts";
import { commitAfter, commitBefore, restorePlan } from "./run-commits.ts";
import type { RunObserver } from "./run-observer.ts";
import { plannedManifest, publicationOf, seal } from "./seal.ts";
import { runFolder, unitFolder } from "./scratch.ts";
import type { Services, StageContext, StageDefinition, UnitResult, UnitResults } from "./stage-definition.ts";

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
    // A run that is still to be completed needs what it has not moved into place yet.
    if (outcome.error?.code !== AFTER_COMMIT_PENDING)
      await rm(runFolder(services.workspace, request.run), { recursive: true, force: true });
  });
  deps.observer.state(outcome.state);
}

async function live(request: RunRequest, deps: RunDependencies, reached: Reached): Promise<Outcome> {
  const { services, stage, checkpoint, observer, signal } = deps;
  const durations: Record<string, number> = {};
  /** A checkpoint whose time is measured. Cancelling stops it, and it is not entered any more. */
  const phase = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    const { value, milliseconds } = await checkpoint(name, async () => {
      throwIfAborted(signal);
      const start = performance.now();
      const value = await work().catch((error: unknown) => {
        // Whatever an interrupted tool says of it.
        throwIfAborted(signal);
        throw error;
      });
      return { value, milliseconds: Math.round(performance.now() - start) };
    });
    durations[name] = milliseconds;
    return value;
  };
  const enter = async (state: RunState) => {
    observer.state(state);
    await services.inventory.updateRun(request.run, { state });
  };

  const { planned, requestedAt } = await phase("plan", async () => {
    const requested = (await services.inventory.getRun(request.run))?.requestedAt ?? new Date().toISOString();
    observer.state("planning");
    await services.inventory.updateRun(request.run, { state: "planning", startedAt: new Date().toISOString() });
    await services.repository.preflight();
    await services.inventory.ensureProject(request.project);
    const context = await contextFor(request, deps, workTreeSource(services.workspace), "plan");
    const result = await planRun(stage, context);
    if (result.kind === "planned") for (const notice of result.plan.notices ?? []) observer.log("warn", notice);
    return { planned: result, requestedAt: requested };
  });
  if (planned.kind === "unchanged") {
    observer.log(
      "info",
      `Nothing to do: inputs and code are unchanged since ${planned.since === "" ? "the last capture" : `run ${planned.since}`}.`,
    );
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
  const source = commitSource(services.repository, before);

  observer.state("executing");
  const results: Record<string, UnitResult> = {};
  for (const [index, unit] of planned.plan.units.entries()) {
    observer.progress({ done: index, total: planned.plan.units.length, unit: "steps", label: unit.label });
    results[unit.id] = await phase(`execute:${unit.id}`, async () => {
      await clearFormerAttempt(request, deps, results, unit.id);
      return stage.execute(unit, results, await contextFor(request, deps, source, unit.id));
    });
  }
  refuseFailures(results);

  const sealed = await phase("seal", async () => {
    const context = await contextFor(request, deps, source, "seal");
    return seal({ stage, planned, results, commitBefore: before, requestedAt, durations: { ...durations } }, context);
  });
  // Not a phase: an attempt that was killed here may have published, and then cancelling comes too late.
  const head = await checkpoint("publish", async () => {
    const record = await services.inventory.getRun(request.run);
    if (record?.state !== "publishing") throwIfAborted(signal);
    await enter("publishing");
    return services.inventory.publish(publicationOf(sealed, new Date().toISOString()));
  });
  reached.published = true;

  await checkpoint("settle", async () => {
    const context = await contextFor(request, deps, source, "settle");
    await stage.settle?.(results, context, (unit) => unitFolder(services.workspace, request.run, unit));
  });
  observer.state("committing-after");
  return checkpoint("commit-after", async () => {
    await services.inventory.updateRun(request.run, { state: "committing-after" });
    return deps.commitLock(() => commitPublished(services, sealed, head));
  });
}

async function fail(request: RunRequest, deps: RunDependencies, reached: Reached, failure: EdaError): Promise<Outcome> {
  const { services, checkpoint, observer, commitLock } = deps;
  observer.log("error", failure.message);
  const undone = await checkpoint("rollback", async () => {
    if (reached.published === undefined) return undoRun(services, commitLock, request);
    await commitLock(() => restorePlan(services, request));
    return "published";
  });
  if (undone === "published" || undone.published !== null) {
    observer.log("warn", "The results are published; what is left to do is done by: eda recover");
    return { state: "failed", error: afterCommitPending(failure) };
  }
  if (undone.removed > 0) observer.log("info", `Rolled back: ${undone.removed} object version(s) removed.`);
  const state = failure.kind === "cancelled" ? "cancelled" : "failed";
  const { planned } = reached;
  const { commitBefore: before } = undone;
  if (before === null || planned === undefined) return { state, error: failure.toDocument() };
  const commit = await recordFailure(request, deps, planned, before, failure).catch((error: unknown) => {
    observer.log("error", `The failure could not be committed: ${toEdaError(error).message}`);
    return null;
  });
  return { state, error: failure.toDocument(), commitBefore: before, commitAfter: commit };
}

/** A failed run is part of the history too: its manifest says why, the subject says that it failed. */
async function recordFailure(
  request: RunRequest,
  deps: RunDependencies,
  planned: PlannedRun,
  before: string,
  failure: EdaError,
): Promise<string> {
  const { services, checkpoint, commitLock } = deps;
  const { inventory } = services;
  const event = failure.kind === "cancelled" ? "run.cancelled" : "run.failed";
  const { manifest, head } = await checkpoint("record-failure", async () => {
    const record = await inventory.getRun(request.run);
    const failed: Manifest = {
      ...plannedManifest(request, planned, record?.requestedAt ?? ""),
      state: failure.kind === "cancelled" ? "cancelled" : "failed",
      error: { code: failure.code, message: failure.message, ...(failure.todo === undefined ? {} : { todo: failure.todo }) },
    };
    const known = await findAuditEntry(inventory, request.run, event);
    if (known !== undefined) return { manifest: failed, head: { sequence: known.sequence, hash: known.hash } };
    const { project, stage, run, actor } = request;
    const payload = { commitBefore: before, code: failure.code, message: failure.message, manifest: manifestSha256(manifestText(failed)) };
    return {
      manifest: failed,
      head: await inventory.appendAudit({ event, project, stage, run, actor, at: new Date().toISOString(), payload }),
    };
  });
  return checkpoint("commit-failure", () =>
    commitLock(async () => {
      try {
        return await commitAfter(services, manifest, head);
      } catch (error) {
        await restorePlan(services, request);
        throw error;
      }
    }),
  );
}

function refuseFailures(results: Readonly<Record<string, UnitResult>>): void {
  const failures = Object.values(results).flatMap((result) => result.failures ?? []);
  if (failures.length === 0) return;
  throw new EdaError(
    "terminal",
    "files-failed",
    `${failures.length} file(s) failed: ${failures
      .map((failure) => failure.name)
      .slice(0, 5)
      .join(", ")}`,
    {
      todo: "See the findings, correct the files or exclude them, and run again. Nothing was published.",
      findings: failures.map(({ name, message }) => ({ message: `${name}: ${message}` })),
    },
  );
}

/** A unit that was interrupted may have stored objects under other version ids than it will now. */
async function clearFormerAttempt(request: RunRequest, { services }: RunDependencies, results: UnitResults, unit: string): Promise<void> {
  const isFirst = await access(unitFolder(services.workspace, request.run, unit)).then(
    () => false,
    () => true,
  );
  if (isFirst) return;
  await removeRunObjects(
    services,
    request.project,
    request.run,
    Object.values(results).flatMap((result) => result.written),
  );
}

async function contextFor(request: RunRequest, deps: RunDependencies, source: CodeSource, unit: string): Promise<StageContext> {
  const { services, observer, signal } = deps;
  const workDir = unitFolder(services.workspace, request.run, unit);
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
