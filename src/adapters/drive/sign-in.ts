/**
 * A person signs in with the browser: OAuth for desktop clients, with PKCE.
 * https://developers.google.com/identity/protocols/oauth2/native-app
 *
 * The browser comes back to a port of this machine. Where it cannot reach that (code-server, a terminal over SSH) the address it ends at is
 * pasted back: Google has no page that shows the code any more, and takes other addresses from registered web clients only.
 */
import { randomBytes, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { drive_v3 } from "@googleapis/drive";
import { CodeChallengeMethod, type Credentials, OAuth2Client } from "google-auth-library";
import { EdaError } from "../../domain/errors.ts";
import { printable } from "../../domain/printable.ts";
import { DRIVE_SCOPE, redirected } from "./account.ts";
import { type Connections, openConnections } from "./connections.ts";
import { translated, withoutRequest } from "./failures.ts";
import { GOOGLE_API_ROOT, rootUrl } from "./options.ts";
import { readTokenFile, removeTokenFile, type StoredToken, writeTokenFile } from "./token-file.ts";

const AUTHORIZATION_PATH = "o/oauth2/v2/auth";
/** How long a person may take at Google's pages. */
const PATIENCE_MS = 10 * 60_000;
const REQUEST_TIMEOUT_MS = 30_000;

export interface SignInOptions {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly tokenFile: string;
  /** Suggested at Google's page. */
  readonly account?: string;
  /** Registered for the client, and a page that leads back here; a port of this machine when absent. */
  readonly redirectUri?: string;
  /** Google's own when absent. */
  readonly apiRoot?: string;
  /** Google's own when absent; then also where the page is that people sign in at. */
  readonly oauthRoot?: string;
  readonly patienceMs?: number;
}

export interface SignIn {
  /** Google's page, to be opened in a browser. */
  readonly url: string;
  /**
   * Settles once: signed in and the token stored, or not.
   * @throws EdaError `precondition` `google-sign-in-refused`, `google-sign-in-incomplete`, `google-sign-in-late`; `cancelled`; see {@link translated}
   */
  readonly done: Promise<StoredToken>;
  /**
   * The address at which the browser ended, pasted by the person or handed over by the editor's URI handler.
   * @throws EdaError `usage` `google-sign-in-address` when it is none, or belongs to another sign-in
   */
  finish(address: string): Promise<StoredToken>;
  cancel(): void;
}

interface Answer {
  readonly code: string | null;
  readonly error: string | null;
}

export async function beginSignIn(options: SignInOptions): Promise<SignIn> {
  const state = randomBytes(24).toString("base64url");
  const settled = Promise.withResolvers<StoredToken>();
  settled.promise.catch(() => undefined);
  let isAnswered = false;

  const { redirectUri, close } = options.redirectUri === undefined ? await listen(answerBrowser) : notHere(options.redirectUri);
  const connections = openConnections(REQUEST_TIMEOUT_MS);
  const client = clientOf(options, connections, redirectUri);
  const { codeVerifier, codeChallenge } = await client.generateCodeVerifierAsync();

  const timer = setTimeout(() => {
    settled.reject(
      new EdaError("precondition", "google-sign-in-late", "Nobody signed in to Google within the time for it.", { todo: "Start again." }),
    );
  }, options.patienceMs ?? PATIENCE_MS);
  void settled.promise
    .catch(() => undefined)
    .finally(async () => {
      clearTimeout(timer);
      // The page that says so is still on its way to the browser.
      close();
      await connections.close();
    });

  /** Once, whoever brings the answer first. */
  function exchange(answer: Answer): Promise<StoredToken> {
    if (!isAnswered) {
      isAnswered = true;
      tokenFor(answer).then(settled.resolve, settled.reject);
    }
    return settled.promise;
  }

  async function tokenFor({ code, error }: Answer): Promise<StoredToken> {
    if (code === null) throw refused(error);
    try {
      const { tokens } = await client.getToken({ code, codeVerifier, redirect_uri: redirectUri });
      const token = await storable(tokens);
      await writeTokenFile(options.tokenFile, token);
      return token;
    } catch (failure) {
      throw translated(withoutRequest(failure), { account: "the account", accountKind: "user", subject: "signing in" });
    }
  }

  async function storable(tokens: Credentials): Promise<StoredToken> {
    const { refresh_token: refreshToken, scope } = tokens;
    if (!(scope ?? "").split(" ").includes(DRIVE_SCOPE)) throw incomplete("The permission to use Drive was not given.");
    if (refreshToken == null) throw incomplete("Google gave no lasting permission.");
    client.setCredentials(tokens);
    const api = new drive_v3.Drive({ auth: client, rootUrl: rootUrl(options.apiRoot ?? GOOGLE_API_ROOT).href });
    const { data } = await api.about.get({ fields: "user(emailAddress)" });
    return { refreshToken, email: data.user?.emailAddress ?? null, signedInAt: new Date().toISOString() };
  }

  function answerBrowser(url: URL, response: ServerResponse): void {
    const answer = answerIn(url.searchParams, state);
    if (url.pathname !== "/" || answer === undefined) {
      page(response, 404, "This address belongs to no sign-in that is under way.");
      return;
    }
    exchange(answer).then(
      ({ email }) => page(response, 200, `Signed in${email === null ? "" : ` as ${email}`}. You can close this tab.`),
      () => page(response, 400, "Not signed in: see eda, where you started. You can close this tab."),
    );
  }

  return {
    url: client.generateAuthUrl({
      access_type: "offline",
      // Otherwise a second sign-in gets no refresh token.
      prompt: "consent",
      scope: [DRIVE_SCOPE],
      state,
      code_challenge_method: CodeChallengeMethod.S256,
      code_challenge: codeChallenge as string,
      ...(options.account === undefined ? {} : { login_hint: options.account }),
    }),
    done: settled.promise,
    async finish(address) {
      const answer = answerIn(queryOf(address), state);
      if (answer === undefined) throw notAnAddress();
      return exchange(answer);
    },
    cancel: () => settled.reject(new EdaError("cancelled", "cancelled", "Signing in was cancelled.")),
  };
}

/**
 * Withdraws the permission at Google and forgets it here, in any case.
 * @returns who was signed in, and whether Google was told; undefined when nobody was
 */
export async function signOut(
  options: Omit<SignInOptions, "account" | "redirectUri">,
): Promise<{ readonly email: string | null; readonly revoked: boolean } | undefined> {
  const token = readTokenFile(options.tokenFile);
  if (token === undefined) return undefined;
  const connections = openConnections(REQUEST_TIMEOUT_MS);
  const client = clientOf(options, connections, undefined);
  try {
    // In the body: an address ends up in the logs of proxies.
    const data = new URLSearchParams({ token: token.refreshToken });
    const { status } = await client.transporter.request({
      url: String(client.endpoints.oauth2RevokeUrl),
      method: "POST",
      data,
      // 400: withdrawn already.
      validateStatus: (code) => code === 200 || code === 400,
    });
    return { email: token.email, revoked: status === 200 || status === 400 };
  } catch {
    return { email: token.email, revoked: false };
  } finally {
    await removeTokenFile(options.tokenFile);
    await connections.close();
  }
}

function clientOf(options: Omit<SignInOptions, "account">, { fetch }: Connections, redirectUri: string | undefined): OAuth2Client {
  const { clientId, clientSecret, oauthRoot } = options;
  const client = new OAuth2Client({
    clientId,
    clientSecret,
    transporterOptions: { fetchImplementation: fetch, timeout: REQUEST_TIMEOUT_MS },
    ...(redirectUri === undefined ? {} : { redirectUri }),
    ...(oauthRoot === undefined ? {} : { endpoints: { oauth2AuthBaseUrl: new URL(AUTHORIZATION_PATH, rootUrl(oauthRoot)) } }),
  });
  return redirected(client, oauthRoot);
}

interface Way {
  /** Where Google sends the browser. */
  readonly redirectUri: string;
  close(): void;
}

function notHere(redirectUri: string): Way {
  return { redirectUri, close: () => undefined };
}

async function listen(answer: (url: URL, response: ServerResponse) => void): Promise<Way> {
  const server = createServer((request, response) => {
    const url = URL.parse(request.url ?? "", "http://127.0.0.1");
    if (request.method === "GET" && url !== null) answer(url, response);
    else page(response, 404, "There is nothing here.");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  // A sign-in that nobody ends does not keep the host alive.
  server.unref();
  return { redirectUri: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() };
}

/** @param text nothing that came with the request */
function page(response: ServerResponse, status: number, text: string): void {
  const escaped = text.replace(/[&<>"]/gu, (char) => `&#${char.charCodeAt(0)};`);
  response.writeHead(status, {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    connection: "close",
  });
  response.end(`<!doctype html><title>eda</title><body style="font: 1rem system-ui; margin: 3rem"><p>${escaped}</p>`);
}

/** Undefined for what is not Google's answer to this sign-in. */
function answerIn(query: URLSearchParams, state: string): Answer | undefined {
  const [given, expected] = [Buffer.from(query.get("state") ?? ""), Buffer.from(state)];
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
  const [code, error] = [query.get("code"), query.get("error")];
  return code === null && error === null ? undefined : { code, error };
}

/** Of a whole address, or of its query alone. */
function queryOf(address: string): URLSearchParams {
  const text = address.trim();
  return URL.parse(text)?.searchParams ?? new URLSearchParams(text.replace(/^[^?]*\?/u, ""));
}

function notAnAddress(): EdaError {
  // It is not shown: it may hold the code.
  return new EdaError("usage", "google-sign-in-address", "This is not the address at which this sign-in ended.", {
    todo: "Paste the whole address of the page that the browser shows after you have allowed access: it begins with http://127.0.0.1.",
  });
}

function refused(error: string | null): EdaError {
  const reason = error === "access_denied" ? "access was not allowed" : printable(error ?? "no reason given");
  return new EdaError("precondition", "google-sign-in-refused", `Not signed in to Google: ${reason}.`, {
    todo: "Start again and allow access.",
  });
}

function incomplete(problem: string): EdaError {
  return new EdaError("precondition", "google-sign-in-incomplete", `Not signed in to Google: ${problem}`, {
    todo: "Start again, and leave every box of Google's page ticked.",
  });
}
