import { afterAll, describe, expect, it, onTestFinished } from "vitest";
import { openS3Store, type S3Store } from "../../src/adapters/minio/object-store.ts";
import type { S3Options } from "../../src/adapters/minio/options.ts";
import { BUCKETS } from "../../src/domain/stage.ts";
import { makeCertificates } from "../support/certificates.ts";
import { temporaryFile } from "../support/folders.ts";
import { startGateway } from "../support/servers/gateway.ts";
import { minioProgram, type S3Server, startMinio } from "../support/servers/minio.ts";
import { s3StoreContract } from "./object-store.s3.suite.ts";
import { objectStoreContract } from "./object-store.suite.ts";

describe.skipIf(minioProgram === undefined)("MinIO", () => {
  let server: S3Server | undefined;
  let store: S3Store | undefined;
  afterAll(async () => {
    await store?.close();
    await server?.stop();
  });

  objectStoreContract("MinIO", async () => {
    server = await startMinio();
    store = openS3Store(server.access);
    return store;
  });

  s3StoreContract("MinIO", startMinio);

  it("goes on in the server's own listing, so that it does not read a large folder for every page", async () => {
    const own = await startMinio();
    onTestFinished(() => own.stop());
    const gateway = await startGateway(own.port, () => undefined);
    onTestFinished(() => gateway.stop());
    const paging = openS3Store({ ...own.access, endpoint: gateway.url });
    onTestFinished(() => paging.close());
    await paging.ensureBuckets(BUCKETS);
    const file = await temporaryFile("x");
    const { signal } = new AbortController();
    const keys = ["a", "b", "c", "d", "e", "f", "g"].map((name) => `p/${name}`);
    for (const key of keys) await paging.put({ bucket: "raw-data", key, file, mediaType: "text/plain", run: "r", signal });

    const listed: string[] = [];
    let cursor: string | undefined;
    for (let page = 1; page <= 3; page += 1) {
      const next = cursor === undefined ? {} : { cursor };
      const found = await paging.list({ bucket: "raw-data", prefix: "p/", hierarchical: true, limit: 2, ...next });
      listed.push(...found.items.map((item) => (item.type === "object" ? item.info.key : item.prefix)));
      cursor = found.cursor;
    }
    expect(listed).toEqual(keys.slice(0, 6));
    // The first page begins no listing that can be gone on with, the second does, the third names it.
    expect(decodeURIComponent(gateway.seen.at(-1) as string)).toMatch(/key-marker=p\/d\[minio_cache:[^\]]*id:[\w-]+/u);
  });

  it("speaks TLS with a server that a private authority vouches for, and with no other", async () => {
    const { ca, folder } = await makeCertificates();
    const secured = await startMinio({ certificates: folder });
    onTestFinished(() => secured.stop());
    const opened = (options: S3Options) => {
      const other = openS3Store(options);
      onTestFinished(() => other.close());
      return other;
    };
    const trusting = opened({ ...secured.access, ca });
    await trusting.ensureBuckets(BUCKETS);
    expect(await trusting.head("raw-data", "a")).toBeUndefined();
    const refusal = { kind: "precondition", code: "store-untrusted" };
    await expect(opened(secured.access).ensureBuckets(BUCKETS)).rejects.toMatchObject(refusal);
    await expect(opened(secured.access).head("raw-data", "a")).rejects.toMatchObject(refusal);
  });
});

const { EDA_TEST_S3_ENDPOINT: endpoint, EDA_TEST_S3_REGION: region, EDA_TEST_S3_ACCESS_KEY, EDA_TEST_S3_SECRET_KEY } = process.env;

if (endpoint !== undefined) {
  objectStoreContract("the server that EDA_TEST_S3_ENDPOINT names", async () =>
    openS3Store({
      endpoint,
      region: region ?? "us-east-1",
      accessKey: EDA_TEST_S3_ACCESS_KEY ?? "",
      secretKey: EDA_TEST_S3_SECRET_KEY ?? "",
    }),
  );
}
