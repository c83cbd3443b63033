/** What the operator of the host should know of the log's store; never a secret, never a log line. */
export interface RunLogNotice {
  readonly level: "info" | "warn" | "error";
  /** Stable, kebab-case. */
  readonly code: string;
  readonly message: string;
}

export type OnNotice = (notice: RunLogNotice) => void;
