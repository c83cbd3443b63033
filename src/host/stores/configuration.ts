/**
 * Which servers stand behind the ports: `stores` of the settings file, and the environment above it. Pure: files are read by what is handed in.
 */
import { resolve } from "node:path";
import type { z } from "zod";
import { EdaError } from "../../domain/errors.ts";
import { SETTINGS_FILE } from "../../domain/governed.ts";
import type { Secret } from "../../domain/secret.ts";
import { databaseSchema, driveSchema, objectsSchema, runLogSchema, type StoresInput } from "../../domain/stores.ts";
import { splitDatabaseUrl, splitMongodbUri } from "./addresses.ts";
import { type GoogleCredentials, readGoogleCredentials } from "./google-credentials.ts";
import { type Environment, openVariables, type ReadFile, type Variables } from "./variables.ts";

/** Certificates (PEM) and the file they were read from. */
export interface Authority {
  readonly file: string;
  readonly pem: string;
}

export interface S3Configuration {
  readonly kind: "s3";
  readonly endpoint: string;
  readonly region: string;
  readonly accessKey: string;
  readonly secretKey: Secret;
  readonly sessionToken: Secret | undefined;
  readonly ca: Authority | undefined;
  readonly objectLock: boolean;
}

export interface PostgresConfiguration {
  readonly kind: "postgresql";
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  /** Absent where the server does not ask for one. */
  readonly password: Secret | undefined;
  /** Absent: not encrypted. */
  readonly tls: { readonly mode: "verify-full" | "verify-ca" | "require"; readonly ca: Authority | undefined } | undefined;
}

export interface MongodbConfiguration {
  readonly kind: "mongodb";
  /** Without credentials. */
  readonly uri: string;
  readonly database: string;
  readonly user: string | undefined;
  readonly password: Secret | undefined;
  readonly ca: Authority | undefined;
}

export interface GoogleConfiguration {
  readonly kind: "google";
  readonly credentials: GoogleCredentials;
  /** Person in whose name a service account acts. */
  readonly account: string | undefined;
  readonly exports: NonNullable<z.output<typeof driveSchema>["exports"]>;
  /** Google's own when absent. */
  readonly apiRoot: string | undefined;
  readonly oauthRoot: string | undefined;
  /** A page registered for the OAuth client, which leads back to the editor; a port of the host's machine when absent. */
  readonly redirectUri: string | undefined;
}

export interface StoresConfiguration {
  readonly objects: { readonly kind: "folder" } | S3Configuration;
  readonly database: { readonly kind: "embedded" } | PostgresConfiguration;
  readonly runLog: { readonly kind: "database" } | MongodbConfiguration;
  readonly drive: { readonly kind: "folder" } | GoogleConfiguration;
}

export interface ResolveOptions {
  readonly workspace: string;
  /** `stores` of the settings file. */
  readonly settings: StoresInput;
  readonly env: Environment;
  /** @throws when the file cannot be read */
  readonly readFile: ReadFile;
}

/**
 * @throws EdaError `precondition` `invalid-variable`, `ambiguous-variable`, `secret-file-unreadable`, `certificate-unreadable` or
 *   `stores-incomplete`, which name the variable or the key, never a value that may be secret
 */
export function resolveStores(options: ResolveOptions): StoresConfiguration {
  const variables = openVariables(options.env, options.readFile);
  return {
    objects: resolveObjects(options, variables),
    database: resolveDatabase(options, variables),
    runLog: resolveRunLog(options, variables),
    drive: resolveDrive(options, variables),
  };
}

