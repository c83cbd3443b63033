/** DuckDB's failures as ours: it tells them apart only by the beginning of a message. */
import { EdaError, type SourceLocation } from "../../domain/errors.ts";

/** The first paragraph of what DuckDB says, without the kind in front: the rest repeats the options or draws the statement. */
export function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return (message.split(/\n\s*\n|\nPossible fixes|\nPossible solutions/u)[0] as string).replace(/^[A-Z][A-Za-z ]* Error: /u, "").trim();
}

/** Failures that any statement can meet; everything else is returned as it is, for the caller to place. */
export function translateFailure(error: unknown, memoryLimitMiB: number): unknown {
  if (error instanceof EdaError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (message.startsWith("INTERRUPT Error")) return new EdaError("cancelled", "cancelled", "The run was cancelled.", { cause: error });
  if (/No space left on device|Disk quota exceeded|max_temp_directory_size|File too large/u.test(message)) {
    return new EdaError("terminal", "disk-full", "The disk is full: a table could not be written.", {
      todo: "Free space where the workspace lies and run again.",
      cause: error,
    });
  }
  if (/^(Out of Memory Error|TransactionContext Error: .*Out of Memory)/u.test(message) || message.includes("failed to allocate data")) {
    return new EdaError("terminal", "out-of-memory", `The table needs more memory than the limit of ${memoryLimitMiB} MiB.`, {
      todo: "Raise engine.memoryLimitMiB in configs/eda.yaml, or make the query smaller.",
      cause: error,
    });
  }
  return error;
}

/** A statement of the user's file that DuckDB refuses, at the line and column it points at. */
export function sqlError(error: unknown, path: string): unknown {
  if (error instanceof EdaError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new EdaError("terminal", "sql-error", `${path}: ${reasonOf(error)}`, {
    todo: "Correct the query and run again.",
    at: pointedAt(message, path),
    cause: error,
  });
}

/** DuckDB draws the line it means, shortened to a window, and a caret under the place; a shortened line has no certain column. */
function pointedAt(message: string, path: string): SourceLocation {
  const drawn = /^(LINE (\d+): )(.*)\n( *)\^/mu.exec(message);
  if (drawn === null) return { file: path };
  const [, prefix, line, text, indent] = drawn as unknown as [string, string, string, string, string];
  const at = { file: path, line: Number(line) };
  return text.startsWith("...") ? at : { ...at, column: indent.length - prefix.length + 1 };
}
