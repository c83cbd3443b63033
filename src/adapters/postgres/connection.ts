/** Where a PostgreSQL is and how to come in: what a URL says, or its parts with a private authority. */
import type { ClientConfig } from "pg";
import { EdaError } from "../../domain/errors.ts";

export interface Connection {
  readonly host: string;
  /** Default 5432. */
  readonly port?: number;
  readonly database: string;
  readonly user: string;
  readonly password?: string;
  /** Without it the conversation is not encrypted. */
  readonly tls?: Tls;
}

/** The server's certificate is always verified: an encrypted conversation with a stranger protects nothing. */
export interface Tls {
  /** Certificates of the authorities to trust (PEM), instead of those that Node carries. */
  readonly ca?: string;
  /** `full`, the default: the certificate is of this host. `ca`: it is of any host that the authority knows, for servers reached by another name. */
  readonly verify?: "full" | "ca";
  /** Certificate and key of the client (PEM), where the server asks for them. */
  readonly cert?: string;
  readonly key?: string;
}

/**
 * @param connection a `postgresql://` URL or its parts
 * @throws EdaError `precondition` `invalid-database-url`; it does not repeat the URL, which may hold a password
 */
export function clientConfig(connection: string | Connection): ClientConfig {
  if (typeof connection === "string") {
    refuseInvalid(connection);
    return { connectionString: connection };
  }
  const { tls, port = 5432, ...rest } = connection;
  return { ...rest, port, ...(tls === undefined ? {} : { ssl: tlsOptions(tls) }) };
}

function tlsOptions({ verify = "full", ...material }: Tls) {
  return { ...material, rejectUnauthorized: true, ...(verify === "ca" ? { checkServerIdentity: () => undefined } : {}) };
}

function refuseInvalid(url: string): void {
  const parsed = URL.parse(url);
  if (parsed !== null && /^postgres(?:ql)?:$/u.test(parsed.protocol)) return;
  throw new EdaError("precondition", "invalid-database-url", "The address of the database is not a URL of PostgreSQL.", {
    todo: "Write it as postgresql://user@host:5432/database; special characters of a password are written as %XX.",
  });
}
