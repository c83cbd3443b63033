/** The marks and colours of states, the same in every list. */
import type { Colors } from "picocolors/types";
import type { RunState } from "../../domain/run.ts";
import { toneOf } from "./format.ts";

type Paint = (text: string) => string;

/** The colour of a run state. */
export function statePaint(state: RunState, colours: Colors): Paint {
  const paints = { good: colours.green, bad: colours.red, busy: colours.cyan, quiet: colours.dim };
  return paints[toneOf(state)];
}

/** `✔`, `✖`, `…` or `–`, coloured. */
export function stateMark(state: RunState, colours: Colors): string {
  const marks = { good: "✔", bad: "✖", busy: "…", quiet: "–" };
  return statePaint(state, colours)(marks[toneOf(state)]);
}
