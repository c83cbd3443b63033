/** Clients, consents and tokens of the fake's sign-in. */
import { randomBytes } from "node:crypto";
import { ApiError } from "./errors.ts";

export const DRIVE_SCOPE = "https://www.googleapis.com/auth/drive";
const READONLY_SCOPE = "https://www.googleapis.com/auth/drive.readonly";
const METADATA_SCOPE = "https://www.googleapis.com/auth/drive.metadata.readonly";
/** Those that the fake gives. `drive.file` is none of them: it would have to know which files an application made. */
export const SCOPES: readonly string[] = [
  DRIVE_SCOPE,
  READONLY_SCOPE,
  METADATA_SCOPE,
  "openid",
  "email",
  "profile",
  "https://www.googleapis.com/auth/userinfo.email",
  "https://www.googleapis.com/auth/userinfo.profile",
];

const TOKEN_LIFE_SECONDS = 3599;
const CODE_LIFE_MS = 10 * 60 * 1000;

export interface OAuthClient {
  readonly id: string;
  /** Google wants it of desktop clients too, although it is no secret there. */
  readonly secret: string;
  /** Beside loopback addresses with any port. */
  readonly redirectUris: readonly string[];
}

export interface Consent {
  readonly clientId: string;
  readonly email: string;
  readonly scopes: readonly string[];
}

export interface PendingCode extends Consent {
  readonly redirectUri: string;
  /** base64url of the verifier's SHA-256; undefined when the client uses no PKCE. */
  readonly challenge: string | undefined;
  /** A refresh token was asked for. */
  readonly offline: boolean;
  readonly expiresAt: number;
}

interface AccessToken {
  readonly email: string;
  readonly scopes: readonly string[];
  readonly expiresAt: number;
  readonly refreshToken: string | undefined;
}

/** The key of a service account that tokens are asked for with. */
export interface ServiceKey {
  readonly email: string;
  readonly keyId: string;
  /** PEM. */
  readonly publicKey: string;
  /** Addresses that it may act for (domain-wide delegation). */
  readonly delegates: readonly string[];
}

export class Credentials {
  readonly clients = new Map<string, OAuthClient>();
  readonly serviceKeys = new Map<string, ServiceKey>();
  /** Who sits at the consent page; undefined is a person who says no. */
  consentingAs: string | undefined;
  readonly #codes = new Map<string, PendingCode>();
  readonly #access = new Map<string, AccessToken>();
  readonly #refresh = new Map<string, Consent>();

  newCode(code: Omit<PendingCode, "expiresAt">): string {
    const text = `4/0A${randomBytes(32).toString("base64url")}`;
    this.#codes.set(text, { ...code, expiresAt: Date.now() + CODE_LIFE_MS });
    return text;
  }

  /** A code serves once. */
  takeCode(code: string): PendingCode | undefined {
    const pending = this.#codes.get(code);
    this.#codes.delete(code);
    return pending === undefined || pending.expiresAt < Date.now() ? undefined : pending;
  }

  newRefreshToken(consent: Consent): string {
    const token = `1//0${randomBytes(40).toString("base64url")}`;
    this.#refresh.set(token, consent);
    return token;
  }

  refreshTokenOf(token: string): Consent | undefined {
    return this.#refresh.get(token);
  }

  newAccessToken(email: string, scopes: readonly string[], refreshToken?: string): { readonly token: string; readonly expiresIn: number } {
    const token = `ya29.${randomBytes(48).toString("base64url")}`;
    this.#access.set(token, { email, scopes, expiresAt: Date.now() + TOKEN_LIFE_SECONDS * 1000, refreshToken });
    return { token, expiresIn: TOKEN_LIFE_SECONDS };
  }

  /** @param token only this one; every access token when absent */
  expireAccessTokens(token?: string): void {
    if (token === undefined) this.#access.clear();
    else this.#access.delete(token);
  }

  /** What a person does at her account's page: every consent of hers is gone, with its tokens. */
  revokeAll(email: string): void {
    for (const [token, consent] of this.#refresh) if (consent.email === email) this.#refresh.delete(token);
    for (const [token, access] of this.#access) if (access.email === email) this.#access.delete(token);
  }

  /** Revokes an access or a refresh token, and what belongs to it. */
  revoke(token: string): boolean {
    const refresh = this.#refresh.has(token) ? token : this.#access.get(token)?.refreshToken;
    if (refresh === undefined) return this.#access.delete(token);
    for (const [access, { refreshToken }] of this.#access) if (refreshToken === refresh) this.#access.delete(access);
    return this.#refresh.delete(refresh) || this.#access.delete(token);
  }

  /** The account behind the request's bearer token. @throws ApiError `required`, `authError`, `insufficientPermissions` */
  authenticate(authorization: string | undefined, use: "metadata" | "content" | "write"): string {
    const headerPlace = { location: "Authorization", locationType: "header" } as const;
    if (authorization === undefined) throw new ApiError("required", headerPlace);
    const token = bearerToken(authorization);
    const access = token === undefined ? undefined : this.#access.get(token);
    if (access === undefined || access.expiresAt <= Date.now()) {
      throw new ApiError("authError", {
        ...headerPlace,
        headers: { "WWW-Authenticate": 'Bearer realm="https://accounts.google.com/", error="invalid_token"' },
      });
    }
    const sufficient = {
      write: [DRIVE_SCOPE],
      content: [DRIVE_SCOPE, READONLY_SCOPE],
      metadata: [DRIVE_SCOPE, READONLY_SCOPE, METADATA_SCOPE],
    };
    if (!access.scopes.some((scope) => sufficient[use].includes(scope))) throw new ApiError("insufficientPermissions");
    return access.email;
  }
}

export function bearerToken(authorization: string | undefined): string | undefined {
  return /^Bearer (\S+)$/.exec(authorization ?? "")?.[1];
}
