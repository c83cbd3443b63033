import { EdaError } from "../domain/errors.ts";
import type { Repository } from "../ports/repository.ts";
import type { GitStatus } from "../protocol/messages.ts";

/** What the status bar shows: changes not yet governed, and why a run would be refused. Never throws for a broken repository. */
export async function repositoryStatus(repository: Repository): Promise<GitStatus> {
  let problem: GitStatus["problem"] = null;
  try {
    await repository.preflight();
  } catch (error) {
    if (!(error instanceof EdaError)) throw error;
    problem = { code: error.code, message: error.message, todo: error.todo ?? null };
  }
  const head = await repository.head().catch(() => undefined);
  const changes = await repository.changes().catch((error: unknown) => {
    // Where Git itself cannot be asked the problem says so already.
    if (problem === null || !(error instanceof EdaError)) throw error;
    return { governed: [], ungoverned: [] };
  });
  return {
    branch: head?.branch ?? null,
    commit: head?.commit ?? null,
    governed: changes.governed.map((change) => change.path),
    ungoverned: changes.ungoverned,
    unpushed: (await repository.unpushed().catch(() => undefined)) ?? null,
    problem,
  };
}
