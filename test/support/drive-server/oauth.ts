/**
 * Sign-in: consent page, token endpoint, revocation.
 * https://developers.google.com/identity/protocols/oauth2/native-app and …/oauth2/service-account
 */
import { createHash } from "node:crypto";
import { type Credentials, type PendingCode, SCOPES } from "./credentials.ts";
import { type Answer, json } from "./http.ts";
import { readAssertion } from "./jwt-assertion.ts";
import { OAuthError } from "./oauth-error.ts";
import type { DriveStore } from "./store.ts";

export interface OAuth {
  readonly credentials: Credentials;
  readonly store: DriveStore;
  /** Where this server answers. */
  readonly url: string;
}

/** `GET /o/oauth2/v2/auth`: a person who always decides at once. Mistakes of the client are shown to the person, not sent to it. */
export function authorize({ credentials, store }: OAuth, query: URLSearchParams): Answer {
  const known = [
    ...["client_id", "redirect_uri", "response_type", "scope", "state", "code_challenge", "code_challenge_method"],
    ...["access_type", "prompt", "login_hint", "include_granted_scopes"],
  ];
  const unknown = [...query.keys()].find((name) => !known.includes(name));
  if (unknown !== undefined) return errorPage("invalid_request", `Parameter not allowed for this message type: ${unknown}`);
  const client = credentials.clients.get(query.get("client_id") ?? "");
  if (client === undefined) return errorPage("invalid_client", "The OAuth client was not found.", 401);
  const redirectUri = query.get("redirect_uri") ?? "";
  // Google shut the copy-the-code page (`urn:ietf:wg:oauth:2.0:oob`) in 2023.
  if (!isLoopback(redirectUri) && !client.redirectUris.includes(redirectUri)) {
    return errorPage("redirect_uri_mismatch", "The redirect URI in the request does not match those of the OAuth client.");
  }
  if (query.get("response_type") !== "code") return errorPage("unsupported_response_type", "Invalid response_type.");
  const challenge = query.get("code_challenge") ?? undefined;
  if (challenge !== undefined && (query.get("code_challenge_method") !== "S256" || !/^[\w-]{43}$/.test(challenge))) {
    return errorPage("invalid_request", "The code challenge must be the SHA-256 of a verifier, with the method S256.");
  }
  const scopes = scopesOf(query.get("scope"));
  if (scopes === undefined) return errorPage("invalid_scope", "Some requested scopes were invalid, or this fake does not know them.");
  const email = credentials.consentingAs;
  const back = new URL(redirectUri);
  const state = query.get("state");
  if (state !== null) back.searchParams.set("state", state);
  if (email === undefined || !store.accounts.has(email)) {
    back.searchParams.set("error", "access_denied");
  } else {
    const offline = query.get("access_type") === "offline";
    back.searchParams.set("code", credentials.newCode({ clientId: client.id, redirectUri, challenge, email, scopes, offline }));
    back.searchParams.set("scope", scopes.join(" "));
  }
  return { status: 302, headers: { Location: back.href } };
}

/** `POST /token`. @throws OAuthError */
export function token(oauth: OAuth, form: URLSearchParams): Answer {
  switch (form.get("grant_type")) {
    case "authorization_code":
      return tokenForCode(oauth, form);
    case "refresh_token":
      return tokenForRefresh(oauth, form);
    case "urn:ietf:params:oauth:grant-type:jwt-bearer":
      return tokenForAssertion(oauth, form);
    default:
      throw new OAuthError("unsupported_grant_type", `Invalid grant_type: ${form.get("grant_type")}`);
  }
}

/** `POST /revoke`, with an access or a refresh token. @throws OAuthError */
export function revoke({ credentials }: OAuth, form: URLSearchParams): Answer {
  if (!credentials.revoke(form.get("token") ?? "")) throw new OAuthError("invalid_token", "Token expired or revoked");
  return json({});
}

