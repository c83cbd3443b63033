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
    if (error.code === "not-a-repository") return { branch: null, commit: null, governed: [], ungoverned: [], unpushed: null, problem };
  }
  const head = await repository.head().catch(() => undefined);
  const changes = await repository.changes();
  return {
    branch: head?.branch ?? null,
    commit: head?.commit ?? null,
    governed: changes.governed.map((change) => change.path),
    ungoverned: changes.ungoverned,
    unpushed: (await repository.unpushed().catch(() => undefined)) ?? null,
    problem,
  };
}
