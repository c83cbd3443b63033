import { describe, expect, it } from "vitest";
import { DriveFailure, failureOf, NetworkFailure } from "../../../src/adapters/drive/failures.ts";
import { delayAfter, retrying } from "../../../src/adapters/drive/retry.ts";

const policy = { attempts: 8, retryBaseMs: 1_000, retryCapMs: 64_000 };
const busy = new DriveFailure(503, "backendError", "busy");

describe("the wait before another try", () => {
  it("doubles each time, with up to a second at random, up to 64 s", () => {
    const waits = [1, 2, 3, 4, 5, 6, 7].map((attempt) => delayAfter(busy, attempt, policy, 0));
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000]);
    expect(delayAfter(busy, 1, policy, 0.5)).toBe(1_500);
    expect(delayAfter(busy, 7, policy, 0.9)).toBe(64_000);
  });

  it("ends with the attempts", () => {
    expect(delayAfter(busy, 8, policy, 0)).toBeUndefined();
  });

  it.each([
    [429, ""],
    [429, "rateLimitExceeded"],
    [500, "backendError"],
    [502, ""],
    [503, ""],
    [504, ""],
    [403, "userRateLimitExceeded"],
    [403, "rateLimitExceeded"],
    [403, "sharingRateLimitExceeded"],
  ])("is taken for HTTP %i %s", (status, reason) => {
    expect(delayAfter(new DriveFailure(status, reason, ""), 1, policy, 0)).toBe(1_000);
  });

  it.each([
    [400, "invalid"],
    [401, "authError"],
    [403, ""],
    [403, "storageQuotaExceeded"],
    [403, "dailyLimitExceeded"],
    [403, "downloadQuotaExceeded"],
    [403, "insufficientFilePermissions"],
    [403, "exportSizeLimitExceeded"],
    [404, "notFound"],
    [409, "fileIdInUse"],
  ])("is not taken for HTTP %i %s", (status, reason) => {
    expect(delayAfter(new DriveFailure(status, reason, ""), 1, policy, 0)).toBeUndefined();
  });

  it("is what the server asks for, where that is longer, and never over the cap", () => {
    const asking = (seconds: string) => failureOf(429, {}, seconds);
    expect(delayAfter(asking("20"), 1, policy, 0)).toBe(20_000);
    expect(delayAfter(asking("0"), 1, policy, 0)).toBe(1_000);
    expect(delayAfter(asking("86400"), 1, policy, 0)).toBe(64_000);
    const inTenSeconds = new Date(Date.now() + 10_000).toUTCString();
    expect(delayAfter(asking(inTenSeconds), 1, policy, 0)).toBeGreaterThan(8_000);
  });

  it("is taken for a cut connection as for a busy server, and for one that cannot be made a few times only", () => {
    expect(delayAfter(new NetworkFailure("ECONNRESET"), 7, policy, 0)).toBe(64_000);
    expect(delayAfter(new NetworkFailure("ECONNREFUSED"), 4, policy, 0)).toBe(8_000);
    expect(delayAfter(new NetworkFailure("ECONNREFUSED"), 5, policy, 0)).toBeUndefined();
    expect(delayAfter(new NetworkFailure("CERT_HAS_EXPIRED"), 1, policy, 0)).toBeUndefined();
    expect(delayAfter(new TypeError("a mistake of ours"), 1, policy, 0)).toBeUndefined();
  });
});

describe("retrying", () => {
  const fast = { attempts: 3, retryBaseMs: 1, retryCapMs: 2 };

  it("works until it succeeds, or throws the last failure", async () => {
    let tries = 0;
    const work = async () => {
      tries += 1;
      if (tries < 3) throw busy;
      return tries;
    };
    expect(await retrying(fast, undefined, work)).toBe(3);
    await expect(retrying(fast, undefined, () => Promise.reject(busy))).rejects.toBe(busy);
  });

  it("stops waiting when it is cancelled", async () => {
    const controller = new AbortController();
    const slow = { attempts: 3, retryBaseMs: 60_000, retryCapMs: 60_000 };
    const waiting = retrying(slow, controller.signal, () => Promise.reject(busy));
    setTimeout(() => controller.abort(), 10);
    await expect(waiting).rejects.toMatchObject({ name: "AbortError" });
    await expect(retrying(slow, controller.signal, () => Promise.resolve(1))).rejects.toMatchObject({ kind: "cancelled" });
  });
});
