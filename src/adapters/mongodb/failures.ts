/**
 * What MongoDB, its driver and the network say, in the project's own errors. Codes of the server:
 * https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml
 */
import { MongoBulkWriteError, MongoServerError } from "mongodb";
import { EdaError } from "../../domain/errors.ts";
import { printable } from "../../domain/printable.ts";

/** UserNotFound, Unauthorized, AuthenticationFailed, and what hosted servers say instead. */
const REFUSED: ReadonlySet<unknown> = new Set([11, 13, 18, 8000]);
const DUPLICATE = 11_000;
const UNTRUSTED = /^(CERT_|ERR_TLS_|ERR_SSL_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_|EPROTO$|HOSTNAME_MISMATCH$)/u;
const MAX_WORDS = 300;

/**
 * @param address of the server, without credentials
 * @returns `precondition` `log-refused` or `log-untrusted`; `unavailable` `log-away`; `transient` `log-failed` for what the server itself says
 */
export function translated(error: unknown, address: string): EdaError {
  if (error instanceof EdaError) return error;
  const certificate = codes(error).find((code) => typeof code === "string" && UNTRUSTED.test(code));
  if (certificate !== undefined) {
    return new EdaError(
      "precondition",
      "log-untrusted",
      `The certificate of MongoDB at ${address} is not trusted (${String(certificate)}).`,
      {
        todo: "Give the certificate of the authority that signed it: stores.runLog.tls.ca in configs/eda.yaml, or EDA_MONGODB_CA.",
        cause: error,
      },
    );
  }
  if (codes(error).some((code) => REFUSED.has(code))) {
    return new EdaError("precondition", "log-refused", `MongoDB at ${address} refuses the login or does not let it write.`, {
      todo: "Correct EDA_MONGODB_USER and EDA_MONGODB_PASSWORD, or give that user the role readWrite on the database.",
      cause: error,
    });
  }
  const words = error instanceof Error ? printable(error.message).slice(0, MAX_WORDS) : "no reason given";
  if (error instanceof MongoServerError) {
    return new EdaError("transient", "log-failed", `MongoDB at ${address} could not do what it was asked: ${words}`, {
      todo: "Look at the server's log; what it did not take waits and is tried again.",
      cause: error,
    });
  }
  return new EdaError("unavailable", "log-away", `MongoDB at ${address} does not answer: ${words}`, {
    todo: "See whether it runs: eda doctor",
    cause: error,
  });
}

/** Whether all that went wrong in an insert is that documents were there already. */
export function isOnlyDuplicates(error: unknown): boolean {
  if (!(error instanceof MongoBulkWriteError) || error.result.getWriteConcernError() !== undefined) return false;
  // Empty where it is the whole insert that failed.
  const errors = [error.writeErrors].flat();
  return errors.length > 0 && errors.every((each) => each.code === DUPLICATE);
}

/** Of the error and of what caused it. */
function codes(error: unknown): unknown[] {
  const found: unknown[] = [];
  for (let each = error, depth = 0; each instanceof Error && depth < 8; each = each.cause, depth += 1)
    if ("code" in each) found.push(each.code);
  return found;
}
