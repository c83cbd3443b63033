/** Why a host could not start: written by the process that ends of it, read by the client that started it. */
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type EdaError, type ErrorDocument, errorFromDocument } from "../domain/errors.ts";
import type { Endpoint } from "./endpoint.ts";

interface StartFailure {
  readonly pid: number;
  readonly error: ErrorDocument;
}

function failureFile({ logFile }: Endpoint): string {
  return join(dirname(logFile), "host.start-failure.json");
}

export function writeStartFailure(endpoint: Endpoint, error: EdaError): void {
  const failure: StartFailure = { pid: process.pid, error: error.toDocument() };
  writeFileSync(failureFile(endpoint), JSON.stringify(failure), { mode: 0o600 });
}

/** Undefined when the process ended without a word. */
export function readStartFailure(endpoint: Endpoint, pid: number | undefined): EdaError | undefined {
  try {
    const failure = JSON.parse(readFileSync(failureFile(endpoint), "utf8")) as StartFailure;
    return failure.pid === pid ? errorFromDocument(failure.error) : undefined;
  } catch {
    return undefined;
  }
}
