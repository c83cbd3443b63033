/** Guessing what a person meant. */
import leven from "leven";

/** The known name nearest to what was typed, when it is near enough to be a slip; undefined otherwise. */
export function nearest(typed: string, known: readonly string[]): string | undefined {
  const wanted = typed.toLowerCase();
  const ranked = known.map((name) => ({ name, distance: leven(wanted, name.toLowerCase()) })).sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  if (best === undefined) return undefined;
  const isPrefix = wanted.length >= 3 && best.name.toLowerCase().startsWith(wanted);
  return isPrefix || best.distance <= Math.max(1, Math.floor(best.name.length * 0.4)) ? best.name : undefined;
}
