/**
 * What Drive, Google's sign-in and the network say, in the project's own errors. Requests are never kept: they carry tokens, and the address
 * of an upload session is as good as one. Reasons: https://developers.google.com/workspace/drive/api/guides/handle-errors
 */
import { EdaError } from "../../domain/errors.ts";
import { printable } from "../../domain/printable.ts";

/** An answer of Google that is no success. */
export class DriveFailure extends Error {
  override readonly name = "DriveFailure";
  readonly status: number;
  /** `userRateLimitExceeded`, `notFound`, `invalid_grant`; empty when the answer does not say. */
  readonly reason: string;
  /** What `Retry-After` asks for. */
  readonly retryAfterMs: number | undefined;

  constructor(status: number, reason: string, message: string, retryAfterMs?: number) {
    super(message === "" ? `HTTP ${status}` : message);
    this.status = status;
    this.reason = reason;
    this.retryAfterMs = retryAfterMs;
  }
}

/** The network, without what was sent over it. */
export class NetworkFailure extends Error {
  override readonly name = "NetworkFailure";
  readonly code: string;

  constructor(code: string) {
    super(`network failure ${code}`);
    this.code = code;
  }
}

/** `delegated`: a service account that acts for a person. */
export type AccountKind = "user" | "service-account" | "delegated";

export interface FailureContext {
  /** Whom Drive answers: `ana@example.com`, `service account eda@project.iam.gserviceaccount.com`. */
  readonly account: string;
  readonly accountKind: AccountKind;
  /** What it was about: `the file dados/voos.csv`. */
  readonly subject: string;
}

const RATE_LIMITS = new Set(["userRateLimitExceeded", "rateLimitExceeded", "sharingRateLimitExceeded"]);
const SIGNED_OUT = new Set(["invalid_grant", "authError", "invalid_rapt"]);
const AWAY = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH", "ETIMEDOUT", "UND_ERR_CONNECT_TIMEOUT"]);
const CUT = new Set([
  "ECONNRESET",
  "EPIPE",
  "ECONNABORTED",
  "ERR_STREAM_PREMATURE_CLOSE",
  "TimeoutError",
  "UND_ERR_SOCKET",
  "UND_ERR_HEADERS_TIMEOUT",
  "UND_ERR_BODY_TIMEOUT",
  "UND_ERR_RES_CONTENT_LENGTH_MISMATCH",
  "HPE_INVALID_EOF_STATE",
]);
const UNTRUSTED = /^(CERT_|ERR_TLS_|ERR_SSL_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_|EPROTO$|HOSTNAME_MISMATCH$)/u;

/** Whether the same request may succeed a little later. */
export function isTransient(error: unknown): boolean {
  if (error instanceof NetworkFailure) return AWAY.has(error.code) || CUT.has(error.code);
  if (!(error instanceof DriveFailure)) return false;
  return error.status === 408 || error.status === 429 || error.status >= 500 || (error.status === 403 && RATE_LIMITS.has(error.reason));
}

export function isAway(error: unknown): boolean {
  return error instanceof NetworkFailure && AWAY.has(error.code);
}

export function isNotFound(error: unknown): boolean {
  return error instanceof DriveFailure && error.status === 404;
}

/**
 * `unavailable` `drive-away`; `transient` `drive-busy` or `drive-reset`; `precondition` `drive-signed-out`, `drive-refused-client`,
 * `drive-delegation-refused` or `drive-untrusted`; `terminal` for what no retry mends. Other errors come back as they are.
 */
export function translated(error: unknown, context: FailureContext): unknown {
  if (error instanceof NetworkFailure) return fromNetwork(error);
  return error instanceof DriveFailure ? fromAnswer(error, context) : error;
}

function fromNetwork(error: NetworkFailure): EdaError {
  if (UNTRUSTED.test(error.code)) {
    return new EdaError("precondition", "drive-untrusted", `The certificate that Google Drive shows is not trusted (${error.code}).`, {
      todo: "If a proxy stands between, give its authority's certificate in NODE_EXTRA_CA_CERTS and start the host again.",
    });
  }
  if (CUT.has(error.code)) {
    return new EdaError("transient", "drive-reset", `The connection to Google Drive broke (${error.code}), again and again.`, {
      todo: "Look at the network, then run again.",
    });
  }
  return new EdaError("unavailable", "drive-away", `Google Drive does not answer (${error.code}).`, {
    todo: "Check the network and the proxy (HTTPS_PROXY); interrupted runs go on by themselves once it answers.",
  });
}

