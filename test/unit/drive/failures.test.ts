import { describe, expect, it } from "vitest";
import {
  DriveFailure,
  type FailureContext,
  failureOf,
  NetworkFailure,
  translated,
  withoutRequest,
} from "../../../src/adapters/drive/failures.ts";

const ana: FailureContext = { account: "ana@example.com", accountKind: "user", subject: "the file dados/voos.csv" };
const service: FailureContext = { ...ana, account: "service account eda@p.iam.gserviceaccount.com", accountKind: "service-account" };

describe("what Drive answers", () => {
  it.each([
    ["storageQuotaExceeded", "drive-quota"],
    ["dailyLimitExceeded", "drive-daily-limit"],
    ["downloadQuotaExceeded", "drive-download-quota"],
    ["appNotAuthorizedToFile", "drive-permission"],
    ["cannotDownloadAbusiveFile", "drive-abusive-file"],
    ["fileNotDownloadable", "drive-not-downloadable"],
    ["exportSizeLimitExceeded", "drive-export-too-large"],
    ["insufficientFilePermissions", "drive-permission"],
    ["somethingNew", "drive-permission"],
  ])("with the reason %s is the terminal %s, with what to do", (reason, code) => {
    const error = translated(new DriveFailure(403, reason, "No."), ana);
    expect(error).toMatchObject({ kind: "terminal", code, todo: expect.stringMatching(/\w/u) });
  });

  it("says which account and which file", () => {
    for (const reason of ["storageQuotaExceeded", "downloadQuotaExceeded", "insufficientFilePermissions", "cannotDownloadAbusiveFile"]) {
      const { message } = translated(new DriveFailure(403, reason, "No."), ana) as Error;
      expect(message).toContain("dados/voos.csv");
      expect(message).toContain("ana@example.com");
    }
  });

  it("tells a service account without storage from a person's full Drive", () => {
    const full = new DriveFailure(403, "storageQuotaExceeded", "");
    expect(translated(full, service)).toMatchObject({
      message: expect.stringContaining("owns no storage"),
      todo: expect.stringMatching(/shared drive.*eda google sign-in.*domain-wide delegation/u),
    });
    expect(translated(full, ana)).toMatchObject({ message: expect.stringContaining("is full") });
  });

  it.each([
    [400, "invalid_grant", "drive-signed-out"],
    [401, "authError", "drive-signed-out"],
    [401, "invalid_client", "drive-refused-client"],
  ])("HTTP %i %s is the precondition %s", (status, reason, code) => {
    expect(translated(new DriveFailure(status, reason, ""), ana)).toMatchObject({ kind: "precondition", code });
  });

  it("names the command to sign in with", () => {
    expect(translated(new DriveFailure(400, "invalid_grant", ""), ana)).toMatchObject({
      todo: expect.stringContaining("eda google sign-in"),
    });
  });

  it("is transient, away or untrusted where the network says so", () => {
    expect(translated(new DriveFailure(503, "", ""), ana)).toMatchObject({ kind: "transient", code: "drive-busy" });
    expect(translated(new NetworkFailure("ECONNRESET"), ana)).toMatchObject({ kind: "transient", code: "drive-reset" });
    expect(translated(new NetworkFailure("ENOTFOUND"), ana)).toMatchObject({ kind: "unavailable", code: "drive-away" });
    expect(translated(new NetworkFailure("SELF_SIGNED_CERT_IN_CHAIN"), ana)).toMatchObject({
      kind: "precondition",
      code: "drive-untrusted",
    });
  });

  it("is read in Drive's form, in the sign-in's form, and where it is no JSON", () => {
    const body = { error: { code: 403, message: "Rate Limit Exceeded", errors: [{ domain: "usageLimits", reason: "rateLimitExceeded" }] } };
    expect(failureOf(403, body, null)).toMatchObject({ status: 403, reason: "rateLimitExceeded", message: "Rate Limit Exceeded" });
    expect(failureOf(400, { error: "invalid_grant", error_description: "Expired" }, null)).toMatchObject({
      reason: "invalid_grant",
      message: "Expired",
    });
    expect(failureOf(502, "<html>", null)).toMatchObject({ status: 502, reason: "", message: "HTTP 502" });
  });
});

describe("an error of the client library", () => {
  it("loses the request that it carries", () => {
    const config = { headers: { authorization: "Bearer secret-token" }, url: "https://www.googleapis.com/upload?upload_id=secret" };
    const library = Object.assign(new Error("Request failed"), {
      config,
      response: { status: 404, data: { error: { message: "gone" } }, config },
    });
    const failure = withoutRequest(library);
    expect(failure).toBeInstanceOf(DriveFailure);
    expect(JSON.stringify(failure, Object.getOwnPropertyNames(failure))).not.toContain("secret");
  });

  it("is a network failure by its innermost code", () => {
    const cut = new TypeError("fetch failed", { cause: Object.assign(new Error("x"), { code: "ECONNRESET" }) });
    expect(withoutRequest(new Error("wrapped", { cause: cut }))).toMatchObject({ name: "NetworkFailure", code: "ECONNRESET" });
    const mistake = new RangeError("ours");
    expect(withoutRequest(mistake)).toBe(mistake);
  });
});
