/** What goes wrong between us and PostgreSQL, in the domain's words. SQLSTATEs: https://www.postgresql.org/docs/current/errcodes-appendix.html */
import { EdaError, type ErrorKind } from "../../domain/errors.ts";

interface Meaning {
  readonly kind: ErrorKind;
  readonly code: string;
  /** What the message says before the server's own words. */
  readonly text: string;
  readonly todo?: string;
}

const AWAY: Meaning = {
  kind: "unavailable",
  code: "database-away",
  text: "PostgreSQL cannot be reached",
  todo: "See whether the server runs: eda doctor",
};
const CONFLICT: Meaning = { kind: "transient", code: "database-conflict", text: "PostgreSQL gave up a conflicting change" };
const RESET: Meaning = { kind: "transient", code: "database-connection-reset", text: "The connection to PostgreSQL broke" };
const PENDING: Meaning = {
  kind: "precondition",
  code: "migrations-pending",
  text: "The database does not have the tables of this version",
  todo: "Start the host again, which applies them: eda host stop, then any command.",
};
const REFUSED: Meaning = {
  kind: "precondition",
  code: "database-refused",
  text: "PostgreSQL refused the login",
  todo: "Correct user, password, database and permissions of the connection.",
};
const DENIED: Meaning = {
  kind: "precondition",
  code: "database-permission",
  text: "PostgreSQL does not allow it to this user",
  todo: "Let the owner of the database migrate it, and give the user the role eda_app.",
};
const SLOW: Meaning = { kind: "transient", code: "database-timeout", text: "PostgreSQL gave up what took too long" };
const STRANGER: Meaning = {
  kind: "precondition",
  code: "database-certificate",
  text: "The certificate of PostgreSQL is not trusted",
  todo: "Give the certificate of the authority that signed it, and the host name that it was made for.",
};
const UNENCRYPTED: Meaning = {
  kind: "precondition",
  code: "database-without-tls",
  text: "PostgreSQL does not encrypt",
  todo: "Switch ssl on in the server, or tls off in the settings.",
};
const FULL: Meaning = { kind: "terminal", code: "disk-full", text: "The disk of the database is full", todo: "Free space and run again." };
const BAD_TEXT: Meaning = { kind: "terminal", code: "invalid-text", text: "A text cannot be stored in PostgreSQL" };
const OTHER: Meaning = { kind: "terminal", code: "database-error", text: "PostgreSQL refused a statement" };

/** By SQLSTATE, its class (two characters), or Node's error code. */
const MEANINGS: Readonly<Record<string, Meaning>> = {
  "08": AWAY,
  "57P01": AWAY,
  "57P02": AWAY,
  "57P03": AWAY,
  "57P05": AWAY,
  "53300": AWAY,
  ECONNREFUSED: AWAY,
  ENOTFOUND: AWAY,
  EAI_AGAIN: AWAY,
  EHOSTUNREACH: AWAY,
  ENETUNREACH: AWAY,
  ETIMEDOUT: AWAY,
  ENOENT: AWAY,
  "40": CONFLICT,
  "55P03": CONFLICT,
  ECONNRESET: RESET,
  EPIPE: RESET,
  "42P01": PENDING,
  "42703": PENDING,
  "3F000": PENDING,
  "28": REFUSED,
  "3D000": REFUSED,
  "42501": DENIED,
  "57014": SLOW,
  "25P03": SLOW,
  CERT_HAS_EXPIRED: STRANGER,
  DEPTH_ZERO_SELF_SIGNED_CERT: STRANGER,
  ERR_TLS_CERT_ALTNAME_INVALID: STRANGER,
  SELF_SIGNED_CERT_IN_CHAIN: STRANGER,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: STRANGER,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: STRANGER,
  "53100": FULL,
  "22021": BAD_TEXT,
  "22P05": BAD_TEXT,
};

/** @returns the same error when it is an {@link EdaError} already */
export function toDatabaseError(error: unknown): EdaError {
  if (error instanceof EdaError) return error;
  const { kind, code, text, todo } = meaningOf(error);
  const words = error instanceof Error && error.message !== "" ? error.message : String(codeOf(error) ?? error);
  return new EdaError(kind, code, `${text}: ${words}`, { cause: error, ...(todo === undefined ? {} : { todo }) });
}

function meaningOf(error: unknown): Meaning {
  const code = codeOf(error);
  if (code !== undefined) return MEANINGS[code] ?? MEANINGS[code.slice(0, 2)] ?? OTHER;
  if (!(error instanceof Error)) return OTHER;
  // The driver's own errors have no code.
  if (/does not support SSL/u.test(error.message)) return UNENCRYPTED;
  if (/password must be/u.test(error.message)) return REFUSED;
  return /connection|timeout|pool after calling end|not queryable/iu.test(error.message) ? AWAY : OTHER;
}

function codeOf(error: unknown): string | undefined {
  return typeof error === "object" && error !== null && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
