/** Signing in to Google and out again, against the fake server's consent page, token endpoint and Drive. */
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { onTestFinished, describe, expect, it } from "vitest";
import { openGoogleDrive } from "../../src/adapters/drive/drive.ts";
import { beginSignIn, type SignIn, type SignInOptions, signOut } from "../../src/adapters/drive/sign-in.ts";
import { defaultTokenFile, readTokenFile } from "../../src/adapters/drive/token-file.ts";
import { startDriveServer } from "../support/drive-server/server.ts";
import { temporaryFolder } from "../support/folders.ts";
import { ANA } from "../support/google-drive.ts";

const never = new AbortController().signal;

async function signInBench(more: Partial<SignInOptions> = {}) {
  const server = await startDriveServer({ accounts: [ANA] });
  onTestFinished(server.close);
  const tokenFile = join(await temporaryFolder(), "config", "google-token.json");
  const options: SignInOptions = {
    clientId: server.oauthClient.id,
    clientSecret: server.oauthClient.secret,
    tokenFile,
    apiRoot: server.url,
    oauthRoot: server.url,
    ...more,
  };
  const begin = async () => {
    const signIn = await beginSignIn(options);
    onTestFinished(() => signIn.cancel());
    return signIn;
  };
  return { server, options, tokenFile, begin };
}

/** What the browser does: the person allows access, and it goes where Google sends it. Answers that address without going there. */
async function allowed({ url }: SignIn): Promise<string> {
  const response = await fetch(url, { redirect: "manual" });
  expect(response.status).toBe(302);
  return response.headers.get("location") as string;
}

describe("signing in", () => {
  it("with a browser on this machine stores a token that Drive works with", async () => {
    const { server, options, tokenFile, begin } = await signInBench();
    const signIn = await begin();
    const page = await fetch(await allowed(signIn));
    expect(page.status).toBe(200);
    expect(await page.text()).toContain(`Signed in as ${ANA}`);
    expect(await signIn.done).toMatchObject({ email: ANA });
    expect((await stat(tokenFile)).mode & 0o777).toBe(0o600);

    const folder = server.state.addFolder({ name: "dados" });
    server.state.addFile({ name: "a", parent: folder, content: "x" });
    const drive = openGoogleDrive({
      auth: { kind: "user", ...options },
      apiRoot: server.url,
      oauthRoot: server.url,
      stateFolder: await temporaryFolder(),
    });
    onTestFinished(drive.close);
    expect(drive.description).toBe(`Google Drive (${ANA})`);
    expect((await drive.list("/dados", never)).files).toHaveLength(1);
  });

  it("with a browser elsewhere takes the address that it ended at, once", async () => {
    const { begin } = await signInBench();
    const signIn = await begin();
    const address = await allowed(signIn);
    expect(await signIn.finish(`  ${address}\n`)).toMatchObject({ email: ANA });
    expect(await signIn.finish(address)).toMatchObject({ email: ANA });
  });

  it("through a registered page takes the query that the page hands over", async () => {
    const { server, begin } = await signInBench({ redirectUri: "https://relay.example.com/eda" });
    server.credentials.clients.set(server.oauthClient.id, { ...server.oauthClient, redirectUris: ["https://relay.example.com/eda"] });
    const signIn = await begin();
    const address = await allowed(signIn);
    expect(address).toMatch(/^https:\/\/relay\.example\.com\/eda\?/u);
    expect(await signIn.finish(new URL(address).search)).toMatchObject({ email: ANA });
  });

  it("asks with PKCE, a state and for a lasting permission", async () => {
    const { begin } = await signInBench({ account: ANA });
    const query = Object.fromEntries(new URL((await begin()).url).searchParams);
    expect(query).toMatchObject({ code_challenge_method: "S256", access_type: "offline", prompt: "consent", login_hint: ANA });
    expect(query["state"]).toMatch(/^[\w-]{32}$/u);
    expect(query["redirect_uri"]).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/u);
  });

  it.each(["", "http://127.0.0.1:1/", "https://example.com/?code=x&state=wrong", "code=4/abc"])(
    "goes on waiting after %j, which is not its answer",
    async (text) => {
      const { begin } = await signInBench();
      const signIn = await begin();
      await expect(signIn.finish(text)).rejects.toMatchObject({ kind: "usage", code: "google-sign-in-address" });
      expect(await signIn.finish(await allowed(signIn))).toMatchObject({ email: ANA });
    },
  );

  it("does not take the answer to another sign-in", async () => {
    const { begin, tokenFile } = await signInBench();
    const [one, other] = [await begin(), await begin()];
    const address = new URL(await allowed(other));
    const here = new URL(one.url).searchParams.get("redirect_uri") as string;
    expect((await fetch(`${here}/${address.search}`)).status).toBe(404);
    await expect(one.finish(address.href)).rejects.toMatchObject({ code: "google-sign-in-address" });
    expect(readTokenFile(tokenFile)).toBeUndefined();
  });

  it("that the person refuses says so, here and in the browser", async () => {
    const { server, begin, tokenFile } = await signInBench();
    server.credentials.consentingAs = undefined;
    const signIn = await begin();
    expect((await fetch(await allowed(signIn))).status).toBe(400);
    await expect(signIn.done).rejects.toMatchObject({ kind: "precondition", code: "google-sign-in-refused" });
    expect(readTokenFile(tokenFile)).toBeUndefined();
  });

  it("of an unknown client, and one with another secret, says what to check", async () => {
    const { begin } = await signInBench({ clientSecret: "other" });
    const signIn = await begin();
    const error = await signIn.finish(await allowed(signIn)).catch((thrown) => thrown);
    expect(error).toMatchObject({ code: "drive-refused-client", todo: expect.stringContaining("EDA_GOOGLE_CREDENTIALS_FILE") });
  });

  it("that nobody ends, ends by itself; and when it is cancelled", async () => {
    const { begin } = await signInBench({ patienceMs: 20 });
    await expect((await begin()).done).rejects.toMatchObject({ code: "google-sign-in-late" });
    const cancelled = await (await signInBench()).begin();
    const here = new URL(cancelled.url).searchParams.get("redirect_uri") as string;
    cancelled.cancel();
    await expect(cancelled.done).rejects.toMatchObject({ kind: "cancelled" });
    await expect
      .poll(() =>
        fetch(here).then(
          () => "there",
          () => "gone",
        ),
      )
      .toBe("gone");
  });
});

