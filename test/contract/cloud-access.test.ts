/** Who the host is for Google Cloud, against the fake. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { openCloudAccess } from "../../src/host/cloud-access.ts";
import { temporaryFolder } from "../support/folders.ts";
import { BUCKET, startVertexServer, type VertexServer } from "../support/vertex-server/server.ts";

const ACCOUNT = "eda@projeto-teste.iam.gserviceaccount.com";
const { signal } = new AbortController();
const request = { method: "GET", url: `https://storage.googleapis.com/storage/v1/b/${BUCKET}/o?prefix=x`, signal } as const;

describe("access to Google Cloud", () => {
  let server: VertexServer;
  let roots: NodeJS.ProcessEnv;

  beforeEach(async () => {
    server = await startVertexServer(() => async () => ({ state: "JOB_STATE_SUCCEEDED" }));
    roots = { EDA_GOOGLE_CLOUD_ROOT: server.url, EDA_GOOGLE_OAUTH_ROOT: server.url };
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await server.close();
  });

  const who = () => server.requests.at(-1)?.account;

  it("is that of the service account whose key is named", async () => {
    const file = await server.writeKey(await temporaryFolder(), ACCOUNT);
    const answer = await openCloudAccess({ ...roots, EDA_GOOGLE_CREDENTIALS_FILE: file })(request);
    expect({ status: answer.status, body: await text(answer.body) }).toMatchObject({
      status: 200,
      body: expect.stringContaining("storage#objects"),
    });
    expect(who()).toBe(ACCOUNT);
  });

  it("is that of the application default credentials, also beside an OAuth client that people sign in to Drive with", async () => {
    const folder = await temporaryFolder();
    vi.stubEnv("GOOGLE_APPLICATION_CREDENTIALS", await server.writeKey(folder, ACCOUNT));
    const client = join(folder, "client.json");
    await writeFile(client, JSON.stringify({ installed: { client_id: "x", client_secret: "y" } }));
    for (const named of [{}, { EDA_GOOGLE_CREDENTIALS_FILE: client }]) {
      const answer = await openCloudAccess({ ...roots, ...named })(request);
      answer.body.resume();
      expect({ status: answer.status, account: who() }).toEqual({ status: 200, account: ACCOUNT });
    }
  });

  it("says how to sign in when nobody is, and needs no restart then", async () => {
    const folder = await temporaryFolder();
    const later = join(folder, "service-account.json");
    vi.stubEnv("GOOGLE_APPLICATION_CREDENTIALS", later);
    const send = openCloudAccess(roots);
    await expect(send(request)).rejects.toMatchObject({
      kind: "precondition",
      code: "cloud-signed-out",
      todo: expect.stringContaining("gcloud auth application-default login"),
    });
    await server.writeKey(folder, ACCOUNT);
    const answer = await send(request);
    answer.body.resume();
    expect(answer.status).toBe(200);
  });

  it("says that a key is no longer taken, without showing it", async () => {
    const file = await server.writeKey(await temporaryFolder(), ACCOUNT);
    // Another key of the same account is the one that counts now.
    await server.writeKey(await temporaryFolder(), ACCOUNT);
    const error = await openCloudAccess({ ...roots, EDA_GOOGLE_CREDENTIALS_FILE: file })(request).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ kind: "precondition", code: "cloud-signed-out" });
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toMatch(/PRIVATE KEY|assertion/u);
  });

  it("sends tokens over TLS or to this machine only", () => {
    expect(() => openCloudAccess({ EDA_GOOGLE_CLOUD_ROOT: "http://example.com" })).toThrow(/EDA_GOOGLE_CLOUD_ROOT is not the address/u);
  });
});
