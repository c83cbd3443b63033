/** Whose Drive it is: a service account, a person it acts for, or a person who signed in on this machine. */
import { readFileSync, statSync } from "node:fs";
import { JWT, OAuth2Client } from "google-auth-library";
import { z } from "zod";
import { EdaError } from "../../domain/errors.ts";
import { type AccountKind, notSignedIn } from "./failures.ts";
import { GOOGLE_OAUTH_ROOT, type GoogleAuth, rootUrl } from "./options.ts";
import { readTokenFile } from "./token-file.ts";

/** All of Drive: `drive.file` would not reach what people put into a folder. */
export const DRIVE_SCOPE = "https://www.googleapis.com/auth/drive";

export interface Account {
  /** For people: `ana@example.com`, `service account eda@project.iam.gserviceaccount.com`. */
  readonly name: string;
  readonly kind: AccountKind;
  readonly client: OAuth2Client;
}

/** `fetch` of the project's own connections, so that proxies and timeouts are the same everywhere. */
type Fetch = typeof globalThis.fetch;

export interface AccountSource {
  /** Read again whenever its file has changed: signing in needs no restart. @throws EdaError `precondition` `drive-signed-out`, `drive-key-invalid` */
  current(): Account;
}

const keySchema = z.object({ type: z.literal("service_account"), client_email: z.string().min(3), private_key: z.string().min(1) });

/** @param oauthRoot where tokens are had; Google's own when absent */
export function openAccounts(auth: GoogleAuth, oauthRoot: string | undefined, fetchImplementation: Fetch): AccountSource {
  const file = auth.kind === "user" ? auth.tokenFile : auth.keyFile;
  let known: { readonly stamp: string; readonly account: Account } | undefined;
  return {
    current() {
      const stamp = stampOf(file);
      if (known?.stamp !== stamp || stamp === "") known = { stamp, account: load(auth, oauthRoot, fetchImplementation) };
      return known.account;
    },
  };
}

function load(auth: GoogleAuth, oauthRoot: string | undefined, fetchImplementation: Fetch): Account {
  const shared = { transporterOptions: { fetchImplementation } };
  if (auth.kind === "user") {
    const token = readTokenFile(auth.tokenFile);
    if (token === undefined) throw notSignedIn();
    const client = new OAuth2Client({ ...shared, clientId: auth.clientId, clientSecret: auth.clientSecret });
    client.setCredentials({ refresh_token: token.refreshToken });
    return { name: token.email ?? "the signed-in account", kind: "user", client: redirected(client, oauthRoot) };
  }
  const key = readKey(auth.keyFile);
  const client = new JWT({
    ...shared,
    email: key.client_email,
    key: key.private_key,
    scopes: [DRIVE_SCOPE],
    ...(auth.subject === undefined ? {} : { subject: auth.subject }),
  });
  const account: Pick<Account, "name" | "kind"> =
    auth.subject === undefined
      ? { name: `service account ${key.client_email}`, kind: "service-account" }
      : { name: `${auth.subject} (through service account ${key.client_email})`, kind: "delegated" };
  return { ...account, client: redirected(client, oauthRoot) };
}

/** The library takes the token's address of a service account from nowhere but itself. */
export function redirected<C extends OAuth2Client>(client: C, oauthRoot: string | undefined): C {
  if (oauthRoot === undefined) return client;
  const root = rootUrl(oauthRoot);
  const google = new URL(GOOGLE_OAUTH_ROOT).origin;
  client.transporter.interceptors.request.add({
    resolved: async (config) => {
      if (config.url.origin === google) config.url = new URL(config.url.pathname + config.url.search, root);
      return config;
    },
  });
  return client;
}

/** The next request gets a new access token: the server refused the one at hand. */
export function forgetAccessToken({ client }: Account): void {
  const { refresh_token } = client.credentials;
  client.setCredentials({ ...(refresh_token === undefined ? {} : { refresh_token }), expiry_date: 1 });
}

function readKey(file: string): z.infer<typeof keySchema> {
  try {
    return keySchema.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch {
    // What was read may be a secret, and a parser's message shows it.
    throw new EdaError("precondition", "drive-key-invalid", `${file} is not a readable key of a Google service account.`, {
      todo: "Make a JSON key in the Google Cloud console (IAM, service accounts, keys) and name its file.",
    });
  }
}

function stampOf(file: string): string {
  const stats = statSync(file, { throwIfNoEntry: false });
  return stats === undefined ? "" : `${stats.ino}.${stats.size}.${stats.mtimeMs}`;
}
