/** The commits of a run: before it, after it, and the record of a failure. Each is made once, however often it is tried. */
import { mkdir, rm, rmdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { AuditHead } from "../domain/audit.ts";
import { formatAuditHead } from "../domain/audit.ts";
import { type CommitTrailers, commitMessage, subjectAfter, subjectBefore, subjectCancelled, subjectFailed } from "../domain/commit.ts";
import { type Manifest, MANIFESTS_FOLDER, manifestPath, manifestSha256, manifestText } from "../domain/manifest.ts";
import type { RunRequest } from "../domain/run.ts";
import { workTreeSource } from "./code-source.ts";
import { assertPlannedCode } from "./plan-run.ts";
import type { Services } from "./stage-definition.ts";

/**
 * Commits governed changes and the plan.
 * @returns the commit's hash
 * @throws EdaError `terminal` `code-changed` when a file is no longer what was planned
 */
export async function commitBefore(services: Services, manifest: Manifest): Promise<string> {
  const { repository, workspace } = services;
  const made = await repository.findCommit(manifest.run, "antes");
  if (made !== undefined) return made;
  await repository.preflight();
  await assertPlannedCode(manifest.code, workTreeSource(workspace));
  const path = manifestPath(manifest.project, manifest.stage, manifest.run);
  const changed = (await repository.changes()).governed.map((change) => change.path);
  await repository.scan(changed);
  await writeManifest(workspace, path, manifestText(manifest));
  const paths = [...new Set([...changed, path])].sort();
  return repository.commit(paths, commitMessage(subjectBefore(manifest.stage, manifest.project), trailersOf(manifest, "antes")));
}

/**
 * Puts the run's manifest in the work tree back to what Git has of it: the plan once it is committed, nothing before. What could not be
 * committed thus leaves no change behind.
 */
export async function restorePlan(services: Services, { project, stage, run }: RunRequest): Promise<void> {
  const { repository, workspace } = services;
  const path = manifestPath(project, stage, run);
  const commit = await newestCommit(repository, run);
  // A repository that cannot be read (deleted, corrupt) is left as it is.
  if (commit === null) return;
  const committed = commit === undefined ? undefined : await repository.readAt(commit, path);
  if (committed === undefined) await removeManifest(workspace, path);
  else await writeManifest(workspace, path, committed);
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

async function newestCommit(repository: Services["repository"], run: string): Promise<string | undefined | null> {
  try {
    return (await repository.findCommit(run, "depois")) ?? (await repository.findCommit(run, "antes"));
  } catch {
    return null;
  }
}

function subjectOf({ state, stage, project }: Manifest): string {
  if (state === "failed") return subjectFailed(stage, project);
  if (state === "cancelled") return subjectCancelled(stage, project);
  return subjectAfter(stage);
}

function trailersOf({ project, stage, run }: Manifest, moment: CommitTrailers["moment"]): CommitTrailers {
  return { project, stage, run, moment };
}

/** Folders that it leaves empty go with it, so that a run that never was leaves nothing. */
async function removeManifest(workspace: string, path: string): Promise<void> {
  await rm(join(workspace, path), { force: true });
  for (let folder = dirname(path); folder !== MANIFESTS_FOLDER; folder = dirname(folder)) {
    const isRemoved = await rmdir(join(workspace, folder)).then(
      () => true,
      () => false,
    );
    if (!isRemoved) return;
  }
}

async function writeManifest(workspace: string, path: string, text: string | Uint8Array): Promise<void> {
  const file = join(workspace, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text, { flush: true });
}
