/** Who may ask: access tokens for service accounts' signed requests (RFC 7523) and of the metadata server. */
import { randomBytes } from "node:crypto";
import { Credentials } from "../drive-server/credentials.ts";
import { readAssertion } from "../drive-server/jwt-assertion.ts";
import { OAuthError } from "../drive-server/oauth-error.ts";
import { newServiceAccount, writeKeyFile } from "../drive-server/service-account.ts";
import { type Answer, json } from "./answers.ts";

const CLOUD_SCOPE = "https://www.googleapis.com/auth/cloud-platform";

export class Accounts {
  private readonly credentials = new Credentials();
  private readonly tokens = new Map<string, string>();

  /** Whose token it is; undefined for one that is none. */
  accountOf(authorization: string | undefined): string | undefined {
    return this.tokens.get(/^Bearer (\S+)$/u.exec(authorization ?? "")?.[1] ?? "");
  }

  newToken(account: string): string {
    const token = `fake.${randomBytes(16).toString("hex")}`;
    this.tokens.set(token, account);
    return token;
  }

  /** Tokens that were given are taken no more. */
  revokeAll(): void {
    this.tokens.clear();
  }

  async writeKey(folder: string, email: string, url: string): Promise<string> {
    const account = await newServiceAccount(email, []);
    this.credentials.serviceKeys.set(email, account.key);
    return writeKeyFile(account, url, folder);
  }

  /** `POST /token` of Google's OAuth. */
  tokenFor(form: URLSearchParams): Answer {
    try {
      if (form.get("grant_type") !== "urn:ietf:params:oauth:grant-type:jwt-bearer") throw new OAuthError("unsupported_grant_type", "");
      const audiences = ["https://oauth2.googleapis.com/token"];
      const { email, scope } = readAssertion(form.get("assertion") ?? "", this.credentials, audiences);
      if (!scope.split(" ").includes(CLOUD_SCOPE)) throw new OAuthError("invalid_scope", `${scope} is not for Google Cloud.`);
      return json({ access_token: this.newToken(email), expires_in: 3_599, token_type: "Bearer" });
    } catch (error) {
      if (!(error instanceof OAuthError)) throw error;
      return json({ error: "invalid_grant", error_description: error.message }, 400);
    }
  }
}
