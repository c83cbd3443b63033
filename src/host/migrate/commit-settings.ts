/** The settings that name the new stores are governed: where they are not committed yet, they are now. */
import { storesMovedMessage } from "../../domain/commit.ts";
import { toEdaError } from "../../domain/errors.ts";
import { SETTINGS_FILE } from "../../domain/governed.ts";
import type { Repository } from "../../ports/repository.ts";

export interface SettingsCommit {
  readonly commit: string | null;
  /** Why there is none, although there ought to be one. */
  readonly note: string | undefined;
}

/** Never rejects: the move itself is done, and the next run commits what is left here. @param audit head of the audit chain */
export async function commitSettings(repository: Repository, audit: string): Promise<SettingsCommit> {
  try {
    const { governed } = await repository.changes();
    if (!governed.some(({ path }) => path === SETTINGS_FILE)) return { commit: null, note: undefined };
    await repository.preflight();
    await repository.scan([SETTINGS_FILE]);
    return { commit: await repository.commit([SETTINGS_FILE], storesMovedMessage(audit)), note: undefined };
  } catch (error) {
    const { message } = toEdaError(error);
    return { commit: null, note: `${SETTINGS_FILE} was not committed: ${message} The next run commits it.` };
  }
}
