/** The host's own log: JSON lines, rotated, never a secret. */
import { mkdirSync } from "node:fs";
import { basename, dirname } from "node:path";
import pino, { type Logger } from "pino";
import { createStream } from "rotating-file-stream";

export interface HostLog {
  readonly logger: Logger;
  /** Writes what is buffered, then closes the file. */
  close(): Promise<void>;
}

/** Rotates at 5 MB and keeps five compressed files beside the current one. */
export function openHostLog(file: string): HostLog {
  mkdirSync(dirname(file), { recursive: true });
  const stream = createStream(basename(file), { path: dirname(file), size: "5M", maxFiles: 5, compress: "gzip" });
  const logger = pino(
    { level: process.env.EDA_LOG_LEVEL ?? "info", base: { pid: process.pid }, redact: ["*.password", "*.token", "*.url"] },
    stream,
  );
  return { logger, close: () => new Promise((resolve) => stream.end(resolve)) };
}
