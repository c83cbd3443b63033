/** The signed request of a service account for a token (RFC 7523), verified with its public key. */
import { verify } from "node:crypto";
import { z } from "zod";
import type { Credentials } from "./credentials.ts";
import { OAuthError } from "./oauth-error.ts";

/** Google gives no token to who asks for more than an hour, or with a clock further off. */
const LONGEST_SECONDS = 3600;
const CLOCK_SKEW_SECONDS = 300;

const HEADER = z.object({ alg: z.literal("RS256"), kid: z.string().optional() });
const CLAIMS = z.object({
  iss: z.string(),
  aud: z.string(),
  scope: z.string(),
  iat: z.number(),
  exp: z.number(),
  sub: z.string().optional(),
});

/** Answers the account that the token is for, and the scopes it asks for. @throws OAuthError `invalid_grant` */
export function readAssertion(
  assertion: string,
  { serviceKeys }: Credentials,
  audiences: readonly string[],
): { readonly email: string; readonly scope: string } {
  const [header = "", payload = "", signature = "", ...more] = assertion.split(".");
  const { kid } = parsed(HEADER, header);
  const claims = parsed(CLAIMS, payload);
  const key = serviceKeys.get(claims.iss);
  if (key === undefined) throw new OAuthError("invalid_grant", "Invalid grant: account not found");
  const isSigned = verify("RSA-SHA256", Buffer.from(`${header}.${payload}`), key.publicKey, Buffer.from(signature, "base64url"));
  if (!isSigned || more.length > 0 || (kid !== undefined && kid !== key.keyId)) {
    throw new OAuthError("invalid_grant", "Invalid JWT Signature.");
  }
  if (!audiences.includes(claims.aud)) throw new OAuthError("invalid_grant", "Invalid JWT: Failed audience check.");
  const now = Date.now() / 1000;
  if (claims.exp <= now || claims.iat > now + CLOCK_SKEW_SECONDS || claims.exp - claims.iat > LONGEST_SECONDS) {
    const message = "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.";
    throw new OAuthError("invalid_grant", `${message} Check your iat and exp values in the JWT claim.`);
  }
  const email = claims.sub ?? claims.iss;
  if (email !== claims.iss && !key.delegates.includes(email)) {
    throw new OAuthError(
      "unauthorized_client",
      "Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested.",
      401,
    );
  }
  return { email, scope: claims.scope };
}

function parsed<Value>(schema: z.ZodType<Value>, part: string): Value {
  try {
    return schema.parse(JSON.parse(Buffer.from(part, "base64url").toString()));
  } catch {
    throw new OAuthError("invalid_grant", "Invalid JWT: Failed to parse it.");
  }
}
