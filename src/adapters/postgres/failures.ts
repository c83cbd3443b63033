/** What PostgreSQL and its driver say, in the project's own errors. Codes: https://www.postgresql.org/docs/18/errcodes-appendix.html */
import { EdaError } from "../../domain/errors.ts";

const AWAY = new Set(["ECONNREFUSED", "ENOTFOUND", "EHOSTUNREACH", "ENETUNREACH", "ETIMEDOUT", "ENOENT"]);
/** admin_shutdown, crash_shutdown, cannot_connect_now, too_many_connections, connection classes. */
const AWAY_STATES = /^(57P0[123]|53300|08)/u;
/** serialization_failure, deadlock_detected, lock_not_available. */
const TRANSIENT_STATES = new Set(["40001", "40P01", "55P03"]);
const REFUSED_STATES = /^28/u;
const DISK_FULL = "53100";
const UNDEFINED_TABLE = "42P01";
const BROKEN = /connection terminated|timeout exceeded when trying to connect|client has encountered a connection error|not queryable/iu;

/**
 * `unavailable` `database-away` when the server is not there, `transient` `database-conflict` where a retry helps, `precondition`
 * `migrations-pending` or `database-refused`, `terminal` `disk-full`; anything else as it is.
 */
export function translated(error: unknown): unknown {
  if (error instanceof EdaError || !(error instanceof Error)) return error;
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  const details = { cause: error };
  if (AWAY.has(code) || AWAY_STATES.test(code) || code === "ECONNRESET" || code === "EPIPE" || BROKEN.test(error.message)) {
    return new EdaError("unavailable", "database-away", `The database does not answer: ${error.message || code}`, {
      ...details,
      todo: "Check that it runs (eda doctor); interrupted runs go on by themselves once it does.",
    });
  }
  if (TRANSIENT_STATES.has(code)) return new EdaError("transient", "database-conflict", `The database asks to try again: ${error.message}`, details);
  if (code === UNDEFINED_TABLE) {
    return new EdaError("precondition", "migrations-pending", `The database lacks a table: ${error.message}`, {
      ...details,
      todo: "Restart the host, which applies pending migrations: eda host stop, then any command.",
    });
  }
  if (REFUSED_STATES.test(code)) {
    return new EdaError("precondition", "database-refused", `The database refused the credentials: ${error.message}`, {
      ...details,
      todo: "Check user and password of the database.",
    });
  }
  if (code === DISK_FULL) {
    return new EdaError("terminal", "disk-full", `The disk of the database is full: ${error.message}`, { ...details, todo: "Free some space and run again." });
  }
  return error;
}
