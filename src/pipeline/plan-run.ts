/** The first phase of a run: may it start, what would it read, and has anything changed since the last success? */
import { createHash } from "node:crypto";
import { EdaError } from "../domain/errors.ts";
import { projectFilePath, SETTINGS_FILE } from "../domain/governed.ts";
import { parseProjectFile } from "../domain/config-file.ts";
import { canonicalJson, canonicalItems, sha256Hex } from "../domain/json.ts";
import type { CodeFile } from "../domain/manifest.ts";
import type { ProjectFile } from "../domain/project.ts";
import type { RunRecord } from "../domain/run.ts";
import type { CodeSource } from "./code-source.ts";
import type { StageContext, StageDefinition, StagePlan } from "./stage-definition.ts";

export interface PlannedRun {
  readonly kind: "planned";
  readonly plan: StagePlan;
  /** The plan's code files, the project file among them. */
  readonly code: readonly CodeFile[];
  readonly fingerprint: string;
}

export interface UnchangedRun {
  readonly kind: "unchanged";
  readonly fingerprint: string;
  /** The run whose results still hold. */
  readonly since: string;
}

/** @throws EdaError `precondition` `unknown-project` or `invalid-config` */
export async function readProject(project: string, source: CodeSource): Promise<ProjectFile> {
  const path = projectFilePath(project);
  const text = await source.readCode(path).catch((error: unknown) => {
    if (!(error instanceof EdaError) || error.code !== "missing-file") throw error;
    throw new EdaError("precondition", "unknown-project", `There is no project "${project}": ${path} does not exist.`, {
      todo: `Create it with: eda init --project ${project}`,
      at: { file: path },
    });
  });
  return parseProjectFile(project, text);
}

/** Plans without side effects on anything governed. */
export async function planRun(stage: StageDefinition, context: StageContext): Promise<PlannedRun | UnchangedRun> {
  const plan = await stage.plan(context);
  const { project, force } = context.request;
  const projectFile = projectFilePath(project);
  const code = [...plan.code, { path: projectFile, sha256: sha256Hex(await context.readCode(projectFile)) }];
  const fingerprint = fingerprintOf(stage, plan);
  const last = await context.services.inventory.lastSuccess(project, stage.id);
  if (isUnchanged(stage, plan, last) && !force) return { kind: "unchanged", fingerprint, since: last?.run ?? "" };
  return { kind: "planned", plan, code, fingerprint };
}

/** A stage that looks file by file knows better than its fingerprint, which only covers the files that it would read. */
export function isUnchanged(stage: StageDefinition, plan: StagePlan, last: RunRecord | undefined): boolean {
  return plan.nothingToDo ?? (last !== undefined && last.fingerprint === fingerprintOf(stage, plan));
}

/**
 * Equal fingerprints mean equal results: content of inputs, code, and the part of the project file the stage depends on. Versions and
 * times are left out, so that what came out unchanged upstream leaves this stage up to date. It is the SHA-256 of an RFC 8785 form, which
 * over many inputs is never one text.
 */
function fingerprintOf(stage: StageDefinition, plan: StagePlan): string {
  const inputs = plan.inputs.map(({ name, sha256, uri }) => ({ name, content: sha256 ?? uri })).sort((a, b) => (a.name < b.name ? -1 : 1));
  const code = plan.code.map(({ path, sha256 }) => ({ path, sha256 })).sort((a, b) => (a.path < b.path ? -1 : 1));
  const hash = createHash("sha256").update(`{"code":${canonicalJson(code)},"config":${canonicalJson(plan.config)},"inputs":[`);
  for (const item of canonicalItems(inputs)) hash.update(item);
  return hash.update(`],"stage":${canonicalJson(stage.id)}}`).digest("hex");
}

/**
 * What is committed before the run, and then executed, must be the very code that was planned.
 * @throws EdaError `terminal` `code-changed` when somebody saved a file in between
 */
export async function assertPlannedCode(code: readonly CodeFile[], source: CodeSource): Promise<void> {
  const files = code.filter(({ path }) => path !== SETTINGS_FILE);
  const texts = await Promise.all(files.map(({ path }) => source.readCode(path)));
  for (const [index, { path, sha256 }] of files.entries()) {
    if (sha256Hex(texts[index] as string) !== sha256) {
      throw new EdaError("terminal", "code-changed", `${path} changed between planning and the commit before the run.`, {
        todo: "Run again: the new content is then planned and committed.",
        at: { file: path },
      });
    }
  }
}
