import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it, onTestFinished } from "vitest";
import { ANA, serverWithClient } from "../../support/drive-server/client.ts";
import type { Reason } from "../../support/drive-server/errors.ts";

const content = Buffer.alloc(500_000, "x");

describe("faults of the fake Drive", () => {
  it.each<[Reason, number, string]>([
    ["userRateLimitExceeded", 403, "userRateLimitExceeded"],
    ["sharingRateLimitExceeded", 403, "sharingRateLimitExceeded"],
    ["tooManyRequests", 429, "rateLimitExceeded"],
    ["backendError", 500, "backendError"],
    ["serviceUnavailable", 503, "backendError"],
    ["dailyLimitExceeded", 403, "dailyLimitExceeded"],
    ["downloadQuotaExceeded", 403, "downloadQuotaExceeded"],
    ["appNotAuthorizedToFile", 403, "appNotAuthorizedToFile"],
  ])("answers %s as often as asked, then goes on", async (reason, status, wire) => {
    const { server, drive } = await serverWithClient();
    const rule = server.faults.fail("files.list", { kind: "error", reason, retryAfter: 3 }, 2);
    for (const _ of [1, 2]) {
      const failure = await drive.files.list().catch((error) => error.response);
      expect(failure.status).toBe(status);
      expect(failure.headers.get("retry-after")).toBe("3");
      expect(failure.data).toEqual({
        error: {
          code: status,
          message: expect.any(String),
          errors: [{ domain: expect.any(String), reason: wire, message: expect.any(String) }],
        },
      });
    }
    expect((await drive.files.list()).status).toBe(200);
    expect(rule.hits).toBe(2);
  });

  it("cuts, stalls and corrupts downloads where it was told to", async () => {
    const { server } = await serverWithClient();
    const id = server.state.addFile({ name: "a", content });
    const download = async () => {
      const headers = { authorization: `Bearer ${server.accessToken(ANA)}` };
      const answer = await fetch(`${server.url}/drive/v3/files/${id}?alt=media`, { headers, signal: AbortSignal.timeout(1000) });
      const pieces: Uint8Array[] = [];
      let failed = false;
      try {
        for await (const piece of answer.body as ReadableStream<Uint8Array>) pieces.push(piece);
      } catch {
        failed = true;
      }
      return { failed, bytes: Buffer.concat(pieces) };
    };
    const fault = (kind: "cut-download" | "stall-download") => server.faults.fail("files.media", { kind, afterBytes: 100_000 });
    fault("cut-download");
    expect(await download()).toEqual({ failed: true, bytes: content.subarray(0, 100_000) });
    fault("stall-download");
    expect(await download()).toEqual({ failed: true, bytes: content.subarray(0, 100_000) });
    server.faults.fail("files.media", { kind: "corrupt-download" });
    const corrupt = await download();
    expect([corrupt.failed, corrupt.bytes.length, corrupt.bytes.equals(content)]).toEqual([false, content.length, false]);
    expect(await download()).toEqual({ failed: false, bytes: content });
  });

  it("loses the answer of what it did, or does nothing at all", async () => {
    const { server, drive } = await serverWithClient();
    const count = () => server.state.children(server.state.rootOf(ANA)).length;
    server.faults.fail("files.create", { kind: "cut" });
    await expect(drive.files.create({ requestBody: { name: "a" } })).rejects.toThrow();
    expect(count()).toBe(0);
    server.faults.fail("files.create", { kind: "lose-answer" });
    await expect(drive.files.create({ requestBody: { name: "a" } })).rejects.toThrow();
    expect(count()).toBe(1);
    expect(server.requests.map(({ operation, faults, status }) => ({ operation, faults, status }))).toEqual([
      { operation: "files.create", faults: ["cut"], status: undefined },
      { operation: "files.create", faults: ["lose-answer"], status: undefined },
    ]);
  });

  it("strikes only the file that a rule names, after the requests that it lets pass", async () => {
    const { server, drive } = await serverWithClient();
    const [one, other] = [server.state.addFile({ name: "a", content }), server.state.addFile({ name: "b", content })];
    server.faults.add({ fileId: one, skip: 1, fault: { kind: "wrong-checksums" } });
    const right = server.state.item(one).content?.md5;
    const md5 = async (fileId: string) => (await drive.files.get({ fileId, fields: "md5Checksum" })).data.md5Checksum;
    expect(await md5(one)).toBe(right);
    expect(await md5(other)).toBe(right);
    expect(await md5(one)).not.toBe(right);
    server.faults.clear();
    expect(await md5(one)).toBe(right);
  });

  it("takes the token away, and waits", async () => {
    const { server, drive } = await serverWithClient();
    server.faults.fail("files.list", { kind: "delay", milliseconds: 200 });
    const began = performance.now();
    await drive.files.list();
    expect(performance.now() - began).toBeGreaterThan(190);
    server.faults.fail("files.list", { kind: "expired-token" });
    for (const _ of [1, 2]) await expect(drive.files.list()).rejects.toMatchObject({ status: 401 });
  });

  it("fails a part of all requests, the same ones for the same seed", async () => {
    const struck = async (seed: number) => {
      const { server, drive } = await serverWithClient();
      const rule = server.faults.failRandomly(0.2, seed);
      const ends = new Set<string>();
      const list = () =>
        drive.files.list().then(
          () => "ok",
          (error) => String(error.status ?? "cut"),
        );
      for (let n = 0; n < 200; n++) ends.add(await list());
      expect(ends).toEqual(new Set(["ok", "403", "429", "500", "502", "503", "cut"]));
      expect(rule.hits).toBeGreaterThan(20);
      expect(rule.hits).toBeLessThan(60);
      // A client may also lose requests by itself, on connections that were cut a moment ago: they never came.
      return server.requests.slice(0, 150).map(({ faults }) => faults);
    };
    const first = await struck(7);
    expect(await struck(7)).toEqual(first);
    expect(await struck(8)).not.toEqual(first);
  });

  it("logs requests without their secrets", async () => {
    const { server, drive } = await serverWithClient();
    await drive.files.list({ q: "trashed = false" });
    await fetch(`${server.url}/revoke?token=secret-token`, { method: "POST" });
    expect(server.requests).toMatchObject([
      { operation: "files.list", method: "GET", query: { q: "trashed = false" }, authorization: "redacted", status: 200 },
      { operation: "oauth.revoke", query: { token: "redacted" }, authorization: "none", status: 400 },
    ]);
    expect(JSON.stringify(server.requests)).not.toContain("secret-token");
  });

  it("answers unknown paths as unknown", async () => {
    const { server } = await serverWithClient();
    const answer = await fetch(`${server.url}/drive/v2/files`, { headers: { authorization: `Bearer ${server.accessToken(ANA)}` } });
    expect(answer.status).toBe(404);
    expect(server.requests[0]?.operation).toBe("unknown");
  });

  it("runs as a process of its own", async () => {
    const child: ChildProcess = spawn(process.execPath, ["test/support/drive-server/main.ts"], { stdio: ["ignore", "pipe", "inherit"] });
    onTestFinished(() => void child.kill());
    const line = await Promise.race([
      once(child.stdout as NodeJS.ReadableStream, "data").then(([data]) => data as Buffer),
      once(child, "exit").then(([code]) => expect.fail(`It ended with ${code}.`)),
    ]);
    const { url, accessToken } = JSON.parse(line.toString()) as { url: string; accessToken: string };
    const answer = await fetch(`${url}/drive/v3/files`, { headers: { authorization: `Bearer ${accessToken}` } });
    expect(answer.status).toBe(200);
    child.kill();
    await once(child, "exit");
  });
});
