import { EdaError } from "../domain/errors.ts";
import { printable } from "../domain/printable.ts";
import { nearest } from "../domain/nearest.ts";

/** The error for a name that is not one of a closed list. */
export function unknownName(kind: string, typed: string, known: readonly string[]): EdaError {
  const near = nearest(typed, known);
  return new EdaError("usage", `unknown-${kind}`, `unknown ${kind} '${printable(typed)}'`, {
    todo: `${near === undefined ? "" : `Did you mean ${near}? `}Known: ${known.join(", ")}.`,
  });
}
