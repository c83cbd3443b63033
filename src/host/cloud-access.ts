/**
 * Google Cloud in the name of whoever the host is signed in as: the service account whose key `EDA_GOOGLE_CREDENTIALS_FILE` names, else the application
 * default credentials (a key, `gcloud auth application-default login`, or the machine's own account).
 */
import { readFileSync } from "node:fs";
import { Readable } from "node:stream";
import type { ReadableStream } from "node:stream/web";
import { type AuthClient, GoogleAuth, JWT } from "google-auth-library";
import { EnvHttpProxyAgent, fetch as undiciFetch } from "undici";
import { type CloudAnswer, type CloudRequest, CloudUnreachable, type SendToCloud } from "../adapters/colab/cloud.ts";
import { SIGN_IN } from "../adapters/colab/cloud-failures.ts";
import { EdaError } from "../domain/errors.ts";
import { readGoogleCredentials } from "./stores/google-credentials.ts";

const CLOUD_SCOPE = "https://www.googleapis.com/auth/cloud-platform";
const GOOGLE_OAUTH_ORIGIN = "https://oauth2.googleapis.com";
const CONNECT_TIMEOUT_MS = 10_000;
/** Without a byte for this long a request is given up. */
const STALL_MS = 60_000;
const LOOPBACK = ["127.0.0.1", "[::1]", "localhost"];
const TLS = /^(?:CERT_|ERR_TLS_|ERR_SSL_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_|EPROTO$)/u;

/** Nothing is read or asked before the first request. @throws EdaError `precondition` `invalid-endpoint` */
export function openCloudAccess(env: NodeJS.ProcessEnv): SendToCloud {
  const dispatcher = new EnvHttpProxyAgent({
    connect: { timeout: CONNECT_TIMEOUT_MS },
    headersTimeout: STALL_MS,
    bodyTimeout: STALL_MS,
  });
  const cloudRoot = rootIn(env, "EDA_GOOGLE_CLOUD_ROOT");
  const oauthRoot = rootIn(env, "EDA_GOOGLE_OAUTH_ROOT");
  /** The library takes addresses of tokens from nowhere but itself. */
  const fetchImplementation = ((url: string | URL, init: object) => {
    const target = new URL(url);
    const isToken = target.origin === GOOGLE_OAUTH_ORIGIN && oauthRoot !== undefined;
    return undiciFetch(isToken ? new URL(target.pathname + target.search, oauthRoot) : target, { ...init, dispatcher });
  }) as unknown as typeof globalThis.fetch;
  let client: Promise<AuthClient> | undefined;

  async function signedIn(): Promise<AuthClient> {
    client ??= openClient(env, fetchImplementation);
    try {
      return await client;
    } catch (error) {
      // Signing in needs no restart.
      client = undefined;
      throw error;
    }
  }

  async function once({ url, body, ...request }: CloudRequest): Promise<CloudAnswer> {
    const auth = await signedIn();
    const target = cloudRoot === undefined ? url : new URL(new URL(url).pathname + new URL(url).search, cloudRoot).href;
    try {
      const response = await auth.request<ReadableStream | null>({
        ...request,
        url: target,
        ...(body === undefined ? {} : { data: body }),
        responseType: "stream",
        // What an answer means is the caller's to say.
        validateStatus: () => true,
        retry: false,
      });
      return answerOf(response.status, response.headers, response.data);
    } catch (error) {
      throw withoutRequest(error, target, request.signal);
    }
  }

  return async (request) => {
    const answer = await once(request);
    if (answer.status !== 401) return answer;
    // A token that is no longer taken is replaced once; the library would give the same one again.
    answer.body.resume();
    client = undefined;
    return once(request);
  };
}

/** @throws EdaError `precondition` `invalid-endpoint`: tokens go over TLS, or stay on this machine */
function rootIn(env: NodeJS.ProcessEnv, variable: string): string | undefined {
  const text = env[variable];
  if (text === undefined || text === "") return undefined;
  const url = URL.parse(text);
  if (url?.protocol === "https:" || (url?.protocol === "http:" && LOOPBACK.includes(url.hostname))) return text;
  throw new EdaError("precondition", "invalid-endpoint", `${variable} is not the address of an https server.`, {
    todo: "Leave it out: Google's own is used then.",
  });
}

async function openClient(env: NodeJS.ProcessEnv, fetchImplementation: typeof globalThis.fetch): Promise<AuthClient> {
  const clientOptions = { transporterOptions: { fetchImplementation } };
  const { EDA_GOOGLE_CREDENTIALS_FILE: file } = env;
  if (file !== undefined && file !== "") {
    const readFile = (path: string) => readFileSync(path, "utf8");
    // An OAuth client that people sign in with knows nobody's permission for Google Cloud.
    if (readGoogleCredentials(file, readFile).kind === "service-account") {
      const { client_email: email, private_key: key } = JSON.parse(readFile(file)) as Record<string, string>;
      return new JWT({ ...clientOptions, email: email as string, key: key as string, scopes: [CLOUD_SCOPE] });
    }
  }
  try {
    return await new GoogleAuth({ scopes: [CLOUD_SCOPE], clientOptions }).getClient();
  } catch {
    throw signedOut("Nobody is signed in to Google Cloud on this machine.");
  }
}

function answerOf(status: number, headers: Headers, data: unknown): CloudAnswer {
  const body = data == null ? Readable.from([]) : data instanceof Readable ? data : Readable.fromWeb(data as ReadableStream);
  return { status, headers, body };
}

/** What the library throws holds the request, and that the token. */
function withoutRequest(error: unknown, target: string, signal: CloudRequest["signal"]): unknown {
  if (error instanceof EdaError || signal.aborted) return error;
  const { response, code } = error as { readonly response?: { readonly status: number }; readonly code?: string };
  if (response !== undefined && response.status < 500) return signedOut("Google no longer accepts the sign-in of eda for Google Cloud.");
  const name = innermostCode(error) ?? code ?? "no answer";
  if (!TLS.test(name)) return new CloudUnreachable(response === undefined ? name : `HTTP ${response.status} for a token`);
  return new EdaError("precondition", "cloud-untrusted", `The certificate of ${new URL(target).host} is not trusted (${name}).`, {
    todo: "If a proxy stands between, give its authority's certificate in NODE_EXTRA_CA_CERTS and start the host again.",
  });
}

function innermostCode(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null) return undefined;
  const { cause, code } = error as { readonly cause?: unknown; readonly code?: unknown };
  return innermostCode(cause) ?? (typeof code === "string" ? code : undefined);
}

function signedOut(message: string): EdaError {
  return new EdaError("precondition", "cloud-signed-out", message, SIGN_IN);
}
