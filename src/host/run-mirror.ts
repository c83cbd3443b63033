/** Keeps a mirror of the runs as the inventory and the board have them. Nothing here fails or delays a run. */
import type { Logger } from "pino";
import { toEdaError } from "../domain/errors.ts";
import type { Inventory } from "../ports/inventory.ts";
import type { RunMirror } from "../ports/run-mirror.ts";
import type { RunBoard } from "./run-board.ts";

const POSITION_INTERVAL_MS = 1_000;
/** What a killed host may not have told any more is told again at the next start. */
const RECENT_RUNS = 100;

export interface RunMirroring {
  /** The inventory itself, whose changes of runs are mirrored too. */
  readonly inventory: Inventory;
  /** Begins to tell where the runs on this board are, and the recent runs once more. */
  start(board: RunBoard): void;
  /** Waits until all that was begun is told. */
  stop(): Promise<void>;
}

export function mirrorRuns(inventory: Inventory, mirror: RunMirror, logger: Logger): RunMirroring {
  let last: Promise<void> = Promise.resolve();
  let isTelling = false;
  let timer: NodeJS.Timeout | undefined;

  /** In order, one after the other: an older state must not replace a newer one. */
  const tell = (work: () => Promise<void>) => {
    last = last.then(work).catch((error: unknown) => logger.warn({ reason: toEdaError(error).message }, "a run could not be mirrored"));
  };
  const tellRun = (run: string) =>
    tell(async () => {
      const record = await inventory.getRun(run);
      if (record !== undefined) await mirror.recordExecutions([record]);
    });
  const tellPositions = (board: RunBoard) => {
    // What the store takes more slowly than it changes is told less often.
    if (isTelling) return;
    isTelling = true;
    for (const run of board.activeRuns()) {
      const now = board.now(run);
      if (now !== undefined) tell(() => mirror.recordPosition({ run, state: now.state, progress: now.progress }));
    }
    void last.then(() => {
      isTelling = false;
    });
  };

  return {
    inventory: {
      ...inventory,
      async recordRequest(record) {
        await inventory.recordRequest(record);
        tellRun(record.run);
      },
      async updateRun(run, change) {
        await inventory.updateRun(run, change);
        tellRun(run);
      },
    },
    start(board) {
      tell(async () => mirror.recordExecutions((await inventory.listRuns({ limit: RECENT_RUNS })).items));
      timer = setInterval(() => tellPositions(board), POSITION_INTERVAL_MS);
    },
    async stop() {
      clearInterval(timer);
      await last;
    },
  };
}
