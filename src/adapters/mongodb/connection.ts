/** How MongoDB is reached. */
import { MongoClient, type MongoClientOptions } from "mongodb";
import { EdaError } from "../../domain/errors.ts";

export interface MongoOptions {
  /** `mongodb://` or `mongodb+srv://` with hosts and parameters. */
  readonly uri: string;
  readonly database: string;
  readonly user?: string;
  readonly password?: string;
  /** Certificates (PEM) of the authority that vouches for the server, which then speaks TLS; the system's own when absent. */
  readonly ca?: string;
}

/** A run must not wait for its log: whoever does not answer in these times is away. */
const PATIENCE: MongoClientOptions = {
  serverSelectionTimeoutMS: 2_000,
  connectTimeoutMS: 5_000,
  socketTimeoutMS: 10_000,
  waitQueueTimeoutMS: 5_000,
};

/**
 * Connects at the first command only.
 * @throws EdaError `precondition` `invalid-log-address`
 */
export function openClient({ uri, user, password, ca }: MongoOptions): MongoClient {
  try {
    return new MongoClient(uri, {
      ...PATIENCE,
      appName: "eda",
      maxPoolSize: 5,
      ignoreUndefined: true,
      // Acknowledged is on disk, on most members where there are several.
      writeConcern: { w: "majority", wtimeoutMS: 10_000 },
      ...(user === undefined ? {} : { auth: { username: user, password: password ?? "" } }),
      ...(ca === undefined ? {} : { tls: true, ca }),
    });
  } catch {
    // Neither the driver's words nor the address itself: both may hold a password.
    throw new EdaError("precondition", "invalid-log-address", "MongoDB's address is not one that its driver understands.", {
      todo: "Write mongodb://host:port with the parameters that the server needs; special characters in a password percent-encoded.",
    });
  }
}

/** Hosts and ports, for people. */
export function addressOf(client: MongoClient): string {
  const { srvHost, hosts } = client.options;
  return srvHost ?? hosts.map(String).join(", ");
}
