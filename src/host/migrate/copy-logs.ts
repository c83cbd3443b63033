/** The logs of all runs, from one run log to another. */
import type { MongoRunLog } from "../../adapters/mongodb/run-log.ts";
import { EdaError, throwIfAborted } from "../../domain/errors.ts";
import type { RunRecord } from "../../domain/run.ts";
import type { Inventory } from "../../ports/inventory.ts";
import type { RunLog } from "../../ports/run-log.ts";

const RUNS = 200;
const LINES = 1_000;

export interface CopyLogsOptions {
  readonly inventory: Inventory;
  readonly source: RunLog;
  readonly target: RunLog;
  /** Of the target: what it could not deliver waits on this machine alone, and does not count as moved. */
  readonly condition: MongoRunLog["condition"];
  readonly signal: AbortSignal;
}

/**
 * Idempotent: a line is known by its run and number.
 * @throws EdaError `unavailable` while the target is away, `terminal` `copy-differs`
 */
export async function copyLogs(options: CopyLogsOptions): Promise<void> {
  for await (const { run } of allRuns(options.inventory)) {
    throwIfAborted(options.signal);
    await copyRun(options, run);
  }
}

async function copyRun({ source, target, condition }: CopyLogsOptions, run: string): Promise<void> {
  for (let after = 0; ; ) {
    const lines = await source.read(run, after, LINES);
    if (lines.length === 0) return;
    await target.append(lines);
    assertDelivered(condition);
    const there = await target.read(run, after, LINES);
    if (lines.map(({ sequence }) => sequence).join() !== there.map(({ sequence }) => sequence).join()) {
      throw new EdaError("terminal", "copy-differs", `The log of run ${run} did not come out as it was.`, {
        todo: "See whether something else writes into that collection, then run eda migrate-stores again.",
      });
    }
    after = lines.at(-1)?.sequence ?? after;
  }
}

function assertDelivered(condition: MongoRunLog["condition"]): void {
  const { failure, waitingBytes } = condition();
  if (failure !== undefined) throw failure;
  if (waitingBytes > 0)
    throw new EdaError("unavailable", "log-away", "The run log does not take what it is given.", { todo: "Run it again." });
}

export async function* allRuns(inventory: Inventory): AsyncGenerator<RunRecord, void, undefined> {
  let cursor: string | undefined;
  do {
    const page = await inventory.listRuns({ limit: RUNS, ...(cursor === undefined ? {} : { cursor }) });
    yield* page.items;
    cursor = page.cursor;
  } while (cursor !== undefined);
}