function tokenForCode({ credentials }: OAuth, form: URLSearchParams): Answer {
  const clientId = checkedClient(credentials, form);
  const pending = credentials.takeCode(form.get("code") ?? "");
  if (pending === undefined || pending.clientId !== clientId) throw new OAuthError("invalid_grant", "Malformed auth code.");
  if (form.get("redirect_uri") !== pending.redirectUri) throw new OAuthError("redirect_uri_mismatch", "Bad Request");
  checkVerifier(pending, form.get("code_verifier"));
  const { email, scopes } = pending;
  const refresh = pending.offline ? credentials.newRefreshToken({ clientId, email, scopes }) : undefined;
  const { token: access, expiresIn } = credentials.newAccessToken(email, scopes, refresh);
  return tokenAnswer({
    access_token: access,
    expires_in: expiresIn,
    ...(refresh === undefined ? {} : { refresh_token: refresh }),
    scope: scopes.join(" "),
  });
}

function tokenForRefresh({ credentials }: OAuth, form: URLSearchParams): Answer {
  const clientId = checkedClient(credentials, form);
  const refresh = form.get("refresh_token") ?? "";
  const consent = credentials.refreshTokenOf(refresh);
  if (consent === undefined || consent.clientId !== clientId) throw new OAuthError("invalid_grant", "Token has been expired or revoked.");
  const { token: access, expiresIn } = credentials.newAccessToken(consent.email, consent.scopes, refresh);
  return tokenAnswer({ access_token: access, expires_in: expiresIn, scope: consent.scopes.join(" ") });
}

function tokenForAssertion({ credentials, url }: OAuth, form: URLSearchParams): Answer {
  // The client library's audience is Google's own address, whatever the key file says.
  const { email, scope } = readAssertion(form.get("assertion") ?? "", credentials, [`${url}/token`, "https://oauth2.googleapis.com/token"]);
  const scopes = scopesOf(scope);
  if (scopes === undefined) throw new OAuthError("invalid_scope", `Invalid OAuth scope or ID token audience provided.`);
  const { token: access, expiresIn } = credentials.newAccessToken(email, scopes);
  return tokenAnswer({ access_token: access, expires_in: expiresIn });
}

function tokenAnswer(fields: object): Answer {
  const answer = json({ ...fields, token_type: "Bearer" });
  return { ...answer, headers: { ...answer.headers, "Cache-Control": "no-store" } };
}

function checkedClient({ clients }: Credentials, form: URLSearchParams): string {
  const client = clients.get(form.get("client_id") ?? "");
  if (client === undefined) throw new OAuthError("invalid_client", "The OAuth client was not found.", 401);
  if (form.get("client_secret") !== client.secret) throw new OAuthError("invalid_client", "The provided client secret is invalid.", 401);
  return client.id;
}

/** RFC 7636, section 4.6. */
function checkVerifier({ challenge }: PendingCode, verifier: string | null): void {
  if (challenge === undefined && verifier === null) return;
  const digest = createHash("sha256")
    .update(verifier ?? "")
    .digest("base64url");
  if (verifier === null || digest !== challenge)
    throw new OAuthError("invalid_grant", verifier === null ? "Missing code verifier." : "Invalid code verifier.");
}

function isLoopback(uri: string): boolean {
  return /^http:\/\/(127\.0\.0\.1|\[::1\]|localhost)(:\d+)?(\/|$)/.test(uri);
}

function scopesOf(text: string | null | undefined): readonly string[] | undefined {
  const scopes = text?.split(" ").filter(Boolean) ?? [];
  return scopes.length > 0 && scopes.every((scope) => SCOPES.includes(scope)) ? scopes : undefined;
}

function errorPage(code: string, text: string, status = 400): Answer {
  return {
    status,
    headers: { "Content-Type": "text/html; charset=utf-8" },
    body: `<!doctype html><title>Error</title><p>Error ${status}: ${code}<p>${text}`,
  };
}
