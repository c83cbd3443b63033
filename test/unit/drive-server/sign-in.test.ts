import { readFile, stat } from "node:fs/promises";
import { drive } from "@googleapis/drive";
import { CodeChallengeMethod, JWT, OAuth2Client } from "google-auth-library";
import { describe, expect, it } from "vitest";
import { ANA, BIA, serverWithClient, toServer } from "../../support/drive-server/client.ts";
import type { DriveServer } from "../../support/drive-server/server.ts";
import { temporaryFolder } from "../../support/folders.ts";

const SCOPE = "https://www.googleapis.com/auth/drive";
const ROBOT = "robot@project.iam.gserviceaccount.com";
const REDIRECT = "http://127.0.0.1:53682/callback";

function oauthClient({ url, oauthClient: client }: DriveServer, secret = client.secret): OAuth2Client {
  return new OAuth2Client({
    clientId: client.id,
    clientSecret: secret,
    redirectUri: REDIRECT,
    forceRefreshOnFailure: true,
    endpoints: {
      oauth2AuthBaseUrl: `${url}/o/oauth2/v2/auth`,
      oauth2TokenUrl: `${url}/token`,
      oauth2RevokeUrl: `${url}/revoke`,
    },
  });
}

/** What the browser is sent back with. */
async function consent(client: OAuth2Client, more: Parameters<OAuth2Client["generateAuthUrl"]>[0] = {}): Promise<URLSearchParams> {
  const answer = await fetch(client.generateAuthUrl({ access_type: "offline", scope: SCOPE, state: "s t", ...more }), {
    redirect: "manual",
  });
  const location = answer.headers.get("location");
  if (location === null) throw new Error(`${answer.status} ${await answer.text()}`);
  expect(location.startsWith(`${REDIRECT}?`)).toBe(true);
  return new URL(location).searchParams;
}

/** The library always asks Google itself: this sends it to the server instead. */
function serviceClient(server: DriveServer, keyFile: string, subject?: string): JWT {
  const client = new JWT({ keyFile, scopes: [SCOPE], ...(subject === undefined ? {} : { subject }) });
  client.transporter.interceptors.request.add({
    resolved: async (options) => Object.assign(options, { url: new URL(`${server.url}/token`) }),
  });
  return client;
}

describe("sign-in at the fake Drive", () => {
  it("gives a code for a consent, tokens for the code and its verifier, and refreshes them", async () => {
    const { server } = await serverWithClient();
    const client = oauthClient(server);
    const { codeVerifier, codeChallenge } = await client.generateCodeVerifierAsync();
    const challenge = { code_challenge: codeChallenge as string, code_challenge_method: CodeChallengeMethod.S256 };
    const back = await consent(client, challenge);
    expect(back.get("state")).toBe("s t");
    const code = back.get("code") as string;
    const { tokens } = await client.getToken({ code, codeVerifier });
    expect(tokens).toMatchObject({ refresh_token: expect.any(String), scope: SCOPE, token_type: "Bearer" });
    await expect(client.getToken({ code, codeVerifier })).rejects.toThrow("invalid_grant");
    client.setCredentials({ refresh_token: tokens.refresh_token as string });
    const user = async () =>
      (await drive({ version: "v3", auth: client, ...toServer(server) }).about.get({ fields: "user/emailAddress" })).data.user;
    expect(await user()).toEqual({ emailAddress: ANA });
    server.credentials.expireAccessTokens();
    expect(await user()).toEqual({ emailAddress: ANA });
    const other = (await consent(client, challenge)).get("code") as string;
    await expect(client.getToken({ code: other, codeVerifier: `${codeVerifier}x` })).rejects.toThrow("invalid_grant");
  });

  it("takes a revoked consent away for good", async () => {
    const { server } = await serverWithClient();
    const client = oauthClient(server);
    const { tokens } = await client.getToken((await consent(client)).get("code") as string);
    await client.revokeToken(tokens.refresh_token as string);
    client.setCredentials({ refresh_token: tokens.refresh_token as string });
    await expect(client.getAccessToken()).rejects.toThrow("invalid_grant");
    await expect(client.revokeToken(tokens.refresh_token as string)).rejects.toThrow("invalid_token");
    const again = (await client.getToken((await consent(client)).get("code") as string)).tokens;
    server.credentials.revokeAll(ANA);
    client.setCredentials({ refresh_token: again.refresh_token as string });
    await expect(client.getAccessToken()).rejects.toThrow("invalid_grant");
  });

  it("says that the person declined, and shows her a client's mistakes", async () => {
    const { server } = await serverWithClient();
    const client = oauthClient(server);
    const mistake = (more: Record<string, string>) => consent(client, more);
    await expect(mistake({ redirect_uri: "https://evil.example.com/" })).rejects.toThrow("redirect_uri_mismatch");
    await expect(mistake({ redirect_uri: "urn:ietf:wg:oauth:2.0:oob" })).rejects.toThrow("redirect_uri_mismatch");
    await expect(mistake({ redirect_uri: "http://127.0.0.1.evil.example.com/" })).rejects.toThrow("redirect_uri_mismatch");
    await expect(mistake({ scope: "everything" })).rejects.toThrow("invalid_scope");
    await expect(mistake({ client_id: "unknown" })).rejects.toThrow("invalid_client");
    await expect(oauthClient(server, "wrong").getToken((await consent(client)).get("code") as string)).rejects.toThrow("invalid_client");
    server.credentials.consentingAs = undefined;
    expect((await consent(client)).get("error")).toBe("access_denied");
  });

  it("gives tokens to a service account by its key, for itself and for whom it may act", async () => {
    const { server } = await serverWithClient();
    const keyFile = await server.writeServiceAccount(await temporaryFolder(), ROBOT, [ANA]);
    expect((await stat(keyFile)).mode & 0o777).toBe(0o600);
    expect(JSON.parse(await readFile(keyFile, "utf8"))).toMatchObject({ client_email: ROBOT, token_uri: `${server.url}/token` });
    const user = async (subject?: string) => {
      const { access_token: token } = await serviceClient(server, keyFile, subject).authorize();
      const auth = new OAuth2Client();
      auth.setCredentials({ access_token: token as string });
      return (await drive({ version: "v3", auth, ...toServer(server) }).about.get({ fields: "user/emailAddress" })).data.user;
    };
    expect(await user()).toEqual({ emailAddress: ROBOT });
    expect(await user(ANA)).toEqual({ emailAddress: ANA });
    await expect(user(BIA)).rejects.toThrow("unauthorized_client");
    await server.addServiceAccount(ROBOT);
    await expect(user()).rejects.toThrow("Invalid JWT Signature");
  });

  it("wants a token for everything", async () => {
    const { server } = await serverWithClient();
    const status = async (headers: Record<string, string>) => {
      const answer = await fetch(`${server.url}/drive/v3/files`, { headers });
      expect(answer.headers.get("server")).toContain("fake");
      const { error } = (await answer.json()) as { error: { errors: { reason: string }[] } };
      return [answer.status, error.errors[0]?.reason];
    };
    expect(await status({})).toEqual([401, "required"]);
    expect(await status({ authorization: "Bearer wrong" })).toEqual([401, "authError"]);
    expect(await status({ authorization: "Basic YTpi" })).toEqual([401, "authError"]);
  });
});
