/** What was asked, for tests to look at: without tokens, codes and secrets. */
import type { IncomingMessage } from "node:http";
import type { Fault, Operation } from "./faults.ts";

const SECRET_PARAMETERS = ["access_token", "code", "token", "upload_id"];

export interface LoggedRequest {
  readonly operation: Operation;
  readonly method: string;
  readonly path: string;
  /** Decoded; values of secret parameters are `redacted`. */
  readonly query: Readonly<Record<string, string>>;
  readonly authorization: "redacted" | "none";
  readonly range: string | undefined;
  readonly contentRange: string | undefined;
  readonly faults: readonly Fault["kind"][];
  /** Undefined while it is being answered, and for good when the connection was cut before the answer. */
  status: number | undefined;
}

export function logged(request: IncomingMessage, url: URL, operation: Operation, faults: readonly Fault[]): LoggedRequest {
  const query = [...url.searchParams].map(([name, value]) => [name, SECRET_PARAMETERS.includes(name) ? "redacted" : value]);
  return {
    operation,
    method: request.method ?? "",
    path: url.pathname,
    query: Object.fromEntries(query),
    authorization: request.headers.authorization === undefined ? "none" : "redacted",
    range: request.headers.range,
    contentRange: request.headers["content-range"]?.toString(),
    faults: faults.map(({ kind }) => kind),
    status: undefined,
  };
}
