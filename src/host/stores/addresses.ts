/** Addresses with credentials in them, taken apart: what is secret becomes a {@link Secret}, the rest can be shown. */
import { EdaError } from "../../domain/errors.ts";
import { Secret } from "../../domain/secret.ts";

export interface DatabaseUrlParts {
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly database: string | undefined;
  readonly user: string | undefined;
  readonly password: Secret | undefined;
  readonly mode: string | undefined;
  readonly ca: string | undefined;
}

const TLS_PARAMETERS = new Set(["sslmode", "sslrootcert"]);

/** `postgresql://user:password@host:5432/database?sslmode=verify-full&sslrootcert=/ca.pem` @throws EdaError `precondition` `invalid-variable` */
export function splitDatabaseUrl(address: Secret): DatabaseUrlParts {
  const url = URL.parse(address.reveal());
  if (url === null || !/^postgres(ql)?:$/u.test(url.protocol)) {
    throw invalid("EDA_DATABASE_URL", "is not an address such as postgresql://eda@db.example:5432/eda");
  }
  const unknown = [...url.searchParams.keys()].find((name) => !TLS_PARAMETERS.has(name));
  if (unknown !== undefined) throw invalid("EDA_DATABASE_URL", "has a parameter other than sslmode and sslrootcert");
  const mode = url.searchParams.get("sslmode") ?? undefined;
  return {
    host: decoded(url.hostname.replace(/^\[(.*)\]$/u, "$1"), "EDA_DATABASE_URL"),
    port: url.port === "" ? undefined : Number(url.port),
    database: decoded(url.pathname.slice(1), "EDA_DATABASE_URL"),
    user: decoded(url.username, "EDA_DATABASE_URL"),
    password: secretOf(decoded(url.password, "EDA_DATABASE_URL")),
    mode: mode === "disable" ? undefined : mode,
    ca: url.searchParams.get("sslrootcert") ?? undefined,
  };
}

export interface MongodbUriParts {
  readonly uri: string;
  readonly user: string | undefined;
  readonly password: Secret | undefined;
}

/** `mongodb://user:password@host:27017,other:27017/?replicaSet=rs0`; what does not look like one is handed on as it is, to be refused. */
export function splitMongodbUri(address: Secret): MongodbUriParts {
  const [, scheme, credentials, rest] = /^(mongodb(?:\+srv)?:\/\/)(?:([^/?#]*)@)?([^@]*)$/u.exec(address.reveal()) ?? [];
  if (scheme === undefined || rest === undefined)
    throw invalid("EDA_MONGODB_URI", "is not an address such as mongodb://mongo.example:27017");
  const [user, password] = (credentials ?? "").split(":", 2);
  return {
    uri: scheme + rest,
    user: decoded(user ?? "", "EDA_MONGODB_URI"),
    password: secretOf(decoded(password ?? "", "EDA_MONGODB_URI")),
  };
}

function secretOf(text: string | undefined): Secret | undefined {
  return text === undefined ? undefined : new Secret(text);
}

function decoded(text: string, variable: string): string | undefined {
  try {
    return text === "" ? undefined : decodeURIComponent(text);
  } catch {
    throw invalid(variable, "holds a % that is not followed by two hexadecimal digits");
  }
}

/** The address itself is not shown: it may hold a password. */
function invalid(variable: string, problem: string): EdaError {
  return new EdaError("precondition", "invalid-variable", `${variable} ${problem}.`, { todo: "Correct it and start again." });
}
