import { afterAll, describe } from "vitest";
import { openS3Store, type S3Store } from "../../src/adapters/minio/object-store.ts";
import { minioProgram, type S3Server, startMinio } from "../support/servers/minio.ts";
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
});
