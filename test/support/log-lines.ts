import type { LogLine } from "../../src/domain/run.ts";

/** Lines `from` to `to` of a run. */
export function linesOf(run: string, from: number, to: number, message = "linha"): LogLine[] {
  return Array.from({ length: to - from + 1 }, (_, index) => ({
    run,
    sequence: from + index,
    at: "2026-11-24T12:00:00.000Z",
    level: "info",
    message: `${message} ${from + index}`,
  }));
}

export function sequencesOf(lines: readonly { readonly sequence: number }[]): number[] {
  return lines.map(({ sequence }) => sequence);
}
