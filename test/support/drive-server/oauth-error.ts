import { type Answer, json } from "./http.ts";

/** An error of RFC 6749, section 5.2, as Google's token endpoint gives it. */
export class OAuthError extends Error {
  readonly code: string;
  readonly status: number;

  constructor(code: string, description: string, status = 400) {
    super(description);
    this.code = code;
    this.status = status;
  }
}

export const oauthErrorAnswer = ({ code, message, status }: OAuthError): Answer =>
  json({ error: code, error_description: message }, status);
