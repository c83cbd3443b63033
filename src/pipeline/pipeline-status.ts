/** Projects and their seven stages as a person sees them: last run, active run, up to date or not. */
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { EdaError, type Finding, toEdaError } from "../domain/errors.ts";
import { isProjectName } from "../domain/names.ts";
import type { ProjectFile } from "../domain/project.ts";
import { isTerminal, type RunRecord } from "../domain/run.ts";
import { STAGES, type StageId } from "../domain/stage.ts";
import { workTreeSource } from "./code-source.ts";
import { isUnchanged, readProject } from "./plan-run.ts";
import { scratchFolder } from "./scratch.ts";
import type { Services, StageContext, StageDefinition } from "./stage-definition.ts";

export interface StageView {
  readonly stage: StageId;
  readonly lastRun: RunRecord | null;
  readonly activeRun: RunRecord | null;
  readonly freshness: "never" | "fresh" | "stale" | "invalid" | "unknown";
  readonly reason: string | null;
}

export interface ProjectView {
  readonly project: string;
  readonly title: string | null;
  readonly problems: readonly Finding[];
  readonly stages: readonly StageView[];
}

export interface StatusOptions {
  /** Absent: all projects. */
  readonly project?: string;
  /** Also whether each stage is up to date. It is planned for that, which takes its time over many files or a busy engine. */
  readonly freshness: boolean;
  readonly signal: AbortSignal;
}

export async function pipelineStatus(
  services: Services,
  stages: Readonly<Record<StageId, StageDefinition>>,
  options: StatusOptions,
): Promise<ProjectView[]> {
  const names = options.project === undefined ? await projectNames(services.workspace) : [options.project];
  return Promise.all(names.map((name) => projectView(services, stages, name, options)));
}

export async function projectNames(workspace: string): Promise<string[]> {
  const files = await readdir(join(workspace, "configs", "projects")).catch(() => []);
  return files
    .filter((file) => file.endsWith(".yaml"))
    .map((file) => file.slice(0, -".yaml".length))
    .filter(isProjectName)
    .sort();
}

async function projectView(
  services: Services,
  stages: Readonly<Record<StageId, StageDefinition>>,
  project: string,
  options: StatusOptions,
): Promise<ProjectView> {
  let file: ProjectFile | undefined;
  let problems: readonly Finding[] = [];
  try {
    file = await readProject(project, workTreeSource(services.workspace));
  } catch (error) {
    const failure = toEdaError(error);
    problems = failure.findings ?? [{ message: failure.message, ...(failure.at === undefined ? {} : { at: failure.at }) }];
  }
  const views = await Promise.all(STAGES.map(({ id }) => stageView(services, stages[id], project, file, options)));
  return { project, title: file?.title ?? null, problems, stages: views };
}

async function stageView(
  services: Services,
  stage: StageDefinition,
  project: string,
  file: ProjectFile | undefined,
  { freshness, signal }: StatusOptions,
): Promise<StageView> {
  const recent = (await services.inventory.listRuns({ project, stage: stage.id, limit: 10 })).items;
  const view = {
    stage: stage.id,
    lastRun: recent.find((run) => isTerminal(run.state)) ?? null,
    activeRun: recent.find((run) => !isTerminal(run.state)) ?? null,
  };
  if (file === undefined) return { ...view, freshness: "invalid", reason: "The project file is not valid." };
  const success = await services.inventory.lastSuccess(project, stage.id);
  if (success === undefined) return { ...view, freshness: "never", reason: null };
  if (!freshness) return { ...view, freshness: "unknown", reason: null };
  // Listing Drive costs requests and quota: whether it changed is found by running capture, not by looking.
  if (stage.id === "capture") return { ...view, freshness: "fresh", reason: null };
  const reason = await staleness(services, stage, file, success, signal);
  return { ...view, freshness: reason === null ? "fresh" : "stale", reason };
}

/** Plans without running: null when a run would have nothing to do. */
async function staleness(
  services: Services,
  stage: StageDefinition,
  file: ProjectFile,
  success: RunRecord,
  signal: AbortSignal,
): Promise<string | null> {
  const workDir = await scratchFolder(services.workspace, "status");
  try {
    const context: StageContext = {
      services,
      request: { run: "", project: file.project, stage: stage.id, force: false, actor: "" },
      project: file,
      signal,
      log: () => undefined,
      progress: () => undefined,
      ...workTreeSource(services.workspace),
      workDir,
    };
    const plan = await stage.plan(context);
    if (isUnchanged(stage, plan, success)) return null;
    if (plan.nothingToDo === false) return `${plan.inputs.length} new or changed file(s)`;
    return "Inputs or code changed since the last run.";
  } catch (error) {
    const failure = toEdaError(error);
    if (failure instanceof EdaError && failure.kind === "unavailable") throw failure;
    return failure.message;
  } finally {
    await rm(workDir, { recursive: true, force: true });
  }
}
