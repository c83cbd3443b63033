/**
 * Every failure a person can meet is an {@link EdaError}: it says what happened, where, and what to do.
 * The kind decides the exit code of the command line and whether a retry can help.
 */
export type ErrorKind =
  /** The request itself is wrong (unknown stage, bad flag). Exit code 2. */
  | "usage"
  /** The workspace is not in a state to run: no repository, merge in progress, invalid project file. Exit code 3. */
  | "precondition"
  /** The work failed for good: bad data, failing notebook, tampered object. Exit code 1. */
  | "terminal"
  /** A retry may succeed: connection reset, file changed while read. Exit code 1 once retries are used up. */
  | "transient"
  /** A service cannot be reached. Exit code 4. */
  | "unavailable"
  /** The person stopped it. Exit code 130. */
  | "cancelled";

/** Exit codes of the command line (contract). */
export const EXIT_CODES: Readonly<Record<ErrorKind, number>> = {
  usage: 2,
  precondition: 3,
  terminal: 1,
  transient: 1,
  unavailable: 4,
  cancelled: 130,
};

/** Where a mistake is: a governed file and, when known, line and column (both 1-based). */
export interface SourceLocation {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
}

export interface ErrorDetails {
  /** What the person should do next, as an imperative sentence. */
  readonly todo?: string;
  readonly at?: SourceLocation;
  readonly cause?: unknown;
  /** Further findings of the same kind (several bad files, several invalid fields). */
  readonly findings?: readonly Finding[];
}

/** One finding among several: a file that could not be read, a field that is invalid. */
export interface Finding {
  readonly message: string;
  readonly at?: SourceLocation;
}

/** The JSON shape of an error, as it crosses the socket, the run log and `--json`. */
export interface ErrorDocument {
  readonly kind: ErrorKind;
  readonly code: string;
  readonly message: string;
  readonly todo?: string;
  readonly at?: SourceLocation;
  readonly findings?: readonly Finding[];
}

/** @param code stable, kebab-case, searchable: `not-a-repository`, `missing-column`. */
export class EdaError extends Error {
  override readonly name = "EdaError";
  readonly kind: ErrorKind;
  readonly code: string;
  readonly todo: string | undefined;
  readonly at: SourceLocation | undefined;
  readonly findings: readonly Finding[] | undefined;

  constructor(kind: ErrorKind, code: string, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.kind = kind;
    this.code = code;
    this.todo = details.todo;
    this.at = details.at;
    this.findings = details.findings;
  }

  toDocument(): ErrorDocument {
    return {
      kind: this.kind,
      code: this.code,
      message: this.message,
      ...(this.todo === undefined ? {} : { todo: this.todo }),
      ...(this.at === undefined ? {} : { at: this.at }),
      ...(this.findings === undefined ? {} : { findings: this.findings }),
    };
  }
}

/** Rebuilds the error that {@link EdaError.toDocument} wrote. */
export function errorFromDocument(document: ErrorDocument): EdaError {
  return new EdaError(document.kind, document.code, document.message, {
    ...(document.todo === undefined ? {} : { todo: document.todo }),
    ...(document.at === undefined ? {} : { at: document.at }),
    ...(document.findings === undefined ? {} : { findings: document.findings }),
  });
}

/** Any thrown value as an {@link EdaError}; what is not one already is an unexpected, terminal error. */
export function toEdaError(error: unknown): EdaError {
  if (error instanceof EdaError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof Error && error.name === "AbortError") {
    return new EdaError("cancelled", "cancelled", "The run was cancelled.", { cause: error });
  }
  return new EdaError("terminal", systemErrorCode(error) ?? "unexpected", message, { cause: error });
}

function systemErrorCode(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return error.code === "ENOSPC" || error.code === "EDQUOT" ? "disk-full" : undefined;
}

/** `file:line:column`, as editors and terminals make clickable. */
export function formatLocation(at: SourceLocation): string {
  return [at.file, at.line, at.column].filter((part) => part !== undefined).join(":");
}

/** @throws EdaError of kind `cancelled` when the signal has fired. */
export function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw new EdaError("cancelled", "cancelled", "The run was cancelled.");
}
