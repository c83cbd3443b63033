/** The commits of a run: before it, after it, and the record of a failure. Each is made once, however often it is tried. */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { AuditHead } from "../domain/audit.ts";
import { formatAuditHead } from "../domain/audit.ts";
import {
  type CommitTrailers,
  commitMessage,
  subjectAfter,
  subjectBefore,
  subjectCancelled,
  subjectFailed,
} from "../domain/commit.ts";
import { type Manifest, manifestPath, manifestSha256, manifestText } from "../domain/manifest.ts";
import type { RunRequest } from "../domain/run.ts";
import type { Services } from "./stage-definition.ts";

/** Commits governed changes and the plan. @returns the commit's hash */
export async function commitBefore(services: Services, manifest: Manifest): Promise<string> {
  const { repository, workspace } = services;
  const made = await repository.findCommit(manifest.run, "antes");
  if (made !== undefined) return made;
  await repository.preflight();
  const path = manifestPath(manifest.project, manifest.stage, manifest.run);
  const changed = (await repository.changes()).governed.map((change) => change.path);
  await repository.scan(changed);
  await writeManifest(workspace, path, manifestText(manifest));
  const paths = [...new Set([...changed, path])].sort();
  return repository.commit(paths, commitMessage(subjectBefore(manifest.stage, manifest.project), trailersOf(manifest, "antes")));
}

/** Takes back a plan that never got its commit. */
export async function discardPlan(services: Services, request: RunRequest): Promise<void> {
  if ((await services.repository.findCommit(request.run, "antes")) !== undefined) return;
  await rm(join(services.workspace, manifestPath(request.project, request.stage, request.run)), { force: true });
}

/** Commits the final manifest, and nothing else. @returns the commit's hash */
export async function commitAfter(services: Services, manifest: Manifest, audit: AuditHead): Promise<string> {
  const { repository, workspace } = services;
  const made = await repository.findCommit(manifest.run, "depois");
  if (made !== undefined) return made;
  await repository.preflight();
  const path = manifestPath(manifest.project, manifest.stage, manifest.run);
  const text = manifestText(manifest);
  await writeManifest(workspace, path, text);
  const accelerator = manifest.details.accelerator;
  const trailers: CommitTrailers = {
    ...trailersOf(manifest, "depois"),
    inputs: `${manifest.totals.inputs} (${manifest.totals.inputBytes} bytes)`,
    outputs: `${manifest.totals.outputs} (${manifest.totals.outputBytes} bytes) sha256:${manifestSha256(text)}`,
    audit: formatAuditHead(audit),
    ...(manifest.stage === "modeling" && typeof accelerator === "string" ? { accelerator } : {}),
  };
  return repository.commit([path], commitMessage(subjectOf(manifest), trailers));
}

function subjectOf({ state, stage, project }: Manifest): string {
  if (state === "failed") return subjectFailed(stage, project);
  if (state === "cancelled") return subjectCancelled(stage, project);
  return subjectAfter(stage);
}

function trailersOf({ project, stage, run }: Manifest, moment: CommitTrailers["moment"]): CommitTrailers {
  return { project, stage, run, moment };
}

async function writeManifest(workspace: string, path: string, text: string): Promise<void> {
  const file = join(workspace, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text, { flush: true });
}