function resolveObjects(options: ResolveOptions, variables: Variables): StoresConfiguration["objects"] {
  const [secretKey, sessionToken] = [variables.secret("EDA_S3_SECRET_KEY"), variables.secret("EDA_S3_SESSION_TOKEN")];
  const section = layered("objects", objectsSchema, options.settings.objects, {
    endpoint: [variables.text("EDA_S3_ENDPOINT"), "EDA_S3_ENDPOINT"],
    region: [variables.text("EDA_S3_REGION"), "EDA_S3_REGION"],
    accessKey: [variables.text("EDA_S3_ACCESS_KEY"), "EDA_S3_ACCESS_KEY"],
    tls: [authorityFrom(options, "EDA_S3_CA"), "EDA_S3_CA"],
  });
  if (section === undefined && secretKey === undefined) return { kind: "folder" };
  const { endpoint, accessKey, region = "us-east-1", objectLock = false, tls } = section ?? {};
  if (endpoint === undefined) throw incomplete("objects.endpoint", "EDA_S3_ENDPOINT");
  if (accessKey === undefined) throw incomplete("objects.accessKey", "EDA_S3_ACCESS_KEY");
  if (secretKey === undefined) throw incomplete(undefined, "EDA_S3_SECRET_KEY");
  return { kind: "s3", endpoint, region, accessKey, secretKey, sessionToken, objectLock, ca: readAuthority(options, tls?.ca, "EDA_S3_CA") };
}

function resolveDatabase(options: ResolveOptions, variables: Variables): StoresConfiguration["database"] {
  const url = variables.secret("EDA_DATABASE_URL");
  const parts = url === undefined ? undefined : splitDatabaseUrl(url);
  const password = variables.secret("EDA_DATABASE_PASSWORD") ?? parts?.password;
  const port = variables.text("EDA_DATABASE_PORT");
  const ca = options.env["EDA_DATABASE_CA"] || parts?.ca;
  const section = layered("database", databaseSchema, options.settings.database, {
    host: [variables.text("EDA_DATABASE_HOST") ?? parts?.host, "EDA_DATABASE_HOST"],
    port: [port === undefined ? parts?.port : Number(port), "EDA_DATABASE_PORT"],
    database: [variables.text("EDA_DATABASE_NAME") ?? parts?.database, "EDA_DATABASE_NAME"],
    user: [variables.text("EDA_DATABASE_USER") ?? parts?.user, "EDA_DATABASE_USER"],
    tls: [
      ca === undefined && parts?.mode === undefined
        ? undefined
        : {
            ...options.settings.database?.tls,
            ...(ca === undefined ? {} : { ca }),
            ...(parts?.mode === undefined ? {} : { mode: parts.mode }),
          },
      "EDA_DATABASE_CA",
    ],
  });
  if (section === undefined && password === undefined) return { kind: "embedded" };
  const { host, port: number = 5432, database = "eda", user = "eda", tls } = section ?? {};
  if (host === undefined) throw incomplete("database.host", "EDA_DATABASE_HOST");
  return {
    kind: "postgresql",
    host,
    port: number,
    database,
    user,
    password,
    tls: tls === undefined ? undefined : { mode: tls.mode, ca: readAuthority(options, tls.ca, "EDA_DATABASE_CA") },
  };
}

function resolveRunLog(options: ResolveOptions, variables: Variables): StoresConfiguration["runLog"] {
  const address = variables.secret("EDA_MONGODB_URI");
  const parts = address === undefined ? undefined : splitMongodbUri(address);
  const password = variables.secret("EDA_MONGODB_PASSWORD") ?? parts?.password;
  const section = layered("runLog", runLogSchema, options.settings.runLog, {
    uri: [parts?.uri, "EDA_MONGODB_URI"],
    database: [variables.text("EDA_MONGODB_DATABASE"), "EDA_MONGODB_DATABASE"],
    user: [variables.text("EDA_MONGODB_USER") ?? parts?.user, "EDA_MONGODB_USER"],
    tls: [authorityFrom(options, "EDA_MONGODB_CA"), "EDA_MONGODB_CA"],
  });
  if (section === undefined && password === undefined) return { kind: "database" };
  const { uri, database = "eda", user, tls } = section ?? {};
  if (uri === undefined) throw incomplete("runLog.uri", "EDA_MONGODB_URI");
  if (user !== undefined && password === undefined) throw incomplete(undefined, "EDA_MONGODB_PASSWORD");
  if (user === undefined && password !== undefined) throw incomplete("runLog.user", "EDA_MONGODB_USER");
  return { kind: "mongodb", uri, database, user, password, ca: readAuthority(options, tls?.ca, "EDA_MONGODB_CA") };
}

