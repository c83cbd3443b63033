/** Requests to Google Cloud: retried as Google asks for, their answers checked, and without anything secret in what they throw. */
import type { Readable } from "node:stream";
import { json } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import type { z } from "zod";
import { EdaError, throwIfAborted } from "../../domain/errors.ts";
import { refusal } from "./cloud-failures.ts";

export interface CloudRequest {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
  readonly signal: AbortSignal;
}

export interface CloudAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Readable;
}

/**
 * One try of a request in the name of whoever eda is signed in as: an answer of any status.
 * @throws EdaError `precondition` `cloud-signed-out` or `cloud-untrusted`; {@link CloudUnreachable}
 */
export type SendToCloud = (request: CloudRequest) => Promise<CloudAnswer>;

/** The network, without what was sent over it. */
export class CloudUnreachable extends Error {
  override readonly name = "CloudUnreachable";
}

export interface CloudRetries {
  /** Of one request, the first try included. */
  readonly attempts: number;
  /** Wait before the second try, milliseconds; doubled each time. */
  readonly baseMs: number;
  readonly capMs: number;
}

/** https://cloud.google.com/storage/docs/retry-strategy */
export const CLOUD_RETRIES: CloudRetries = { attempts: 7, baseMs: 1_000, capMs: 32_000 };

export interface CloudCall extends CloudRequest {
  /** What it is about, for errors: `the bucket modelos`. */
  readonly subject: string;
  /** Statuses of 300 and over that the caller knows the meaning of. */
  readonly accept?: readonly number[];
}

export interface Cloud {
  /** The body must be read or dropped. @throws EdaError see {@link refusal}; `unavailable` `cloud-away`; `cancelled` */
  send(call: CloudCall): Promise<CloudAnswer>;
  /** The answer's document; undefined for an accepted status. @throws EdaError as {@link send}; `terminal` `cloud-answer-unknown` */
  ask<T>(call: CloudCall, schema: z.ZodType<T>): Promise<T | undefined>;
}

export function openCloud(send: SendToCloud, retries: CloudRetries = CLOUD_RETRIES): Cloud {
  async function retried({ subject, accept = [], ...request }: CloudCall): Promise<CloudAnswer> {
    for (let attempt = 1; ; attempt += 1) {
      throwIfAborted(request.signal);
      const outcome = await tried(send, request);
      if (!(outcome instanceof CloudUnreachable) && (outcome.status < 300 || accept.includes(outcome.status))) return outcome;
      const failure =
        outcome instanceof CloudUnreachable ? away(outcome) : refusal(outcome.status, await documentOf(outcome.body), subject);
      // A quota that is used up answers 429 too, and is no matter of seconds.
      if (!["transient", "unavailable"].includes(failure.kind) || attempt >= retries.attempts) throw failure;
      const asked = outcome instanceof CloudUnreachable ? 0 : Number(outcome.headers.get("retry-after") ?? 0) * 1_000;
      const backoff = retries.baseMs * (2 ** (attempt - 1) + Math.random());
      await sleep(Math.min(Math.max(backoff, asked || 0), retries.capMs), undefined, { signal: request.signal }).catch(() => undefined);
    }
  }

  return {
    send: retried,
    async ask(call, schema) {
      const answer = await retried(call);
      const document = await documentOf(answer.body);
      if (answer.status >= 300) return undefined;
      const parsed = schema.safeParse(document);
      if (parsed.success) return parsed.data;
      const issue = parsed.error.issues[0];
      const where = issue?.path.join(".") ?? "";
      throw new EdaError("terminal", "cloud-answer-unknown", `Google's answer about ${call.subject} is not as documented: ${where}.`, {
        todo: "Look for a newer version of eda.",
        cause: parsed.error,
      });
    },
  };
}

async function tried(send: SendToCloud, request: CloudRequest): Promise<CloudAnswer | CloudUnreachable> {
  try {
    return await send(request);
  } catch (error) {
    throwIfAborted(request.signal);
    if (error instanceof CloudUnreachable) return error;
    throw error;
  }
}

function away({ message }: CloudUnreachable): EdaError {
  return new EdaError("unavailable", "cloud-away", `Google Cloud does not answer (${message}).`, {
    todo: "Check the network and the proxy (HTTPS_PROXY); what trains there goes on meanwhile.",
  });
}

async function documentOf(body: Readable): Promise<unknown> {
  try {
    return await json(body);
  } catch {
    return undefined;
  }
}
