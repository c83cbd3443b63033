/** Which contents the units of a run have stored so far. */
import type { RawRow } from "./raw-rows.ts";
import type { UnitResults } from "./stage-definition.ts";

interface Index {
  readonly units: Set<string>;
  readonly rows: Map<string, RawRow>;
}

/** Results of one run are one object, which grows by each unit: the rows of a unit are gone through once, however many units come after it. */
const indexes = new WeakMap<UnitResults, Index>();

/** @returns a row of each content, by sha256 */
export function rowsByContent(results: UnitResults): ReadonlyMap<string, RawRow> {
  const index = indexes.get(results) ?? { units: new Set(), rows: new Map() };
  indexes.set(results, index);
  for (const [unit, result] of Object.entries(results)) {
    if (index.units.has(unit)) continue;
    index.units.add(unit);
    for (const row of result.rows) index.rows.set(row.sha256, row);
  }
  return index.rows;
}