interface Explanation {
  readonly code: string;
  readonly message: string;
  readonly todo: string;
}

type Explain = (context: FailureContext) => Explanation;

/** By reason: what no retry mends. */
const EXPLANATIONS: Readonly<Record<string, Explain>> = {
  storageQuotaExceeded: ({ account, accountKind, subject }) =>
    accountKind === "service-account"
      ? {
          code: "drive-quota",
          message: `${capitalized(account)} owns no storage: it reads and updates files in My Drive, but cannot create ${subject} there.`,
          todo: "Export to a folder of a shared drive of which it is a content manager, or sign in as a person (eda google sign-in), or let it act for one (domain-wide delegation).",
        }
      : {
          code: "drive-quota",
          message: `The Google Drive of ${account} is full: there is no room for ${subject}.`,
          todo: "Free some space there (the trash counts too), or export to another folder.",
        },
  teamDriveFileLimitExceeded: ({ account, subject }) => ({
    code: "drive-quota",
    message: `The shared drive holds as many items as it may: ${account} cannot add ${subject}.`,
    todo: "Remove what is no longer needed there, or export to another shared drive.",
  }),
  dailyLimitExceeded: ({ account }) => ({
    code: "drive-daily-limit",
    message: `The requests that Google allows in a day are used up (${account}).`,
    todo: "Run again tomorrow, or ask for more in the Google Cloud console (APIs and services, Drive API, quotas).",
  }),
  downloadQuotaExceeded: ({ account, subject }) => ({
    code: "drive-download-quota",
    message: `Google lets nobody download ${subject} for now: it was downloaded too often (asked by ${account}).`,
    todo: "Run again in 24 hours, or put a copy of the file into the folder.",
  }),
  appNotAuthorizedToFile: ({ account, subject }) => ({
    code: "drive-permission",
    message: `eda may not open ${subject} in the name of ${account}: the permission given at sign-in does not reach it.`,
    todo: "Sign in again and allow access to all of Drive: eda google sign-in.",
  }),
  cannotDownloadAbusiveFile: ({ account, subject }) => ({
    code: "drive-abusive-file",
    message: `Google holds ${subject} for malware or spam and does not hand it to ${account}.`,
    todo: "Let its owner look at it in Drive; remove it, or exclude it in the project file (drive.exclude).",
  }),
  fileNotDownloadable: ({ account, subject }) => ({
    code: "drive-not-downloadable",
    message: `${capitalized(subject)} has no content that ${account} could download.`,
    todo: "Save it as a file in Drive, or exclude it in the project file (drive.exclude).",
  }),
  cannotDownloadFile: ({ account, subject }) => ({
    code: "drive-permission",
    message: `The owner of ${subject} does not let ${account} download it.`,
    todo: `Ask the owner to allow downloads, or to make ${account} an editor.`,
  }),
  exportSizeLimitExceeded: ({ subject }) => ({
    code: "drive-export-too-large",
    message: `Google exports documents up to 10 MB: ${subject} is larger.`,
    todo: "Save it as a file in Drive (File, Download, then upload it), split it, or exclude it in the project file (drive.exclude).",
  }),
  fileNotExportable: ({ subject }) => ({
    code: "drive-not-exportable",
    message: `Google does not export ${subject}.`,
    todo: "Exclude it in the project file (drive.exclude).",
  }),
};

function permission({ account, subject }: FailureContext, said: string): Explanation {
  return {
    code: "drive-permission",
    message: `Google Drive does not allow ${account} to do this with ${subject}: ${said}`,
    todo: `Share it with ${account}: as a viewer to capture from it, as an editor to export to it.`,
  };
}

