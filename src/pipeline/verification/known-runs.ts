/** The runs a verification is about: those that had ended when it began. Others are at work and change what is being read. */
import { isTerminal, type RunRecord } from "../../domain/run.ts";
import type { Inventory } from "../../ports/inventory.ts";

const PAGE = 1000;

export interface KnownRuns {
  readonly ended: ReadonlyMap<string, RunRecord>;
  /** At work when the verification began, or begun since: left out. False for a run that nobody recorded. */
  isUnsettled(run: string): Promise<boolean>;
}

export async function knownRuns(inventory: Inventory, isActive: (run: string) => boolean): Promise<KnownRuns> {
  const ended = new Map<string, RunRecord>();
  let cursor: string | undefined;
  do {
    const page = await inventory.listRuns({ limit: PAGE, ...(cursor === undefined ? {} : { cursor }) });
    for (const record of page.items) if (isTerminal(record.state) && !isActive(record.run)) ended.set(record.run, record);
    cursor = page.cursor;
  } while (cursor !== undefined);
  const asked = new Map<string, boolean>();
  return {
    ended,
    async isUnsettled(run) {
      if (ended.has(run)) return false;
      const known = asked.get(run) ?? (await inventory.getRun(run)) !== undefined;
      asked.set(run, known);
      return known;
    },
  };
}
