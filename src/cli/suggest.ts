import leven from "leven";
import { EdaError } from "../domain/errors.ts";
import { printable } from "../domain/names.ts";

/** The known name nearest to what was typed, when it is near enough to be a slip; undefined otherwise. */
export function nearest(typed: string, known: readonly string[]): string | undefined {
  const ranked = known.map((name) => ({ name, distance: leven(typed.toLowerCase(), name) })).sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  if (best === undefined) return undefined;
  const isPrefix = typed.length >= 3 && best.name.startsWith(typed.toLowerCase());
  return isPrefix || best.distance <= Math.max(1, Math.floor(best.name.length * 0.4)) ? best.name : undefined;
}

/** The error for a name that is not one of a closed list. */
export function unknownName(kind: string, typed: string, known: readonly string[]): EdaError {
  const near = nearest(typed, known);
  return new EdaError("usage", `unknown-${kind}`, `unknown ${kind} '${printable(typed)}'`, {
    todo: `${near === undefined ? "" : `Did you mean ${near}? `}Known: ${known.join(", ")}.`,
  });
}
