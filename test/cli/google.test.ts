/** `eda google`, against the fake server's sign-in. */
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { documentOf, type RunningEda } from "../support/cli.ts";
import { type CliWorkspace, openCliWorkspace } from "../support/cli-workspace.ts";
import { type DriveServer, startDriveServer } from "../support/drive-server/server.ts";

const ANA = "ana@example.com";

describe("eda google", () => {
  let server: DriveServer;
  let workspace: CliWorkspace;
  let tokenFile: string;

  beforeAll(async () => {
    server = await startDriveServer({ accounts: [ANA] });
    workspace = await openCliWorkspace({
      project: false,
      env: {
        EDA_DRIVE: "google",
        EDA_GOOGLE_OAUTH_CLIENT_ID: server.oauthClient.id,
        EDA_GOOGLE_OAUTH_CLIENT_SECRET: server.oauthClient.secret,
        EDA_GOOGLE_API_ROOT: server.url,
        EDA_GOOGLE_OAUTH_ROOT: server.url,
      },
    });
    // Of the test alone: the person's own sign-in stays as it is.
    const config = join(workspace.folder, ".config-of-the-test");
    workspace.env["XDG_CONFIG_HOME"] = config;
    tokenFile = join(config, "eda", "google-token.json");
    expect((await workspace.eda("init")).code).toBe(0);
  }, 120_000);

  afterAll(async () => {
    await workspace.close();
    await server.close();
  });

  /** What the person's browser does with the address that the command shows. */
  async function allowed(command: RunningEda, seen: () => string): Promise<string> {
    await command.until(/^http\S+$/mu);
    const page = await fetch(/^http\S+$/mu.exec(seen())?.[0] as string, { redirect: "manual" });
    return page.headers.get("location") as string;
  }

  function started(line: string) {
    const command = workspace.start(line);
    let stderr = "";
    command.process.stderr?.on("data", (chunk: string) => {
      stderr += chunk;
    });
    return { command, seen: () => stderr };
  }

  it("says that nobody is signed in, and what captures would say", async () => {
    expect(documentOf(await workspace.eda("google status --json"))).toEqual({ access: "sign-in", account: null, signedInAt: null });
    expect((await workspace.eda("google sign-out")).stderr).toContain("Nothing to do");
  });

  it("signs in by the browser, keeps the token out of the workspace and of what is printed, and signs out", async () => {
    const { command, seen } = started("google sign-in --json");
    expect((await fetch(await allowed(command, seen))).status).toBe(200);
    const result = await command.result;
    expect(result.code).toBe(0);
    expect(documentOf(result)).toEqual({ account: ANA });
    expect(result.stdout + result.stderr).not.toMatch(/ya29|1\/\/0|4\/0A/u);
    expect(statSync(tokenFile).mode & 0o777).toBe(0o600);
    expect((await workspace.eda("google status")).stdout).toContain(`signed in as ${ANA}`);
    const doctor = documentOf<{ checks: { name: string; message: string }[] }>(await workspace.eda("doctor --json"));
    expect(doctor.checks.find(({ name }) => name === "drive")?.message).toContain(ANA);

    expect(documentOf(await workspace.eda("google sign-out --json"))).toEqual({ signedOut: true, account: ANA, revoked: true });
    expect(existsSync(tokenFile)).toBe(false);
    expect(documentOf(await workspace.eda("google status --json"))).toMatchObject({ account: null });
  }, 60_000);

  it("says that access was refused, with exit code 3", async () => {
    server.credentials.consentingAs = undefined;
    const { command, seen } = started("google sign-in");
    await fetch(await allowed(command, seen));
    server.credentials.consentingAs = ANA;
    const { code, stderr } = await command.result;
    expect(code).toBe(3);
    expect(stderr).toContain("access was not allowed");
  }, 60_000);
});