function fromAnswer(error: DriveFailure, context: FailureContext): EdaError {
  const { status, reason } = error;
  if (reason === "unauthorized_client" && context.accountKind === "delegated") {
    return new EdaError("precondition", "drive-delegation-refused", `Google does not let eda act for ${context.account}.`, {
      todo: "Let the domain's administrator allow it domain-wide delegation with the scope https://www.googleapis.com/auth/drive.",
    });
  }
  if (reason === "invalid_client" || reason === "unauthorized_client") {
    return new EdaError("precondition", "drive-refused-client", "Google does not know the OAuth client, or its secret is another.", {
      todo: "Check the OAuth client: the file that EDA_GOOGLE_CREDENTIALS_FILE names, or EDA_GOOGLE_OAUTH_CLIENT_ID and its _SECRET.",
    });
  }
  if (SIGNED_OUT.has(reason) || status === 401) return signedOut(context);
  if (isTransient(error)) {
    return new EdaError("transient", "drive-busy", `Google Drive could not serve a request about ${context.subject}: ${said(error)}`, {
      todo: "Run again a little later.",
    });
  }
  const explanation = EXPLANATIONS[reason]?.(context) ?? (status === 403 ? permission(context, said(error)) : undefined);
  if (explanation !== undefined) return new EdaError("terminal", explanation.code, explanation.message, { todo: explanation.todo });
  const message = `Google Drive answered about ${context.subject}: ${said(error)} (HTTP ${status}${reason === "" ? "" : `, ${reason}`})`;
  return new EdaError("terminal", "drive-failed", message);
}

const SIGN_IN = { todo: "Sign in: eda google sign-in, or the command EDA: Sign in to Google." };

function signedOut({ account, accountKind }: FailureContext): EdaError {
  if (accountKind !== "user") {
    return new EdaError("precondition", "drive-signed-out", `Google no longer accepts the key of ${account}.`, {
      todo: "Make a new key in the Google Cloud console and put it in the place of the old one; check this machine's clock too.",
    });
  }
  return new EdaError(
    "precondition",
    "drive-signed-out",
    `The sign-in of ${account} to Google has ended, or access was withdrawn.`,
    SIGN_IN,
  );
}

/** Nobody has signed in on this machine. */
export function notSignedIn(): EdaError {
  return new EdaError("precondition", "drive-signed-out", "Nobody is signed in to Google on this machine.", SIGN_IN);
}

/** One line of what the server says, safe to show. */
function said({ message }: DriveFailure): string {
  return printable(message.split("\n", 1)[0]?.slice(0, 300) ?? "");
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

interface ApiErrorBody {
  readonly error?:
    | string
    | { readonly message?: string; readonly status?: string; readonly errors?: readonly { readonly reason?: string }[] };
  readonly error_description?: string;
}

/** @param body parsed JSON, or text */
export function failureOf(status: number, body: unknown, retryAfter: string | null | undefined): DriveFailure {
  const { error, error_description } = (typeof body === "object" && body !== null ? body : {}) as ApiErrorBody;
  const wait = retryAfterMs(retryAfter ?? undefined);
  if (typeof error === "string") return new DriveFailure(status, error, error_description ?? error, wait);
  return new DriveFailure(status, error?.errors?.[0]?.reason ?? "", error?.message ?? "", wait);
}

/** Seconds, or a date (RFC 9110). */
function retryAfterMs(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const wait = /^\d+$/u.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(wait) && wait > 0 ? wait : undefined;
}

/** Any error of the client libraries, without what it holds of the request. */
export function withoutRequest(error: unknown): unknown {
  if (error instanceof EdaError || error instanceof DriveFailure || error instanceof NetworkFailure) return error;
  const response = responseOf(error);
  if (response !== undefined) return failureOf(response.status, response.data, response.headers?.get?.("retry-after"));
  const code = codeOf(error);
  if (code !== "" && (AWAY.has(code) || CUT.has(code) || UNTRUSTED.test(code))) return new NetworkFailure(code);
  return error;
}

interface LibraryResponse {
  readonly status: number;
  readonly data: unknown;
  readonly headers?: Headers;
}

function responseOf(error: unknown): LibraryResponse | undefined {
  if (typeof error !== "object" || error === null || !("response" in error)) return undefined;
  const { response } = error;
  const isOne = typeof response === "object" && response !== null && "status" in response && typeof response.status === "number";
  return isOne ? (response as LibraryResponse) : undefined;
}

/** Libraries wrap: the innermost code that is a name says what happened. */
function codeOf(error: unknown): string {
  if (typeof error !== "object" || error === null) return "";
  const inner = "cause" in error ? codeOf(error.cause) : error instanceof AggregateError ? codeOf(error.errors[0]) : "";
  if (inner !== "") return inner;
  if ("code" in error && typeof error.code === "string") return error.code;
  return "name" in error && error.name === "TimeoutError" ? "TimeoutError" : "";
}