describe("signing out", () => {
  it("withdraws the permission and removes the token; again, there is nothing to do", async () => {
    const { server, options, tokenFile, begin } = await signInBench();
    const signIn = await begin();
    const { refreshToken } = await signIn.finish(await allowed(signIn));
    const folder = server.state.addFolder({ name: "dados" });
    const drive = openGoogleDrive({
      auth: { kind: "user", ...options },
      apiRoot: server.url,
      oauthRoot: server.url,
      stateFolder: await temporaryFolder(),
    });
    onTestFinished(drive.close);
    await drive.list(folder, never);
    expect(await signOut(options)).toEqual({ email: ANA, revoked: true });
    expect(server.credentials.refreshTokenOf(refreshToken)).toBeUndefined();
    expect(server.requests.every(({ query }) => query["token"] === undefined)).toBe(true);
    await expect(readFile(tokenFile)).rejects.toMatchObject({ code: "ENOENT" });
    await expect(drive.list(folder, never)).rejects.toMatchObject({
      code: "drive-signed-out",
      todo: expect.stringContaining("eda google sign-in"),
    });
    expect(drive.description).toBe("Google Drive (not signed in)");
    expect(await signOut(options)).toBeUndefined();
  });

  it("forgets the token also when Google does not answer, and says so", async () => {
    const { server, options, tokenFile, begin } = await signInBench();
    const signIn = await begin();
    await signIn.finish(await allowed(signIn));
    await server.close();
    expect(await signOut(options)).toEqual({ email: ANA, revoked: false });
    expect(readTokenFile(tokenFile)).toBeUndefined();
  });

  it("elsewhere is noticed as signed out", async () => {
    const { server, options, begin } = await signInBench();
    const signIn = await begin();
    await signIn.finish(await allowed(signIn));
    server.credentials.revokeAll(ANA);
    const drive = openGoogleDrive({
      auth: { kind: "user", ...options },
      apiRoot: server.url,
      oauthRoot: server.url,
      stateFolder: await temporaryFolder(),
    });
    onTestFinished(drive.close);
    await expect(drive.list("/", never)).rejects.toMatchObject({
      kind: "precondition",
      code: "drive-signed-out",
      message: expect.stringContaining(ANA),
    });
  });
});

describe("the token's file", () => {
  it("lies in the user's configuration, not in the workspace", () => {
    expect(defaultTokenFile({ XDG_CONFIG_HOME: "/c" })).toBe("/c/eda/google-token.json");
    expect(defaultTokenFile({})).toMatch(/\.config\/eda\/google-token\.json$/u);
  });

  it("that holds something else is told without its content", async () => {
    const file = join(await temporaryFolder(), "google-token.json");
    await writeFile(file, '{"refreshToken":"very secret"');
    try {
      readTokenFile(file);
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ kind: "precondition", code: "drive-token-invalid", message: expect.stringContaining(file) });
      expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain("very secret");
    }
  });
});
