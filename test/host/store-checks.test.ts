/** What doctor says of an object store that is there and not as it should be. */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { openS3Store } from "../../src/adapters/minio/object-store.ts";
import { Secret } from "../../src/domain/secret.ts";
import { BUCKETS } from "../../src/domain/stage.ts";
import { checkStores } from "../../src/host/stores/checks.ts";
import type { DoctorCheck } from "../../src/protocol/messages.ts";
import { startGateway } from "../support/servers/gateway.ts";
import { minioProgram, type S3Server, startMinio } from "../support/servers/minio.ts";
import { openClient } from "../support/servers/s3-client.ts";

const MINUTE_MS = 60_000;

describe.skipIf(minioProgram === undefined)("doctor on an object store", () => {
  let server: S3Server;

  beforeAll(async () => {
    server = await startMinio();
    const store = openS3Store(server.access);
    await store.ensureBuckets(BUCKETS);
    await store.close();
  });
  afterAll(() => server.stop());

  async function check(endpoint = server.access.endpoint): Promise<DoctorCheck> {
    const { accessKey, secretKey, region } = server.access;
    const secret = new Secret(secretKey);
    const objects = { kind: "s3", endpoint, region, accessKey, secretKey: secret, sessionToken: undefined, ca: undefined } as const;
    const checks = checkStores(
      {
        objects: { ...objects, objectLock: false },
        database: { kind: "embedded" },
        runLog: { kind: "database" },
        drive: { kind: "folder" },
      },
      { stateFolder: "/nowhere", sqlFolder: "/nowhere", env: {} },
    );
    return (await Promise.all(checks)).find(({ name }) => name === "object store") as DoctorCheck;
  }

  /** The server with a clock that is so far ahead: it says the time in each answer. */
  async function withClock(aheadMs: number): Promise<string> {
    const gateway = await startGateway(server.port, ({ method, url }) => {
      if (method !== "HEAD" || url !== "/") return undefined;
      return { answer: { status: 403, body: "", headers: { date: new Date(Date.now() + aheadMs).toUTCString() } } };
    });
    onTestFinished(() => gateway.stop());
    return gateway.url;
  }

  it("finds nothing wrong with one that is as it should be", async () => {
    expect(await check()).toMatchObject({ state: "ok", message: expect.stringMatching(/versioned$/u), todo: null });
  });

  it.each([
    ["ahead of", 5 * MINUTE_MS],
    ["behind", -5 * MINUTE_MS],
  ])("warns of a clock that is %s this machine's, and says what to do", async (side, aheadMs) => {
    const found = await check(await withClock(aheadMs));
    expect(found).toMatchObject({ state: "warning", todo: expect.stringContaining("NTP") });
    expect(found.message).toMatch(new RegExp(`its clock is (4 minutes 5\\d|5 minutes).* ${side} this machine's$`, "u"));
  });

  it("leaves a few seconds alone", async () => {
    expect(await check(await withClock(20_000))).toMatchObject({ state: "ok" });
  });

  it("tells of a bucket whose versions were switched off, and how they are switched on again", async () => {
    const client = openClient(server.access);
    await client.setBucketVersioning("outputs", { Status: "Suspended" });
    onTestFinished(() => client.setBucketVersioning("outputs", { Status: "Enabled" }));
    expect(await check()).toMatchObject({
      state: "failed",
      kind: "precondition",
      message: expect.stringContaining("keeps no versions in outputs"),
      todo: expect.stringContaining("mc version enable <alias>/outputs"),
    });
  });

  it("warns of a bucket that is gone", async () => {
    const client = openClient(server.access);
    await client.removeBucket("models");
    onTestFinished(async () => {
      await client.makeBucket("models");
      await client.setBucketVersioning("models", { Status: "Enabled" });
    });
    expect(await check()).toMatchObject({ state: "warning", message: expect.stringContaining("has no bucket models") });
  });
});
