import { afterAll, describe, expect, it, onTestFinished } from "vitest";
import { openS3Store, type S3Store } from "../../src/adapters/minio/object-store.ts";
import type { S3Options } from "../../src/adapters/minio/options.ts";
import { BUCKETS } from "../../src/domain/stage.ts";
import { makeCertificates } from "../support/certificates.ts";
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
