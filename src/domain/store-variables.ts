/** Environment variables that say which servers stand behind the ports. They go before `configs/eda.yaml`. */
import { hashJson } from "./json.ts";

/** `secret`: the value is never shown, compared or hashed. `path`: names a file, so there is no `…_FILE` of it. */
export const STORE_VARIABLES = {
  EDA_S3_ENDPOINT: "plain",
  EDA_S3_REGION: "plain",
  EDA_S3_ACCESS_KEY: "plain",
  EDA_S3_SECRET_KEY: "secret",
  EDA_S3_SESSION_TOKEN: "secret",
  EDA_S3_CA: "path",
  EDA_DATABASE_URL: "secret",
  EDA_DATABASE_HOST: "plain",
  EDA_DATABASE_PORT: "plain",
  EDA_DATABASE_NAME: "plain",
  EDA_DATABASE_USER: "plain",
  EDA_DATABASE_PASSWORD: "secret",
  EDA_DATABASE_CA: "path",
  EDA_MONGODB_URI: "secret",
  EDA_MONGODB_DATABASE: "plain",
  EDA_MONGODB_USER: "plain",
  EDA_MONGODB_PASSWORD: "secret",
  EDA_MONGODB_CA: "path",
  EDA_DRIVE: "plain",
  EDA_GOOGLE_ACCOUNT: "plain",
  EDA_GOOGLE_CREDENTIALS_FILE: "path",
  EDA_GOOGLE_OAUTH_CLIENT_ID: "plain",
  EDA_GOOGLE_OAUTH_CLIENT_SECRET: "secret",
  EDA_GOOGLE_OAUTH_REDIRECT_URI: "plain",
  EDA_GOOGLE_API_ROOT: "plain",
  EDA_GOOGLE_OAUTH_ROOT: "plain",
} as const;

export type StoreVariable = keyof typeof STORE_VARIABLES;

const VARIABLES = Object.entries(STORE_VARIABLES) as readonly (readonly [StoreVariable, "plain" | "secret" | "path"])[];

/**
 * Which stores an environment names, as a hash: of a secret only that it is there, of a secret address only what is not secret.
 * @returns null when it names none
 */
export function storeEnvironment(env: Readonly<Record<string, string | undefined>>): string | null {
  const named: Record<string, string> = {};
  for (const [name, kind] of VARIABLES) {
    const value = env[name];
    const file = `${name}_FILE`;
    if (value !== undefined && value !== "") named[name] = kind === "secret" ? withoutSecrets(value) : value;
    if (kind !== "path" && env[file]) named[file] = env[file];
  }
  return Object.keys(named).length === 0 ? null : hashJson(named);
}

/** An address without user, password and parameters; nothing at all of what is no address. */
function withoutSecrets(value: string): string {
  return /^([a-z][a-z0-9+]*:\/\/)(?:[^/?#]*@)?([^/?#@]+(?:\/[^/?#@]*)?)(?:[?#].*)?$/iu.exec(value)?.slice(1, 3).join("") ?? "";
}
