/** What a move will bring over. */
import { filledTables } from "../../adapters/postgres/transfer.ts";
import type { MovedStore } from "../../protocol/migrate-stores.ts";
import { refuseFilled, refuseUnsettledRuns, verifiedHead } from "./checks.ts";
import { type ObjectSurvey, surveyObjects } from "./copy-objects.ts";
import type { Sides } from "./sides.ts";

const LOGS = "logs";

export interface MovePlan {
  /** Null for a store that stays where it is, or has nothing to move. */
  readonly objects: (MovedStore & ObjectSurvey) | null;
  readonly inventory: MovedStore | null;
  readonly runLog: MovedStore | null;
  /** Tables of the source's database that stay behind. */
  readonly except: readonly string[];
}

/** Looks at everything and changes nothing. @throws EdaError `precondition` when it may not begin, `terminal` `audit-broken` */
export async function planMove({ source, target, targetPool, movesDatabase }: Sides, signal: AbortSignal): Promise<MovePlan> {
  await refuseUnsettledRuns(source.inventory);
  await verifiedHead(source.inventory);
  const [from, to] = [source.descriptions, target.descriptions];
  if (movesDatabase) refuseFilled(await filledTables(targetPool), to.inventory);
  const rows = await filledTables(source.pool);
  const survey = source.objects === undefined ? undefined : await surveyObjects(source.objects, target.plainObjects, signal);
  const lines = source.runLog === undefined ? 0 : (rows[LOGS] ?? 0);
  const except = source.runLog === undefined ? [] : [LOGS];
  const governed = Object.entries(rows).reduce((sum, [table, count]) => (except.includes(table) ? sum : sum + count), 0);
  return {
    objects:
      survey === undefined || survey.versions === 0 ? null : { from: from.objects, to: to.objects, count: survey.versions, ...survey },
    inventory: movesDatabase ? { from: from.inventory, to: to.inventory, count: governed } : null,
    runLog: lines === 0 ? null : { from: from.runLog, to: to.runLog, count: lines },
    except,
  };
}
