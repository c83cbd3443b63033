/** Requests to Drive: authorised, retried as Google asks for, cancellable, and without anything secret in what they throw. */
import { drive_v3 } from "@googleapis/drive";
import { type Dispatcher, request as undiciRequest } from "undici";
import { type Account, forgetAccessToken, openAccounts } from "./account.ts";
import { openConnections } from "./connections.ts";
import { DriveFailure, failureOf, translated, withoutRequest } from "./failures.ts";
import { type DriveLimits, type DriveLog, GOOGLE_API_ROOT, type GoogleDriveOptions, limitsOf, rootUrl } from "./options.ts";
import { retrying } from "./retry.ts";

/** Slower than this, sending counts as stalled. */
const SLOWEST_BYTES_PER_MS = 32;

export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly timeout: number;
}

export interface ByteRequest {
  readonly method: "GET" | "PUT" | "POST" | "PATCH";
  /** Path and query below the API's root, or the full address of an upload session. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
  readonly signal: AbortSignal | undefined;
}

export interface Wire {
  readonly limits: DriveLimits;
  readonly log: DriveLog;
  /** @throws EdaError `precondition` when nobody is signed in */
  account(): Account;
  /**
   * One request through the client library, with its retries.
   * @param subject what it is about, for errors: `the file dados/voos.csv`
   * @throws EdaError see {@link translated}
   */
  call<T>(
    subject: string,
    signal: AbortSignal | undefined,
    work: (api: drive_v3.Drive, options: CallOptions) => Promise<{ data: T }>,
  ): Promise<T>;
  /** As {@link call}, with answers that are no success as they are: the caller knows what a 404 or 409 means. @throws DriveFailure among others */
  ask<T>(signal: AbortSignal | undefined, work: (api: drive_v3.Drive, options: CallOptions) => Promise<{ data: T }>): Promise<T>;
  /**
   * One try of a request for bytes. The body must be read or dumped by the caller.
   * @throws DriveFailure for every status of 400 and over; NetworkFailure
   */
  send(request: ByteRequest): Promise<Dispatcher.ResponseData>;
  /** What a person is told. */
  explained(error: unknown, subject: string): unknown;
  close(): Promise<void>;
}

/** Nothing is asked of Google yet. */
export function openWire(options: GoogleDriveOptions): Wire {
  const limits = limitsOf(options);
  const root = rootUrl(options.apiRoot ?? GOOGLE_API_ROOT);
  const { dispatcher, fetch, close } = openConnections(limits.stallMs);
  const accounts = openAccounts(options.auth, options.oauthRoot, fetch);
  const apis = new WeakMap<Account, drive_v3.Drive>();

  function apiOf(account: Account): drive_v3.Drive {
    let api = apis.get(account);
    if (api === undefined) {
      // One layer retries, and it is ours.
      api = new drive_v3.Drive({ auth: account.client, rootUrl: root.href, retry: false });
      apis.set(account, api);
    }
    return api;
  }

  /** A token that the server no longer takes is replaced once. */
  async function authorised<T>(work: (account: Account) => Promise<T>): Promise<T> {
    const account = accounts.current();
    const { access_token } = account.client.credentials;
    try {
      return await work(account);
    } catch (error) {
      const failure = withoutRequest(error);
      if (!(failure instanceof DriveFailure) || failure.status !== 401) throw failure;
      // Another request may have replaced it meanwhile.
      if (account.client.credentials.access_token === access_token) forgetAccessToken(account);
    }
    try {
      return await work(account);
    } catch (error) {
      throw withoutRequest(error);
    }
  }

  const ask: Wire["ask"] = (signal, work) =>
    retrying(limits, signal, () =>
      authorised(async (account) => {
        const { data } = await work(apiOf(account), { timeout: limits.stallMs, ...(signal === undefined ? {} : { signal }) });
        return data;
      }),
    );

  function explained(error: unknown, subject: string): unknown {
    const failure = withoutRequest(error);
    if (!(failure instanceof Error) || failure.name === "EdaError") return failure;
    const { name, kind } = accounts.current();
    return translated(failure, { account: name, accountKind: kind, subject });
  }

  return {
    limits,
    log: options.log ?? (() => undefined),
    account: accounts.current,
    ask,
    async call(subject, signal, work) {
      try {
        return await ask(signal, work);
      } catch (error) {
        throw explained(error, subject);
      }
    },
    send: ({ method, url, headers, body, signal }) =>
      authorised(async ({ client }) => {
        const target = new URL(url, root);
        // A session's address comes from the server: the token goes nowhere else.
        if (target.origin !== root.origin) throw new Error("the upload session is not at Google Drive");
        const { authorization } = Object.fromEntries(await client.getRequestHeaders(target.href));
        const size = body === undefined ? 0 : Buffer.byteLength(body);
        const response = await undiciRequest(target, {
          method,
          dispatcher,
          headers: { ...headers, authorization: authorization ?? "", ...(method === "GET" ? {} : { "content-length": String(size) }) },
          body: body ?? null,
          headersTimeout: limits.stallMs + size / SLOWEST_BYTES_PER_MS,
          ...(signal === undefined ? {} : { signal }),
        });
        if (response.statusCode < 400) return response;
        const text = await response.body.text();
        throw failureOf(response.statusCode, parsed(text), header(response, "retry-after"));
      }),
    explained,
    close,
  };
}

export function header({ headers }: Pick<Dispatcher.ResponseData, "headers">, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
