/** Answers and errors in the shapes of Vertex AI (google.rpc.Status in `error`) and of Cloud Storage (`error.errors`). */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: Buffer | string;
}

export function json(value: unknown, status = 200): Answer {
  return { status, headers: { "content-type": "application/json; charset=UTF-8" }, body: JSON.stringify(value) };
}

export const RPC_STATUS = {
  INVALID_ARGUMENT: 400,
  FAILED_PRECONDITION: 400,
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  NOT_FOUND: 404,
  ALREADY_EXISTS: 409,
  RESOURCE_EXHAUSTED: 429,
  INTERNAL: 500,
  UNIMPLEMENTED: 501,
  UNAVAILABLE: 503,
} as const;

export type RpcCode = keyof typeof RPC_STATUS;

/** What the fake refuses, of either service. */
export class Refusal extends Error {
  readonly answer: Answer;

  constructor(answer: Answer) {
    super(String(answer.body));
    this.answer = answer;
  }
}

export function rpcError(status: RpcCode, message: string, details?: readonly object[]): Answer {
  const code = RPC_STATUS[status];
  return json({ error: { code, message, status, ...(details === undefined ? {} : { details }) } }, code);
}

export function storageError(code: number, reason: string, message: string): Answer {
  return json({ error: { code, message, errors: [{ message, domain: "global", reason }] } }, code);
}