function resolveDrive(options: ResolveOptions, variables: Variables): StoresConfiguration["drive"] {
  const section = layered("drive", driveSchema, options.settings.drive, {
    kind: [variables.text("EDA_DRIVE"), "EDA_DRIVE"],
    account: [variables.text("EDA_GOOGLE_ACCOUNT"), "EDA_GOOGLE_ACCOUNT"],
  });
  if (section?.kind !== "google") return { kind: "folder" };
  return {
    kind: "google",
    credentials: googleCredentials(options, variables),
    account: section.account,
    exports: section.exports ?? {},
    apiRoot: variables.text("EDA_GOOGLE_API_ROOT"),
    oauthRoot: variables.text("EDA_GOOGLE_OAUTH_ROOT"),
    redirectUri: variables.text("EDA_GOOGLE_OAUTH_REDIRECT_URI"),
  };
}

/** A file of Google's console, or the OAuth client's two texts. */
function googleCredentials({ env, workspace, readFile }: ResolveOptions, variables: Variables): GoogleCredentials {
  const file = env["EDA_GOOGLE_CREDENTIALS_FILE"];
  if (file) return readGoogleCredentials(resolve(workspace, file), readFile);
  const clientId = variables.text("EDA_GOOGLE_OAUTH_CLIENT_ID");
  const clientSecret = variables.secret("EDA_GOOGLE_OAUTH_CLIENT_SECRET");
  if (clientId === undefined) throw incomplete(undefined, "EDA_GOOGLE_CREDENTIALS_FILE");
  if (clientSecret === undefined) throw incomplete(undefined, "EDA_GOOGLE_OAUTH_CLIENT_SECRET");
  return { kind: "client", clientId, clientSecret };
}

type Overrides<Section> = { readonly [Key in keyof Section]?: readonly [value: unknown, variable: string] };

/** The section of the file with the environment's values in place of its own; undefined when neither says anything. */
function layered<Schema extends z.ZodObject>(
  name: string,
  schema: Schema,
  written: z.input<Schema> | undefined,
  overrides: Overrides<z.input<Schema>>,
): z.output<Schema> | undefined {
  const given = Object.entries<readonly [unknown, string] | undefined>(overrides).filter(([, override]) => override?.[0] !== undefined);
  if (written === undefined && given.length === 0) return undefined;
  const values = Object.fromEntries(given.map(([key, override]) => [key, override?.[0]]));
  const parsed = schema.safeParse({ ...written, ...values });
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0] as z.core.$ZodIssue;
  const key = String(issue.path[0]);
  const variable = given.find(([each]) => each === key)?.[1]?.[1];
  throw new EdaError(
    "precondition",
    "invalid-variable",
    `${variable ?? `stores.${name}.${key} in ${SETTINGS_FILE}`} ${sentenceOf(issue)}.`,
    { todo: "Correct it and start again." },
  );
}

/** Own messages go on after the variable's name; the library's are sentences of their own. */
function sentenceOf({ message }: z.core.$ZodIssue): string {
  return /^[a-z]/u.test(message) ? message : `is not valid: ${message}`;
}

function authorityFrom({ env }: ResolveOptions, variable: string): { readonly ca: string } | undefined {
  const ca = env[variable];
  return ca ? { ca } : undefined;
}

function readAuthority({ workspace, readFile }: ResolveOptions, path: string | undefined, variable: string): Authority | undefined {
  if (path === undefined) return undefined;
  const file = resolve(workspace, path);
  try {
    return { file, pem: readFile(file) };
  } catch (error) {
    throw new EdaError("precondition", "certificate-unreadable", `The certificate ${file} cannot be read.`, {
      todo: `Correct tls.ca in ${SETTINGS_FILE}, or ${variable}.`,
      cause: error,
    });
  }
}

function incomplete(key: string | undefined, variable: string): EdaError {
  const ways = [...(key === undefined ? [] : [`stores.${key} in ${SETTINGS_FILE}`]), variable].join(" or ");
  const file = key !== undefined || variable.endsWith("_FILE") ? "" : ` or ${variable}_FILE`;
  return new EdaError("precondition", "stores-incomplete", `The stores are not configured completely: ${ways}${file} is missing.`, {
    todo: "Give it, or take out the rest of that store: it is then the embedded one.",
  });
}
