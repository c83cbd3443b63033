/**
 * What an S3 server and the network say, in the project's own errors. Only code and message of a response are kept: servers put the access
 * key and the signed text beside them. Codes: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 */
import type { ObjectRef } from "../../domain/asset.ts";
import { EdaError } from "../../domain/errors.ts";
import { printable } from "../../domain/printable.ts";

/** An answer of the server that is no success. */
export class S3Failure extends Error {
  override readonly name = "S3Failure";
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message === "" ? `${code} (HTTP ${status})` : message);
    this.status = status;
    this.code = code;
  }
}

/** The bytes of an upload, or the answer to them, stood still: there is no telling whether the server got them. */
export class StalledUpload extends Error {
  override readonly name = "StalledUpload";
  readonly code = "STALLED";

  constructor(milliseconds: number) {
    super(`Nothing moved for ${Math.round(milliseconds / 1000)} s.`);
  }
}

const AWAY = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH", "ETIMEDOUT", "UND_ERR_CONNECT_TIMEOUT"]);
const CUT = new Set([
  "ECONNRESET",
  "EPIPE",
  "ECONNABORTED",
  "STALLED",
  "UND_ERR_SOCKET",
  "UND_ERR_HEADERS_TIMEOUT",
  "UND_ERR_BODY_TIMEOUT",
  "UND_ERR_RES_CONTENT_LENGTH_MISMATCH",
]);
const UNTRUSTED = /^(CERT_|ERR_TLS_|ERR_SSL_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_|EPROTO$|HOSTNAME_MISMATCH$)/u;
const REFUSED = new Set([
  "AccessDenied",
  "AccountProblem",
  "ExpiredToken",
  "InvalidAccessKeyId",
  "InvalidToken",
  "SignatureDoesNotMatch",
  "UnauthorizedAccess",
  "XAdminUserNotFound",
]);
/** The third is a HEAD's, which has no room for a code. */
const ABSENT = new Set(["NoSuchKey", "NoSuchVersion", "HTTP 404", "NotFound", "NoSuchUpload"]);
const BUSY = new Set(["IncompleteBody", "RequestTimeout", "SlowDown", "SlowDownRead", "SlowDownWrite", "TooManyRequests"]);
const ELSEWHERE = new Set(["AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "PermanentRedirect", "TemporaryRedirect"]);
const FULL = new Set(["XMinioStorageFull", "QuotaExceeded", "XMinioAdminBucketQuotaExceeded", "InsufficientStorage"]);
const CHANGED = new Set(["BadDigest", "XAmzContentSHA256Mismatch", "UND_ERR_REQ_CONTENT_LENGTH_MISMATCH"]);

/** Whether the same request may succeed a little later. */
export function isTransient(error: unknown): boolean {
  if (error instanceof S3Failure) {
    if (FULL.has(error.code)) return false;
    return BUSY.has(error.code) || error.status === 429 || (error.status >= 500 && error.status !== 501 && error.status !== 507);
  }
  const code = codeOf(error);
  return AWAY.has(code) || CUT.has(code);
}

/** A key, version or upload that is not there; a bucket that is not there is another matter. */
export function isNotFound(error: unknown): boolean {
  return error instanceof S3Failure && ABSENT.has(error.code);
}

/**
 * `unavailable` `store-away`; `transient` `store-busy` or `store-reset`; `precondition` `store-refused`, `store-untrusted`, `wrong-region`,
 * `clock-skew` or `bucket-missing`; `terminal` `disk-full` or `file-changed`; anything else a `terminal` `store-failed`, and what is no failure of the store as it is.
 */
export function translated(error: unknown): unknown {
  if (error instanceof EdaError || !(error instanceof Error) || error.name === "AbortError") return error;
  const code = codeOf(error);
  if (AWAY.has(code)) {
    return new EdaError("unavailable", "store-away", `The object store does not answer (${code}).`, {
      todo: "Check its address and that it runs (eda doctor); interrupted runs go on by themselves once it does.",
      cause: error,
    });
  }
  if (CUT.has(code)) {
    return new EdaError("transient", "store-reset", `The connection to the object store broke (${code}), again and again.`, {
      todo: "Look at the object store and at the network between, then run again.",
      cause: error,
    });
  }
  if (UNTRUSTED.test(code)) {
    return new EdaError("precondition", "store-untrusted", `The object store's certificate is not trusted (${code}).`, {
      todo: "Give the certificate of the authority that signed it: stores.objects.tls.ca in configs/eda.yaml, or EDA_S3_CA.",
      cause: error,
    });
  }
  if (CHANGED.has(code)) {
    return new EdaError("terminal", "file-changed", "A file changed while it was stored: wait until nothing writes to it.", {
      cause: error,
    });
  }
  return error instanceof S3Failure ? fromServer(error) : error;
}

function fromServer(error: S3Failure): EdaError {
  const { status, code, message } = error;
  if (code === "RequestTimeTooSkewed" || code === "RequestExpired") {
    return new EdaError(
      "precondition",
      "clock-skew",
      "The clocks of this machine and of the object store differ by more than 15 minutes.",
      {
        todo: "Set both by NTP, then run again.",
        cause: error,
      },
    );
  }
  if (ELSEWHERE.has(code)) {
    return new EdaError("precondition", "wrong-region", `The object store serves another region or address (${code}): ${message}`, {
      todo: "Check region and endpoint: stores.objects in configs/eda.yaml, or EDA_S3_REGION and EDA_S3_ENDPOINT.",
      cause: error,
    });
  }
  if (REFUSED.has(code) || status === 401 || status === 403) {
    return new EdaError("precondition", "store-refused", `The object store refused the request (${code}): ${message}`, {
      todo: "Check the access key, its secret and what its policy allows: EDA_S3_ACCESS_KEY, EDA_S3_SECRET_KEY.",
      cause: error,
    });
  }
  if (code === "NoSuchBucket") {
    return new EdaError("precondition", "bucket-missing", "A bucket of the data lake is gone from the object store.", {
      todo: "Restart the host, which creates it (eda host stop, then any command); restore what was in it from a backup.",
      cause: error,
    });
  }
  if (FULL.has(code) || status === 507) {
    return new EdaError("terminal", "disk-full", `The object store has no space left (${code}).`, {
      todo: "Free some space there and run again: nothing half-written was kept.",
      cause: error,
    });
  }
  if (isTransient(error)) {
    return new EdaError("transient", "store-busy", `The object store could not serve a request (${code}): ${message}`, {
      todo: "Look at the object store, then run again.",
      cause: error,
    });
  }
  return new EdaError("terminal", "store-failed", `The object store answered ${code} (HTTP ${status}): ${message}`, { cause: error });
}

export function notFound({ bucket, key, versionId }: ObjectRef): EdaError {
  return new EdaError("terminal", "object-not-found", `There is no object ${bucket}/${printable(key)} in version ${printable(versionId)}.`);
}

/** A dual-stack host's failures come as one aggregate without a code of its own in some cases. */
function codeOf(error: unknown): string {
  if (typeof error !== "object" || error === null) return "";
  if ("code" in error && typeof error.code === "string") return error.code;
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  return "cause" in error ? codeOf(error.cause) : "";
}
