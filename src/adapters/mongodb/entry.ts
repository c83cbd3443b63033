/** What is written, as it crosses the spool: one JSON document a line. */
import type { LogLine, RunRecord } from "../../domain/run.ts";

export type Entry = { readonly line: LogLine } | { readonly execution: RunRecord };

export function runOf(entry: Entry): string {
  return "line" in entry ? entry.line.run : entry.execution.run;
}

/** Undefined for what no spool has written: a disk that lies, a person with an editor. */
export function parseEntry(text: string): Entry | undefined {
  try {
    const value = JSON.parse(text) as Partial<Record<"line" | "execution", Record<string, unknown>>> | null;
    const isEntry = typeof (value?.line ?? value?.execution)?.["run"] === "string";
    return isEntry ? (value as unknown as Entry) : undefined;
  } catch {
    return undefined;
  }
}
