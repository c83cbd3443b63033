/** From configuration to what the adapters take: the only place where secrets are revealed. */
import type { S3Options } from "../../adapters/minio/options.ts";
import type { MongoOptions } from "../../adapters/mongodb/connection.ts";
import type { GoogleAuth, GoogleDriveOptions } from "../../adapters/drive/options.ts";
import { defaultTokenFile } from "../../adapters/drive/token-file.ts";
import type { GoogleConfiguration, MongodbConfiguration, PostgresConfiguration, S3Configuration } from "./configuration.ts";

export function s3Options({ endpoint, region, accessKey, secretKey, sessionToken, ca, objectLock }: S3Configuration): S3Options {
  return {
    endpoint,
    region,
    accessKey,
    secretKey: secretKey.reveal(),
    objectLock,
    ...(sessionToken === undefined ? {} : { sessionToken: sessionToken.reveal() }),
    ...(ca === undefined ? {} : { ca: ca.pem }),
  };
}

/** One text for everybody who connects to the database, DBOS among them. Holds the password: never log it. */
export function databaseUrl({ host, port, database, user, password, tls }: PostgresConfiguration): string {
  const login = password === undefined ? encodeURIComponent(user) : `${encodeURIComponent(user)}:${encodeURIComponent(password.reveal())}`;
  const address = host.includes(":") ? `[${host}]` : encodeURIComponent(host);
  const url = `postgresql://${login}@${address}:${port}/${encodeURIComponent(database)}`;
  return tls === undefined ? url : `${url}?${new URLSearchParams(tlsParameters(tls)).toString()}`;
}

/** The driver reads `require` and `verify-ca` as `verify-full` unless told to read them as everybody else does. */
function tlsParameters({ mode, ca }: NonNullable<PostgresConfiguration["tls"]>): Record<string, string> {
  const authority: Record<string, string> = ca === undefined ? {} : { sslrootcert: ca.file };
  if (mode === "require") return { sslmode: "no-verify" };
  return mode === "verify-ca" ? { uselibpqcompat: "true", sslmode: mode, ...authority } : { sslmode: mode, ...authority };
}

export function mongoOptions({ uri, database, user, password, ca }: MongodbConfiguration): MongoOptions {
  return {
    uri,
    database,
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password: password.reveal() }),
    ...(ca === undefined ? {} : { ca: ca.pem }),
  };
}

/** @param env says where the file of the person who signed in lies */
export function googleOptions(
  { credentials, account, exports, apiRoot, oauthRoot }: GoogleConfiguration,
  stateFolder: string,
  env: NodeJS.ProcessEnv,
): GoogleDriveOptions {
  const auth: GoogleAuth =
    credentials.kind === "service-account"
      ? { ...credentials, ...(account === undefined ? {} : { subject: account }) }
      : {
          kind: "user",
          tokenFile: defaultTokenFile(env),
          clientId: credentials.clientId,
          clientSecret: credentials.clientSecret.reveal(),
        };
  return {
    auth,
    stateFolder,
    exports,
    ...(apiRoot === undefined ? {} : { apiRoot }),
    ...(oauthRoot === undefined ? {} : { oauthRoot }),
  };
}
